#include "auth/token_cache.h"

#include <openssl/evp.h>

#include <algorithm>
#include <stdexcept>
#include <utility>

namespace rushes::auth {

TokenCache::TokenCache(std::size_t capacity) : per_generation_(std::max<std::size_t>(capacity / kParts / 2, 1)) {}

TokenCache::Digest TokenCache::digest_of(std::string_view token) {
  static const EVP_MD* const sha256 = EVP_MD_fetch(nullptr, "SHA2-256", nullptr);
  Digest digest{};
  // Without one all tokens would be the same.
  if (sha256 == nullptr || EVP_Digest(token.data(), token.size(), digest.data(), nullptr, sha256, nullptr) != 1) {
    throw std::runtime_error("OpenSSL: no SHA-256");
  }
  return digest;
}

std::optional<Identity> TokenCache::find(const Digest& token, const KeyRing::Snapshot& keys) {
  auto& part = part_of(token);
  const std::lock_guard lock(part.mutex);
  if (part.keys != keys) return std::nullopt;
  if (const auto found = part.young.find(token); found != part.young.end()) return found->second;
  const auto found = part.old.find(token);
  if (found == part.old.end()) return std::nullopt;
  auto identity = std::move(found->second);
  part.old.erase(found);
  keep(part, token, identity);
  return identity;
}

void TokenCache::put(const Digest& token, const KeyRing::Snapshot& keys, const Identity& identity) {
  auto& part = part_of(token);
  const std::lock_guard lock(part.mutex);
  if (part.keys != keys) {
    part.young.clear();
    part.old.clear();
    part.keys = keys;
  }
  keep(part, token, identity);
}

void TokenCache::keep(Part& part, const Digest& token, Identity identity) const {
  if (part.young.size() >= per_generation_) part.old = std::exchange(part.young, {});
  part.young.insert_or_assign(token, std::move(identity));
}

std::size_t TokenCache::size() {
  std::size_t size = 0;
  for (auto& part : parts_) {
    const std::lock_guard lock(part.mutex);
    size += part.young.size() + part.old.size();
  }
  return size;
}

}  // namespace rushes::auth
