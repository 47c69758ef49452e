#pragma once
#include "async/task.h"
#include "base/file.h"
#include "net/loop.h"

#include <sys/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>

namespace rushes::net {

/// A connected socket as one coroutine uses it: `receive` and its owner's own writes never block, `readable` and
/// `writable` wait until the next one may do something.
///
/// It enters the loop's epoll set once, edge-triggered. So to wait for input costs no system call, and nothing is read
/// in vain only to learn that there is nothing.
///
/// Threads:   the loop's.
/// Lifetime:  the loop outlives it; it goes when nobody waits.
class AsyncSocket final : Loop::Watched {
 public:
  AsyncSocket(Loop& loop, FileDescriptor fd);
  AsyncSocket(const AsyncSocket&) = delete;
  AsyncSocket& operator=(const AsyncSocket&) = delete;
  ~AsyncSocket();

  int fd() const noexcept { return fd_.get(); }

  /// recv(2), without waiting.
  ssize_t receive(std::span<char> into);
  /// Whether `receive` may give something now.
  bool may_receive() const noexcept { return may_receive_; }
  /// True once `receive` may give something: bytes, the end or an error. False: cancelled. One wait at a time.
  Task<bool> readable();
  /// The same of writes.
  Task<bool> writable();
  /// Ends the wait, later in this turn.
  void cancel();

  /// Calls `seen` once, when `receive` may give something, also while `writable` waits. Empty: no more.
  void watch(std::function<void()> seen);

  /// The descriptor goes to another owner; nothing else is done with this afterwards.
  FileDescriptor release();

 private:
  struct Waiter {
    virtual ~Waiter() = default;
    virtual void wake(bool ready) = 0;
  };

  void on_events(std::uint32_t events) override;
  Task<bool> wait_for(std::uint32_t events);

  Loop& loop_;
  FileDescriptor fd_;
  std::unique_ptr<Waiter> waiter_;
  std::uint32_t awaited_ = 0;  // events, one of which wakes it
  std::function<void()> seen_;
  bool may_receive_ = false;
  bool ended_ = false;  // the peer's end or an error was told, which is told once
};

}  // namespace rushes::net
