#include "auth/key.h"

#include "base/text.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace rushes::auth {
namespace {

constexpr int kLeastRsaBits = 2048;  // RFC 7518, 3.3
constexpr int kMostRsaBits = 8192;   // each verification costs by the square

Error unusable(std::string why) { return {Errc::invalid_argument, std::move(why)}; }

/// Of an elliptic curve's key; none for a curve that JOSE does not know.
AlgorithmSet allowed_on_curve(const evp_pkey_st* key) {
  char group[32];
  std::size_t length = 0;
  if (EVP_PKEY_get_group_name(key, group, sizeof group, &length) != 1) return {};
  const std::string_view name(group, length);
  if (name == "prime256v1") return AlgorithmSet(Algorithm::es256);
  if (name == "secp384r1") return AlgorithmSet(Algorithm::es384);
  return name == "secp521r1" ? AlgorithmSet(Algorithm::es512) : AlgorithmSet();
}

// One PEM block's label (`PUBLIC KEY`); empty where there is none.
std::string_view label_at(std::string_view pem, std::size_t from = 0) {
  constexpr std::string_view kBegin = "-----BEGIN ";
  const auto begin = pem.find(kBegin, from);
  if (begin == std::string_view::npos) return {};
  const auto label = pem.substr(begin + kBegin.size());
  const auto end = label.find("-----");
  return end == std::string_view::npos ? std::string_view() : label.substr(0, end);
}

PublicKey read_pem(std::string_view pem, bool certificate) {
  const std::unique_ptr<BIO, decltype(&BIO_free)> bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())),
                                                      BIO_free);
  if (!certificate) return {PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr), EVP_PKEY_free};
  const std::unique_ptr<X509, decltype(&X509_free)> holder(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr),
                                                           X509_free);
  return {holder ? X509_get_pubkey(holder.get()) : nullptr, EVP_PKEY_free};
}

}  // namespace

Key Key::from_secret(std::string secret) {
  Key key;
  key.allowed_ = AlgorithmSet(Algorithm::hs256, Algorithm::hs384, Algorithm::hs512);
  key.secret_ = std::move(secret);
  return key;
}

Result<Key> Key::from_pem(std::string_view pem) {
  const auto label = label_at(pem);
  if (label.empty()) return unusable("holds no PEM block");
  if (label.ends_with("PRIVATE KEY")) {
    return unusable("holds a private key; give its public one: openssl pkey -in KEY -pubout");
  }
  const bool certificate = label == "CERTIFICATE";
  if (!certificate && label != "PUBLIC KEY" && label != "RSA PUBLIC KEY") {
    return unusable("holds a '" + std::string(label) + "', neither a public key nor a certificate");
  }
  const auto first = static_cast<std::size_t>(label.data() - pem.data());
  if (!label_at(pem, first).empty()) return unusable("holds more than one PEM block");
  auto key = read_pem(pem, certificate);
  ERR_clear_error();
  if (!key) return unusable("holds a '" + std::string(label) + "' that cannot be read");
  return from_public(std::move(key));
}

Result<Key> Key::from_public(PublicKey given) {
  Key key;
  if (EVP_PKEY_is_a(given.get(), "RSA") == 1) {
    const int bits = EVP_PKEY_get_bits(given.get());
    if (bits < kLeastRsaBits || bits > kMostRsaBits) {
      return unusable("is an RSA key of " + std::to_string(bits) + " bits, where " + std::to_string(kLeastRsaBits) +
                      " to " + std::to_string(kMostRsaBits) + " are taken");
    }
    using enum Algorithm;
    key.allowed_ = AlgorithmSet(rs256, rs384, rs512, ps256, ps384, ps512);
  } else if (EVP_PKEY_is_a(given.get(), "EC") == 1 && !allowed_on_curve(given.get()).empty()) {
    key.allowed_ = allowed_on_curve(given.get());
  } else if (EVP_PKEY_is_a(given.get(), "ED25519") == 1) {
    key.allowed_ = AlgorithmSet(Algorithm::eddsa);
  } else {
    return unusable("is of no type that is known here: RSA, P-256, P-384, P-521, Ed25519");
  }
  // A point that is not on its curve, an even exponent or one of 1: anyone could sign.
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> check(
      EVP_PKEY_CTX_new_from_pkey(nullptr, given.get(), nullptr), EVP_PKEY_CTX_free);
  if (!check || EVP_PKEY_public_check(check.get()) != 1) {
    ERR_clear_error();
    return unusable("is a broken key: its numbers do not fit its type");
  }
  key.public_ = std::move(given);
  return key;
}

bool Key::verify(Algorithm algorithm, std::string_view text, std::string_view signature) const {
  if (!allows(algorithm)) return false;
  if (public_) return verify_signature(algorithm, public_, text, signature);
  return equal_in_constant_time(signature, hmac(algorithm, secret_, text));
}

}  // namespace rushes::auth
