#include "auth/key_ring.h"

#include "base/file.h"
#include "base/log.h"

#include <algorithm>

namespace rushes::auth {
namespace {

using Kind = KeySource::Kind;

constexpr std::string_view allowed_for(Kind kind) noexcept {
  switch (kind) {
    case Kind::pem_file:
      return "a PEM file with one public key or certificate: RSA of 2048 bits or more, P-256, P-384, P-521 or Ed25519";
    case Kind::jwks_file:
    case Kind::jwks_url:
      return "a JWKS, as a file or an http or https URL, with one usable key or more";
    case Kind::secret:
      break;
  }
  return "any text";
}

// What a file system or a network does not say today it may say tomorrow.
bool may_pass(const KeySource& source, const Error& error) {
  return source.kind == Kind::jwks_url && (error.code() == Errc::unavailable || error.code() == Errc::timed_out);
}

Result<std::vector<Key>> parse(const KeySource& source, const std::string& text) {
  if (source.kind == Kind::secret) return std::vector<Key>{Key::from_secret(text)};
  if (source.kind == Kind::pem_file) {
    auto key = Key::from_pem(text);
    if (!key) return key.error();
    return std::vector<Key>{std::move(*key)};
  }
  auto jwks = parse_jwks(text);
  if (!jwks) return jwks.error();
  for (const auto& reason : jwks->left_out) log::warning("auth", "{}: left out: {}", source.name, reason);
  return std::move(jwks->keys);
}

}  // namespace

KeyRing::KeyRing(std::vector<KeySource> sources, FetchLimits limits, const KeyArchive* archive)
    : limits_(limits), archive_(archive) {
  for (auto& source : sources) sources_.push_back({std::move(source), {}, {}, {}});
}

Result<void> KeyRing::load() {
  for (auto& held : sources_) {
    const auto& source = held.source;
    const auto changed = read(held);
    if (changed) {
      if (source.kind != Kind::secret) log::info("auth", "{}: read keys={}", source.name, held.keys.size());
      continue;
    }
    if (recall(held, changed.error().what())) continue;
    const auto what = source.name + ": '" + source.value + "' " + changed.error().what();
    if (!may_pass(source, changed.error())) {
      return Error(Errc::invalid_argument, what + "; allowed: " + std::string(allowed_for(source.kind)));
    }
    held.complaint = changed.error().what();
    log::warning("auth", "{}; will try again", what);
  }
  publish();
  return {};
}

bool KeyRing::reload(bool urls) {
  bool any_changed = false;
  bool all_answered = true;
  for (auto& held : sources_) {
    const auto& source = held.source;
    if (source.kind == Kind::secret || (source.kind == Kind::jwks_url && !urls)) continue;
    const auto changed = read(held);
    if (!changed) {
      if (source.kind == Kind::jwks_url) all_answered = false;
      if (gives_up_ || held.complaint == changed.error().what()) continue;
      held.complaint = changed.error().what();
      log::warning("auth", "{}: '{}' {}; keeping those of before keys={}", source.name, source.value, held.complaint,
                   held.keys.size());
      continue;
    }
    held.complaint.clear();
    if (!*changed) continue;
    any_changed = true;
    log::info("auth", "{}: changed keys={}", source.name, held.keys.size());
  }
  if (any_changed) publish();
  return all_answered;
}

Result<bool> KeyRing::read(Held& held) const {
  const auto& source = held.source;
  auto text = source.kind == Kind::secret     ? Result<std::string>(source.value)
              : source.kind == Kind::jwks_url ? fetch_jwks(source.value, limits_, gives_up_)
                                              : read_file(source.value, limits_.max_bytes);
  if (!text) return text.error();
  const bool changed = *text != held.text;
  if (changed) {
    if (auto adopted = adopt(held, std::move(*text)); !adopted) return adopted.error();
  }
  if (source.kind == Kind::jwks_url && archive_ != nullptr) archive_->keep(source.value, held.text);
  return changed;
}

Result<void> KeyRing::adopt(Held& held, std::string text) const {
  auto keys = parse(held.source, text);
  if (!keys) return keys.error();
  for (auto& key : *keys) key.bind_to(held.source.issuer);
  held.text = std::move(text);
  held.keys = std::move(*keys);
  return {};
}

bool KeyRing::recall(Held& held, const std::string& why) const {
  if (held.source.kind != Kind::jwks_url || archive_ == nullptr) return false;
  auto kept = archive_->find(held.source.value);
  if (!kept || !adopt(held, std::move(kept->jwks))) return false;
  held.complaint = why;
  log::warning("auth", "{}: '{}' {}; using its keys of {} keys={}, and will try again", held.source.name,
               held.source.value, why, to_rfc3339(kept->fetched_at), held.keys.size());
  return true;
}

void KeyRing::publish() {
  std::vector<Key> all;
  for (const auto& held : sources_) all.insert(all.end(), held.keys.begin(), held.keys.end());
  complete_ = std::none_of(sources_.begin(), sources_.end(), [](const Held& held) { return held.keys.empty(); });
  auto keys = std::make_shared<const KeySet>(std::move(all));
  const std::lock_guard lock(mutex_);
  keys_ = std::move(keys);
}

KeyRing::Snapshot KeyRing::keys() const {
  const std::lock_guard lock(mutex_);
  return keys_;
}

bool KeyRing::is_fresh() const noexcept {
  return std::all_of(sources_.begin(), sources_.end(), [](const Held& held) { return held.complaint.empty(); });
}

bool KeyRing::has_url() const noexcept {
  return std::any_of(sources_.begin(), sources_.end(),
                     [](const Held& held) { return held.source.kind == Kind::jwks_url; });
}

bool KeyRing::can_change() const noexcept {
  return std::any_of(sources_.begin(), sources_.end(),
                     [](const Held& held) { return held.source.kind != Kind::secret; });
}

}  // namespace rushes::auth
