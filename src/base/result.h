#pragma once
#include <boost/assert/source_location.hpp>
#include <boost/system/result.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace rushes {

/// The closed list of reasons a caller may branch on. Each has one row in the
/// table of base/error.cc: HTTP status, public name, and whether trying again may help.
enum class Errc : std::uint8_t {
  malformed,         // cannot be read at all: not JSON, not a packet
  invalid_argument,  // readable, but can never succeed as sent
  unauthenticated,   // no valid token
  forbidden,         // a valid token without the right
  not_found,         // there is none, or not for this user
  conflict,          // the state moved on: duplicate key, wrong job state
  lease_lost,        // another worker owns the job now; drop the work
  too_large,         // over a size limit
  unsupported,       // a format or type that we do not read
  exhausted,         // a quota or rate limit is used up
  unavailable,       // a backend is away; trying again later may succeed
  timed_out,         // a deadline passed
  cancelled,         // somebody asked for it to stop
  internal,          // a bug or a broken host; logged, never retried blindly
};

/// Why an operation did not happen.
///
/// `what()` speaks to operators and goes to the log. Users see `public_name()` and
/// `public_message()` only: where no own words were given they are the general ones of the code,
/// so that nothing internal leaks by accident.
class Error {
 public:
  Error() = default;  // boost::system::result and co_spawn need one
  Error(Errc code, std::string what) : code_(code), what_(std::move(what)) {}

  /// An error with words for the user: `name` is stable and machine-readable
  /// (`TRANSCRIPT_EMPTY`), `message` one sentence that names the value and the remedy.
  static Error for_user(Errc code, std::string name, std::string message);

  Errc code() const noexcept { return code_; }
  const std::string& what() const noexcept { return what_; }
  std::string_view public_name() const noexcept;
  std::string_view public_message() const noexcept;
  /// Whether the same request may succeed later without a change.
  bool retryable() const noexcept;
  int http_status() const noexcept;

 private:
  Errc code_ = Errc::internal;
  std::string what_;
  std::string name_;  // empty: the code's own
};

/// A value or an Error. Test it before reading it; never discard one.
template <class T>
using Result = boost::system::result<T, Error>;

/// Called by `Result::value()` on an error (found by argument-dependent lookup); throws std::runtime_error.
[[noreturn]] void throw_exception_from_error(const Error& error, const boost::source_location& where);

}  // namespace rushes
