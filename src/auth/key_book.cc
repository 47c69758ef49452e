#include "auth/key_book.h"

#include "auth/claims.h"
#include "auth/signature.h"

#include <utility>

namespace rushes::auth {
namespace {

constexpr std::chrono::minutes kUseGrain{1};

}  // namespace

void KeyBook::put(ApiKey key) {
  const std::lock_guard lock(mutex_);
  auto id = key.id;
  keys_.insert_or_assign(std::move(id), std::move(key));
}

void KeyBook::remove(const KeyId& id) {
  const std::lock_guard lock(mutex_);
  keys_.erase(id);
}

bool KeyBook::contains(const KeyId& id) const {
  const std::lock_guard lock(mutex_);
  return keys_.contains(id);
}

std::optional<UserId> KeyBook::owner(std::string_view text) const {
  const auto id = api_key_id(text);
  if (!id) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(KeyId(std::string(*id)));
  return found == keys_.end() ? std::nullopt : std::optional(found->second.user);
}

Result<Identity> KeyBook::find(std::string_view text, Timestamp now) {
  const auto id = api_key_id(text);
  if (!id) return token_invalid("it begins like an API key and does not have the form of one");
  const auto digest = digest_of_api_key(text);
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(KeyId(std::string(*id)));
  if (found == keys_.end() || !equal_in_constant_time(found->second.digest, digest)) {
    return token_invalid("there is no such API key, or it was revoked");
  }
  auto& key = found->second;
  if (key.expires_at && *key.expires_at <= now) {
    return Error::for_user(Errc::unauthenticated, "TOKEN_EXPIRED",
                           "The API key expired at " + to_rfc3339(*key.expires_at) + "; make another one.");
  }
  if (!key.last_used_at || now - *key.last_used_at >= kUseGrain) {
    key.last_used_at = now;
    uses_.emplace_back(key.id, now);
  }
  return key.identity();
}

std::optional<Timestamp> KeyBook::last_used(const KeyId& id) const {
  const std::lock_guard lock(mutex_);
  const auto found = keys_.find(id);
  return found == keys_.end() ? std::nullopt : found->second.last_used_at;
}

KeyBook::Uses KeyBook::take_uses() {
  const std::lock_guard lock(mutex_);
  return std::exchange(uses_, {});
}

}  // namespace rushes::auth
