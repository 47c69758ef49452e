#pragma once
#include "box/door.h"

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace rushes::box::detail {

/// One name that is being resolved on a detached thread of its own: getaddrinfo can neither be cancelled nor given a
/// deadline, and one pool's thread that hangs would hold up every other name. The thread owns all that it touches, so
/// it may outlive the door and be overtaken by the process's exit.
///
/// Threads: thread-safe.
class Lookup {
 public:
  static constexpr int kMaxOfDoor = 8;       // at once; those that hang count until they end
  static constexpr int kMaxOfProcess = 256;  // with those that ended doors have left behind
  using Count = std::shared_ptr<std::atomic<int>>;

  /// Begins. Null when too many run, of this door (`running` is its count) or of the process.
  static std::shared_ptr<Lookup> start(Resolver resolver, std::string host, std::uint16_t port, Count running);

  /// A new descriptor that becomes readable once the lookup has ended. Invalid when the system has none left.
  FileDescriptor ended() const;
  /// What was found; call it once `ended()` is readable.
  std::vector<net::AddressFilter::Endpoint> take();

 private:
  Lookup() = default;

  FileDescriptor event_;
  std::mutex mutex_;
  std::vector<net::AddressFilter::Endpoint> found_;
};

/// What the system's resolver says, IPv4 and IPv6.
std::vector<net::AddressFilter::Endpoint> resolve_by_system(const std::string& host, std::uint16_t port);

}  // namespace rushes::box::detail
