#pragma once
#include "base/random.h"
#include "base/result.h"
#include "net/address_filter.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

namespace rushes::source {

/// An HTTP proxy on 127.0.0.1 for one child process: everything that the child fetches goes through the address
/// filter. It resolves each name once and connects to the address it checked, so neither a redirect nor a name
/// that changes its address (DNS rebinding) leads anywhere else.
///
/// It speaks CONNECT and absolute-form requests of every method; one request a connection for the latter. Who
/// does not know the random password of this instance gets 407.
///
/// Threads:  runs on a thread of its own; all methods are thread-safe.
/// Lifetime: the destructor closes every connection and joins the thread.
class FilteringProxy {
 public:
  struct Limits {
    std::size_t connections = 32;            // more wait to be accepted
    std::chrono::milliseconds idle{30'000};  // for a head, a connect, and between two reads
    std::uint64_t max_bytes = 0;             // received in all since `begin`; 0: no limit
  };

  /// Why something did not get through.
  enum class Trouble : std::uint8_t {
    refused_address,  // the filter said no
    unresolved,       // the name has no address
    unreachable,      // nobody accepts connections there
    too_many_bytes,   // `max_bytes` is used up; nothing passes until `begin`
  };
  struct Incident {
    Trouble trouble;
    std::string host;
    Error error;  // with words for the user
  };

  /// Listens on a free port. Errors: `unavailable` when that is not possible.
  static Result<std::unique_ptr<FilteringProxy>> start(net::AddressFilter filter, Limits limits, Rng& rng);
  virtual ~FilteringProxy() = default;

  /// `http://user:password@127.0.0.1:port`: a secret; for the child's environment, not for its command line, which
  /// every user of the machine can read.
  virtual std::string url() const = 0;
  virtual std::uint16_t port() const = 0;

  /// Starts a new account: no bytes, no incident. Call it before each child.
  virtual void begin(std::uint64_t max_bytes) = 0;
  /// The gravest incident since `begin`; of equals the latest. too_many_bytes, refused_address, then the others.
  virtual std::optional<Incident> incident() const = 0;
  /// Bytes received from outside since `begin`.
  virtual std::uint64_t received() const = 0;
};

}  // namespace rushes::source
