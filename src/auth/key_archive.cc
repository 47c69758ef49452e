#include "auth/key_archive.h"

#include "auth/token_cache.h"
#include "base/file.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/text.h"

#include <string_view>

namespace rushes::auth {

KeyArchive::KeyArchive(std::filesystem::path folder, const Clock& clock) : folder_(std::move(folder)), clock_(clock) {}

std::filesystem::path KeyArchive::file_of(const std::string& url) const {
  const auto digest = TokenCache::digest_of(url);
  return folder_ / (base64url_encode({reinterpret_cast<const char*>(digest.data()), 12}) + ".json");
}

void KeyArchive::keep(const std::string& url, const std::string& jwks) const {
  std::error_code failed;
  std::filesystem::create_directories(folder_, failed);
  std::filesystem::permissions(folder_, std::filesystem::perms::owner_all, failed);
  const json::object kept{{"url", url}, {"fetchedAt", to_millis(clock_.now())}, {"jwks", jwks}};
  const auto written = write_file_atomically(file_of(url), to_json_text(kept), 0600);
  if (!written) log::warning("auth", "the keys of {} are not kept for the next start: {}", url, written.error().what());
}

std::optional<KeyArchive::Kept> KeyArchive::find(const std::string& url) const {
  const auto text = read_file(file_of(url), 1UL << 20U);
  const auto kept = text ? parse_json(*text, 2) : Result<json::value>(text.error());
  const auto* members = kept ? kept->if_object() : nullptr;
  if (members == nullptr || string_member(*members, "url") != url) return std::nullopt;
  auto jwks = string_member(*members, "jwks");
  const auto at = int_member(*members, "fetchedAt");
  if (!jwks || !at) return std::nullopt;
  const auto age = clock_.now() - from_millis(*at);
  if (age < -std::chrono::hours(1) || age > kLongest) return std::nullopt;
  return Kept{std::move(*jwks), from_millis(*at)};
}

}  // namespace rushes::auth
