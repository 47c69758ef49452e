#pragma once
#include "base/clock.h"
#include "base/random.h"

#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace rushes {

/// A value with a meaning of its own: no JobId is ever taken for a UserId.
template <class T, class Tag>
class Strong {
 public:
  Strong() = default;
  explicit Strong(T value) : value_(std::move(value)) {}
  const T& value() const noexcept { return value_; }
  auto operator<=>(const Strong&) const = default;
  bool operator==(const Strong&) const = default;

 private:
  T value_{};
};

/// The subject of a token: `sub`, else `userId`, else `id`. Never empty.
using UserId = Strong<std::string, struct UserIdTag>;
/// A UUIDv7 in its usual text form.
using JobId = Strong<std::string, struct JobIdTag>;
/// A saved analysis; a UUIDv7.
using AuditId = Strong<std::string, struct AuditIdTag>;

/// A version 7 UUID (RFC 9562): the time in milliseconds, then random bits; later ones sort later.
std::string new_uuid(const Clock& clock, Rng& rng);

/// The 128 bits of a UUID: a quarter of its text.
struct Uuid {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  /// Nothing where `text` is none in lower-case text form.
  static std::optional<Uuid> parse(std::string_view text) noexcept;
  auto operator<=>(const Uuid&) const = default;
};

/// Whether `text` is a UUID of any version in lower-case text form.
bool is_uuid(std::string_view text) noexcept;

}  // namespace rushes

template <class T, class Tag>
struct std::hash<rushes::Strong<T, Tag>> {
  std::size_t operator()(const rushes::Strong<T, Tag>& id) const noexcept { return std::hash<T>{}(id.value()); }
};

/// Of UUIDs whose last bits are random, as those of versions 4 and 7 are.
template <>
struct std::hash<rushes::Uuid> {
  std::size_t operator()(const rushes::Uuid& id) const noexcept {
    return static_cast<std::size_t>(id.high * 31 + id.low);
  }
};
