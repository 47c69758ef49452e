#include "auth/signature.h"

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>

#include <array>
#include <optional>
#include <stdexcept>

namespace rushes::auth {
namespace {

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

// Fetched once: OpenSSL 3 looks a digest up by its name at each use otherwise.
const EVP_MD* digest_of(Algorithm algorithm) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  static const EVP_MD* const sha384 = EVP_MD_fetch(nullptr, "SHA2-384", nullptr);
  static const EVP_MD* const sha512 = EVP_MD_fetch(nullptr, "SHA2-512", nullptr);
  using enum Algorithm;
  switch (algorithm) {
    case hs256:
    case rs256:
    case ps256:
    case es256:
      return sha256;
    case hs384:
    case rs384:
    case ps384:
    case es384:
      return sha384;
    case hs512:
    case rs512:
    case ps512:
    case es512:
      return sha512;
    case eddsa:
      break;  // hashes by itself
  }
  return nullptr;
}

constexpr bool is_pss(Algorithm algorithm) noexcept {
  return algorithm == Algorithm::ps256 || algorithm == Algorithm::ps384 || algorithm == Algorithm::ps512;
}

// The length of each of the two numbers of an ECDSA signature; 0 for another algorithm.
constexpr std::size_t ecdsa_half(Algorithm algorithm) noexcept {
  if (algorithm == Algorithm::es256) return 32;
  if (algorithm == Algorithm::es384) return 48;
  return algorithm == Algorithm::es512 ? 66 : 0;
}

bool is_of_type(const evp_pkey_st* key, Algorithm algorithm) {
  if (is_hmac(algorithm)) return false;
  if (algorithm == Algorithm::eddsa) return EVP_PKEY_is_a(key, "ED25519") == 1;
  return EVP_PKEY_is_a(key, ecdsa_half(algorithm) > 0 ? "EC" : "RSA") == 1;
}

// RFC 7518, 3.5: the salt is as long as the digest.
bool set_pss(EVP_PKEY_CTX* context) {
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1;
}

// JOSE writes the two numbers of an ECDSA signature one behind the other (RFC 7518, 3.4), OpenSSL reads them as DER.
std::optional<std::string> ecdsa_to_der(std::string_view raw, std::size_t half) {
  if (raw.size() != 2 * half) return std::nullopt;
  const std::unique_ptr<ECDSA_SIG, decltype(&ECDSA_SIG_free)> pair(ECDSA_SIG_new(), ECDSA_SIG_free);
  BIGNUM* r = BN_bin2bn(bytes_of(raw), static_cast<int>(half), nullptr);
  BIGNUM* s = BN_bin2bn(bytes_of(raw.substr(half)), static_cast<int>(half), nullptr);
  if (!pair || ECDSA_SIG_set0(pair.get(), r, s) != 1) {
    BN_free(r);
    BN_free(s);
    return std::nullopt;
  }
  std::array<unsigned char, 160> der{};  // for two numbers of 66 bytes, with what stands before each
  auto* end = der.data();
  const int size = i2d_ECDSA_SIG(pair.get(), &end);
  if (size <= 0) return std::nullopt;
  return std::string(reinterpret_cast<const char*>(der.data()), static_cast<std::size_t>(size));
}

}  // namespace

std::string hmac(Algorithm algorithm, std::string_view secret, std::string_view text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> code{};
  unsigned length = 0;
  const auto* digest = digest_of(algorithm);
  if (digest == nullptr || HMAC(digest, secret.data(), static_cast<int>(secret.size()), bytes_of(text), text.size(),
                                code.data(), &length) == nullptr) {
    throw std::runtime_error("OpenSSL: no HMAC");
  }
  return {reinterpret_cast<const char*>(code.data()), length};
}

bool equal_in_constant_time(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

bool verify_signature(Algorithm algorithm, const PublicKey& key, std::string_view text, std::string_view signature) {
  if (!key || !is_of_type(key.get(), algorithm)) return false;
  std::string der;
  if (const auto half = ecdsa_half(algorithm); half > 0) {
    auto converted = ecdsa_to_der(signature, half);
    if (!converted) return false;
    der = std::move(*converted);
    signature = der;
  } else if (algorithm != Algorithm::eddsa &&
             signature.size() != static_cast<std::size_t>(EVP_PKEY_get_size(key.get()))) {
    return false;  // RFC 8017, 8.1.2: OpenSSL takes an RSASSA-PSS signature without its leading zeros
  }
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  EVP_PKEY_CTX* parameters = nullptr;  // the context's own
  const bool good =
      context && EVP_DigestVerifyInit(context.get(), &parameters, digest_of(algorithm), nullptr, key.get()) == 1 &&
      (!is_pss(algorithm) || set_pss(parameters)) &&
      EVP_DigestVerify(context.get(), bytes_of(signature), signature.size(), bytes_of(text), text.size()) == 1;
  if (!good) ERR_clear_error();  // else it stays in the thread's queue, to be found by whoever looks next
  return good;
}

}  // namespace rushes::auth
