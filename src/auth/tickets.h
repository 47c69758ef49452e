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
#include <unordered_map>
#include <unordered_set>

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
  static constexpr std::size_t kStreamsAMinute = 1'000;  // of one user

  /// `secret` signs the tickets; at least 256 random bits.
  Tickets(std::string secret, const Clock& clock, Rng& rng);

  /// A ticket of `holder` for `path`, as `net::Request::path` gives it.
  Ticket issue(const Identity& holder, TicketKind kind, std::string_view path);

  /// Who the ticket speaks for at `path`: with scope `read` at most, until six hours after its issue. A stream's ticket
  /// is used up.
  /// Errors: TOKEN_INVALID, TOKEN_EXPIRED; `exhausted` (TICKETS_LIMIT) past kStreamsAMinute of its user.
  Result<Identity> redeem(std::string_view text, std::string_view path);

 private:
  /// A stream's ticket that was used and has not expired.
  struct Used {
    Timestamp until;
    std::string id;
    UserId user;
  };

  Result<void> use_up(Used ticket);

  const std::string secret_;
  const Clock& clock_;
  Rng& rng_;
  const Timestamp started_at_;

  std::mutex mutex_;  // guards what follows
  std::unordered_set<std::string> used_;
  std::unordered_map<UserId, std::size_t> used_of_;  // of each user, how many of them
  std::deque<Used> in_order_;                        // of use
};

}  // namespace rushes::auth
