#pragma once
#include "base/file.h"
#include "base/random.h"
#include "base/result.h"
#include "net/address_filter.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace rushes::box {

/// Gives the endpoints that `host` stands for, none where it has none. BLOCKING; called on a thread of its own, which
/// may outlive the door: whatever it captures must be its own.
using Resolver = std::function<std::vector<net::AddressFilter::Endpoint>(const std::string& host, std::uint16_t port)>;

/// What one stage of a job may reach, and how much of it.
struct DoorPolicy {
  net::AddressFilter filter = net::AddressFilter();
  // Received from outside over the door's whole life; 0: no limit. It counts what nobody inside has read yet, too: some
  // MiB that the sockets hold.
  std::uint64_t max_bytes = 0;
  // Sent outside over its whole life; 0: no limit. A fetch asks for things: what sends more than that attacks somebody.
  std::uint64_t max_sent_bytes = 0;
  std::chrono::steady_clock::time_point deadline = std::chrono::steady_clock::time_point::max();
  std::size_t connections = 32;            // more wait to be accepted
  std::chrono::milliseconds idle{30'000};  // for a head, a lookup, a connect, and between two reads
  Resolver resolver = nullptr;             // empty: the system's
};

/// The only way out of a box: an HTTP proxy on a socket that listens inside, served by a process outside.
///
/// It speaks CONNECT and absolute-form requests of every method, one request a connection for the latter. It resolves
/// each name once and connects to the address that passed the filter, so neither a redirect nor a name that changes
/// its address (DNS rebinding) leads anywhere else. A request without the random password of this door gets 407.
/// Answers to absolute-form requests are asked for, and passed on, uncompressed only, so that the budget of bytes
/// counts what the reader will hold. What passes through CONNECT cannot be seen: there the box's limit of memory holds.
///
/// Nothing inside changes the policy or its budget. `GET /incident` (see door_report.h) tells what did not get through.
///
/// Threads:  runs on a thread of its own; all methods are thread-safe.
/// Lifetime: the destructor closes every connection before it returns. It waits for no peer and no lookup, so it may be
///           called on an event loop. A lookup that hangs keeps a thread until it ends, but nothing of the door's.
class Door {
 public:
  /// Takes over `listener`, a listening TCP socket (IPv4) of any network namespace.
  /// Errors: `invalid_argument` when it is none; `unavailable` when no thread can be started.
  static Result<std::unique_ptr<Door>> open(FileDescriptor listener, DoorPolicy policy, Rng& rng);
  virtual ~Door() = default;

  /// `http://rushes:PASSWORD@127.0.0.1:PORT`: a secret; for the box's environment, not for a command line, which every
  /// user of the machine can read.
  virtual std::string url() const = 0;
  /// Bytes received from outside so far.
  virtual std::uint64_t received() const = 0;
};

}  // namespace rushes::box
