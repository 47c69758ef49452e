#include "auth/key_set.h"

#include "auth/jose_json.h"
#include "base/text.h"

#include <algorithm>

namespace rushes::auth {
namespace {

// A token without `kid` is tried with each of them.
constexpr std::size_t kMostKeys = 100;

Error unusable(std::string why) { return {Errc::invalid_argument, std::move(why)}; }

std::string name_of(const json::value& jwk, std::size_t index) {
  const auto* object = jwk.if_object();
  const auto id = object != nullptr ? string_member(*object, "kid") : std::nullopt;
  return id ? "key '" + shorten(*id, 60) + "'" : "key " + std::to_string(index + 1);
}

}  // namespace

std::vector<const Key*> KeySet::find(std::string_view kid, Algorithm algorithm) const {
  std::vector<const Key*> found;
  for (const auto& key : keys_) {
    const bool may_be_it = kid.empty() || key.id().empty() || key.id() == kid;
    if (may_be_it && key.allows(algorithm)) found.push_back(&key);
  }
  return found;
}

bool KeySet::knows(std::string_view kid) const noexcept {
  return std::any_of(keys_.begin(), keys_.end(), [&](const Key& key) { return key.id() == kid; });
}

Result<Jwks> parse_jwks(std::string_view text) {
  auto document = parse_unique(text);
  if (!document) return unusable("is not a JWKS: " + document.error().what());
  json::array listed;
  if (auto* keys = document->if_contains("keys"); keys != nullptr && keys->is_array()) {
    listed = std::move(keys->get_array());
  } else if (document->contains("kty")) {
    listed.emplace_back(std::move(*document));
  } else {
    return unusable("is not a JWKS: it has no list 'keys'");
  }
  if (listed.size() > kMostKeys) return unusable("holds more than " + std::to_string(kMostKeys) + " keys");

  Jwks jwks;
  std::string reasons;
  for (std::size_t i = 0; i < listed.size(); ++i) {
    const auto* jwk = listed[i].if_object();
    auto key = jwk != nullptr ? Key::from_jwk(*jwk) : unusable("is not a JSON object");
    if (key) {
      jwks.keys.push_back(std::move(*key));
    } else {
      jwks.left_out.push_back(name_of(listed[i], i) + " " + key.error().what());
      reasons += (reasons.empty() ? ": " : "; ") + jwks.left_out.back();
    }
  }
  if (jwks.keys.empty()) return unusable("holds no key that can be used" + shorten(reasons, 400));
  return jwks;
}

}  // namespace rushes::auth
