// How a Key is read from a JSON Web Key (RFC 7517; members by type: RFC 7518, 6; RFC 8037).
#include "auth/key.h"
#include "base/text.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

#include <algorithm>
#include <array>

namespace rushes::auth {
namespace {

using Number = std::unique_ptr<BIGNUM, decltype(&BN_free)>;
using Parameters = std::unique_ptr<OSSL_PARAM_BLD, decltype(&OSSL_PARAM_BLD_free)>;

Error unusable(std::string why) { return {Errc::invalid_argument, std::move(why)}; }

const unsigned char* bytes_of(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

/// The decoded member `name`; empty where it is absent, empty or not base64url.
std::string member_bytes(const json::object& jwk, std::string_view name) {
  const auto text = string_member(jwk, name);
  auto bytes = base64url_decode(text.value_or(""));
  return bytes ? std::move(*bytes) : std::string();
}

Number number(std::string_view bytes) {
  return {BN_bin2bn(bytes_of(bytes), static_cast<int>(bytes.size()), nullptr), BN_free};
}

PublicKey build(const char* type, const Parameters& described) {
  const std::unique_ptr<OSSL_PARAM, decltype(&OSSL_PARAM_free)> parameters(OSSL_PARAM_BLD_to_param(described.get()),
                                                                           OSSL_PARAM_free);
  const std::unique_ptr<EVP_PKEY_CTX, decltype(&EVP_PKEY_CTX_free)> context(
      EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr), EVP_PKEY_CTX_free);
  EVP_PKEY* key = nullptr;
  if (parameters && context && EVP_PKEY_fromdata_init(context.get()) == 1) {
    EVP_PKEY_fromdata(context.get(), &key, EVP_PKEY_PUBLIC_KEY, parameters.get());
  }
  ERR_clear_error();
  return {key, EVP_PKEY_free};
}

PublicKey rsa_key(const json::object& jwk) {
  const auto n = member_bytes(jwk, "n");
  const auto e = member_bytes(jwk, "e");
  if (n.empty() || e.empty()) return nullptr;
  const auto modulus = number(n);
  const auto exponent = number(e);
  const Parameters described(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_BN(described.get(), OSSL_PKEY_PARAM_RSA_N, modulus.get());
  OSSL_PARAM_BLD_push_BN(described.get(), OSSL_PKEY_PARAM_RSA_E, exponent.get());
  return build("RSA", described);
}

struct Curve {
  std::string_view name;  // as JOSE has it
  const char* group;      // as OpenSSL has it
  std::size_t coordinate_bytes;
};
constexpr std::array<Curve, 3> kCurves{
    {{"P-256", "prime256v1", 32}, {"P-384", "secp384r1", 48}, {"P-521", "secp521r1", 66}}};

const Curve* find_curve(std::string_view name) {
  const auto* found = std::find_if(kCurves.begin(), kCurves.end(), [&](const Curve& one) { return one.name == name; });
  return found == kCurves.end() ? nullptr : found;
}

PublicKey ec_key(const json::object& jwk, const Curve& curve) {
  const auto x = member_bytes(jwk, "x");
  const auto y = member_bytes(jwk, "y");
  if (x.size() != curve.coordinate_bytes || y.size() != curve.coordinate_bytes) return nullptr;
  const auto point = "\x04" + x + y;  // uncompressed (SEC 1, 2.3.3)
  const Parameters described(OSSL_PARAM_BLD_new(), OSSL_PARAM_BLD_free);
  OSSL_PARAM_BLD_push_utf8_string(described.get(), OSSL_PKEY_PARAM_GROUP_NAME, curve.group, 0);
  OSSL_PARAM_BLD_push_octet_string(described.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size());
  return build("EC", described);
}

PublicKey ed25519_key(const json::object& jwk) {
  const auto x = member_bytes(jwk, "x");
  PublicKey key(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes_of(x), x.size()), EVP_PKEY_free);
  ERR_clear_error();
  return key;
}

bool may_verify(const json::object& jwk) {
  if (const auto* use = jwk.if_contains("use"); use != nullptr && *use != "sig") return false;
  const auto* operations = jwk.if_contains("key_ops");
  if (operations == nullptr) return true;
  const auto* list = operations->if_array();
  return list != nullptr && std::find(list->begin(), list->end(), "verify") != list->end();
}

}  // namespace

Result<Key> Key::read_material(const json::object& jwk) {
  const auto type = string_member(jwk, "kty").value_or("");
  if (type == "oct") return unusable("is a secret (kty oct), which no key set may hold; see jwt_secret");
  if (jwk.contains("d")) return unusable("holds its private part (d); give the public one only");
  const auto curve = string_member(jwk, "crv").value_or("");
  PublicKey key;
  if (type == "RSA") {
    key = rsa_key(jwk);
  } else if (const auto* known = find_curve(curve); type == "EC" && known != nullptr) {
    key = ec_key(jwk, *known);
  } else if (type == "OKP" && curve == "Ed25519") {
    key = ed25519_key(jwk);
  } else {
    return unusable("is of a type that is not known here (kty '" + shorten(type, 20) + "', crv '" + shorten(curve, 20) +
                    "')");
  }
  if (!key) return unusable("is broken: a number of it is missing, or no number of its type");
  return from_public(std::move(key));
}

Result<Key> Key::from_jwk(const json::object& jwk) {
  if (!may_verify(jwk)) return unusable("is not for verifying signatures (use, key_ops)");
  auto key = read_material(jwk);
  if (!key) return key;
  if (const auto* named = jwk.if_contains("alg")) {
    const auto* name = named->if_string();
    const auto algorithm = name != nullptr ? parse_algorithm(*name) : std::nullopt;
    if (!algorithm || !key->allows(*algorithm)) return unusable("names an algorithm (alg) that it is not good for");
    key->allowed_ = AlgorithmSet(*algorithm);
  }
  if (const auto* id = jwk.if_contains("kid")) {
    if (!id->is_string()) return unusable("has an id (kid) that is not a text");
    key->id_ = id->get_string();
  }
  return key;
}

}  // namespace rushes::auth
