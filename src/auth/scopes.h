#pragma once
#include "base/result.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::auth {

/// What a credential may be used for. A JWT has all scopes; an API key has those that it was made with.
enum class Scope : std::uint8_t {
  read,    // the user's jobs, analyses, events, inbox
  submit,  // submits jobs; cancels, retries and restarts them
  manage,  // everything else: deletes, and changes webhooks, schedules and keys
};

std::string_view to_string(Scope scope) noexcept;

/// Some of the scopes.
class Scopes {
 public:
  constexpr Scopes() = default;
  template <class... More>
  constexpr explicit Scopes(Scope first, More... more) noexcept
      : bits_(static_cast<std::uint8_t>((bit(first) | ... | bit(more)))) {}

  static constexpr Scopes all() noexcept { return Scopes(Scope::read, Scope::submit, Scope::manage); }
  /// From `bits()`; unknown bits are dropped.
  static constexpr Scopes from_bits(std::int64_t bits) noexcept {
    Scopes scopes;
    scopes.bits_ = static_cast<std::uint8_t>(bits & all().bits_);
    return scopes;
  }

  constexpr bool contains(Scope scope) const noexcept { return (bits_ & bit(scope)) != 0; }
  constexpr bool contains_all(Scopes others) const noexcept { return (bits_ & others.bits_) == others.bits_; }
  constexpr bool empty() const noexcept { return bits_ == 0; }
  constexpr void add(Scope scope) noexcept { bits_ = static_cast<std::uint8_t>(bits_ | bit(scope)); }
  constexpr Scopes both(Scopes others) const noexcept { return from_bits(bits_ & others.bits_); }
  constexpr int bits() const noexcept { return bits_; }
  constexpr bool operator==(const Scopes&) const = default;

  /// Their names, in the order of Scope.
  std::vector<std::string_view> names() const;
  /// `read, submit`.
  std::string text() const;

 private:
  static constexpr int bit(Scope scope) noexcept { return 1 << static_cast<int>(scope); }

  std::uint8_t bits_ = 0;
};

/// Errors: `invalid_argument` (SCOPES_INVALID), naming the word and what is allowed.
Result<Scope> parse_scope(std::string_view name);

}  // namespace rushes::auth
