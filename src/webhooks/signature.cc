#include "webhooks/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <vector>

namespace rushes::webhooks {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr std::size_t kSecretBytes = 24;

std::string base64(std::string_view bytes) {
  std::string text((bytes.size() + 2) / 3 * 4, '\0');
  // It writes a zero behind the text, where a string has one.
  EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(bytes.data()),
                  static_cast<int>(bytes.size()));
  return text;
}

Result<std::string> from_base64(std::string_view text) {
  std::string bytes(text.size() / 4 * 3, '\0');
  const auto length = text.size() % 4 == 0 ? EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                                                             reinterpret_cast<const unsigned char*>(text.data()),
                                                             static_cast<int>(text.size()))
                                           : -1;
  if (length < 0) return Error(Errc::malformed, "the webhook's secret is not base64");
  bytes.resize(static_cast<std::size_t>(length));
  for (auto left = text.size(); left > 0 && text[left - 1] == '=' && !bytes.empty(); --left) bytes.pop_back();
  return bytes;
}

}  // namespace

std::string new_secret(Rng& rng) {
  std::string bytes;
  while (bytes.size() < kSecretBytes) {
    const auto word = rng.next_u64();
    bytes.append(reinterpret_cast<const char*>(&word), sizeof word);
  }
  return std::string(kPrefix) + base64(bytes);
}

bool is_secret(std::string_view text) {
  constexpr std::size_t kMostBytes = 64;
  if (!text.starts_with(kPrefix) || text.size() > 2 * kMostBytes) return false;
  const auto key = from_base64(text.substr(kPrefix.size()));
  return key && key->size() >= kSecretBytes && key->size() <= kMostBytes;
}

Result<std::string> signature_of(std::string_view secret, const DeliveryId& id, Timestamp at, std::string_view body) {
  if (!secret.starts_with(kPrefix)) return Error(Errc::malformed, "a webhook's secret begins with whsec_");
  const auto key = from_base64(secret.substr(kPrefix.size()));
  if (!key) return key.error();
  const auto text = id.value() + "." + std::to_string(to_millis(at) / 1000) + "." + std::string(body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  unsigned int length = 0;
  if (HMAC(EVP_sha256(), key->data(), static_cast<int>(key->size()),
           reinterpret_cast<const unsigned char*>(text.data()), text.size(), code.data(), &length) == nullptr) {
    return Error(Errc::internal, "OpenSSL cannot sign");
  }
  return "v1," + base64({reinterpret_cast<const char*>(code.data()), length});
}

}  // namespace rushes::webhooks
