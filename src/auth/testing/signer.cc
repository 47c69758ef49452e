#include "auth/testing/signer.h"

#include "base/json_writer.h"
#include "base/text.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <algorithm>
#include <stdexcept>

namespace rushes::auth::testing {
namespace {

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

void require(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("OpenSSL: ") + what);
}

std::string der_to_raw(const std::string& der, std::size_t half) {
  const auto* at = bytes_of(der);
  ECDSA_SIG* pair = d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(der.size()));
  require(pair != nullptr, "d2i_ECDSA_SIG");
  std::string raw(2 * half, '\0');
  auto* to = reinterpret_cast<unsigned char*>(raw.data());
  BN_bn2binpad(ECDSA_SIG_get0_r(pair), to, static_cast<int>(half));
  BN_bn2binpad(ECDSA_SIG_get0_s(pair), to + half, static_cast<int>(half));
  ECDSA_SIG_free(pair);
  return raw;
}

// Larger curves than P-256 by their algorithm; others than JOSE's have no use here but to be refused.
std::size_t coordinate_bytes(std::string_view algorithm) {
  if (algorithm == "ES384") return 48;
  return algorithm == "ES512" ? 66 : 32;
}

const EVP_MD* digest_of(std::string_view algorithm) {
  if (algorithm.starts_with("Ed")) return nullptr;
  if (algorithm.ends_with("384")) return EVP_sha384();
  return algorithm.ends_with("512") ? EVP_sha512() : EVP_sha256();
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string text(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return text;
}

}  // namespace

Signer::Signer(evp_pkey_st* key, std::string algorithm, std::string kid)
    : key_(key, EVP_PKEY_free), algorithm_(std::move(algorithm)), kid_(std::move(kid)) {
  require(key != nullptr, "no key");
}

Signer Signer::rsa(std::string kid, unsigned bits) {
  return {EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(bits)), "RS256", std::move(kid)};
}
Signer Signer::ec(std::string kid, const char* curve) {
  const std::string_view name(curve);
  const auto* algorithm = name == "P-384" ? "ES384" : name == "P-521" ? "ES512" : "ES256";
  return {EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve), algorithm, std::move(kid)};
}
Signer Signer::ed25519(std::string kid) {
  return {EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"), "EdDSA", std::move(kid)};
}

Signer Signer::with(std::string algorithm) const {
  auto other = *this;
  other.algorithm_ = std::move(algorithm);
  return other;
}

std::string Signer::signature(std::string_view text) const {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  EVP_PKEY_CTX* parameters = nullptr;
  require(EVP_DigestSignInit(context, &parameters, digest_of(algorithm_), nullptr, key_.get()) == 1,
          "EVP_DigestSignInit");
  if (is("PS")) {
    require(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) == 1, "PSS");
    require(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, RSA_PSS_SALTLEN_DIGEST) == 1, "salt");
  }
  std::size_t size = 0;
  require(EVP_DigestSign(context, nullptr, &size, bytes_of(text), text.size()) == 1, "EVP_DigestSign");
  std::string made(size, '\0');
  auto* to = reinterpret_cast<unsigned char*>(made.data());
  require(EVP_DigestSign(context, to, &size, bytes_of(text), text.size()) == 1, "EVP_DigestSign");
  EVP_MD_CTX_free(context);
  made.resize(size);
  return is("ES") ? der_to_raw(made, coordinate_bytes(algorithm_)) : made;
}

std::string Signer::sign(const json::object& claims, const json::object& more) const {
  json::object header{{"alg", algorithm_}, {"typ", "JWT"}};
  if (!kid_.empty()) header["kid"] = kid_;
  for (const auto& member : more) header[member.key()] = member.value();
  const auto text = base64url_encode(to_json_text(header)) + "." + base64url_encode(to_json_text(claims));
  return text + "." + base64url_encode(signature(text));
}

std::string Signer::number(const char* name, std::size_t at_least) const {
  BIGNUM* value = nullptr;
  require(EVP_PKEY_get_bn_param(key_.get(), name, &value) == 1, name);
  std::string bytes(std::max(static_cast<std::size_t>(BN_num_bytes(value)), at_least), '\0');
  BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  BN_free(value);
  return base64url_encode(bytes);
}

json::object Signer::jwk(const json::object& more) const {
  json::object jwk{{"alg", algorithm_}, {"use", "sig"}};
  if (!kid_.empty()) jwk["kid"] = kid_;
  if (is("RS") || is("PS")) {
    jwk["kty"] = "RSA";
    jwk["n"] = number(OSSL_PKEY_PARAM_RSA_N);
    jwk["e"] = number(OSSL_PKEY_PARAM_RSA_E);
  } else if (is("ES")) {
    jwk["kty"] = "EC";
    jwk["crv"] = is("ES256") ? "P-256" : is("ES384") ? "P-384" : "P-521";
    jwk["x"] = number(OSSL_PKEY_PARAM_EC_PUB_X, coordinate_bytes(algorithm_));
    jwk["y"] = number(OSSL_PKEY_PARAM_EC_PUB_Y, coordinate_bytes(algorithm_));
  } else {
    std::size_t size = 32;
    std::string raw(size, '\0');
    EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(raw.data()), &size);
    jwk["kty"] = "OKP";
    jwk["crv"] = "Ed25519";
    jwk["x"] = base64url_encode(raw);
  }
  for (const auto& member : more) {
    jwk[member.key()] = member.value();
    if (member.value().is_null()) jwk.erase(member.key());
  }
  return jwk;
}

std::string Signer::public_pem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(bio, key_.get());
  return text_of(bio);
}

std::string Signer::private_pem() const {
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key_.get(), nullptr, nullptr, 0, nullptr, nullptr);
  return text_of(bio);
}

std::string Signer::certificate_pem() const {
  X509* certificate = X509_new();
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key_.get());
  require(X509_sign(certificate, key_.get(), digest_of(algorithm_)) > 0, "X509_sign");
  BIO* bio = BIO_new(BIO_s_mem());
  PEM_write_bio_X509(bio, certificate);
  X509_free(certificate);
  return text_of(bio);
}

}  // namespace rushes::auth::testing
