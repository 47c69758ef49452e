#pragma once
#include "auth/identity.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

#include <chrono>
#include <cstdint>
#include <deque>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>

namespace rushes::auth {

enum class TicketKind : std::uint8_t {
  stream,  // opens one stream, within a minute
  file,    // reads a file, as often as wanted
};

struct Ticket {
  std::string text;  // of a URL's query, without escapes
  Timestamp expires_at;
};

/// Makes and takes tickets: short-lived credentials in a URL, for clients that cannot send a header. A ticket is good
/// for reading one path.
///
/// It is signed and not stored, so that one for a file outlives a restart; which stream tickets were used is kept in
/// memory, and those from before the start are refused.
///
/// Threads: thread-safe.
class Tickets {
 public:
  static constexpr std::chrono::seconds kStreamLife{60};
  static constexpr std::chrono::hours kFileLife{6};

  /// `secret` signs the tickets; at least 256 random bits.
  Tickets(std::string secret, const Clock& clock, Rng& rng);

  /// A ticket of `holder` for `path`, as `net::Request::path` gives it.
  Ticket issue(const Identity& holder, TicketKind kind, std::string_view path);

  /// Who the ticket speaks for at `path`: with scope `read` at most, until six hours after its issue. A stream's ticket
  /// is used up.
  /// Errors: TOKEN_INVALID, TOKEN_EXPIRED; `unavailable` where too many were used within a minute.
  Result<Identity> redeem(std::string_view text, std::string_view path);

 private:
  Result<void> use_up(std::string id, Timestamp expires_at);

  const std::string secret_;
  const Clock& clock_;
  Rng& rng_;
  const Timestamp started_at_;

  std::mutex mutex_;  // guards what follows
  std::unordered_set<std::string> used_;
  std::deque<std::pair<Timestamp, std::string>> used_until_;  // in the order of use
};

}  // namespace rushes::auth
