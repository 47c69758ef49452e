#pragma once
#include "async/task.h"

#include <boost/asio/steady_timer.hpp>

#include <cstddef>
#include <optional>
#include <utility>

namespace rushes {

/// Counts work in flight so that its owner can stop without leaving any behind.
///
/// A service enters the gate before it starts each piece of background work and holds the Pass
/// inside that work. `close()` refuses newcomers and resumes once the last Pass is gone; after it
/// returns, the owner may be destroyed.
///
/// Threads:   single-owner: every call, and every Pass, on the one thread of `executor`.
/// Lifetime:  outlives its Passes; the destructor asserts it.
class Gate {
 public:
  /// Proof of work in flight; leaves the gate when destroyed.
  class Pass {
   public:
    Pass(Pass&& other) noexcept : gate_(std::exchange(other.gate_, nullptr)) {}
    Pass& operator=(Pass&&) = delete;
    ~Pass() {
      if (gate_ != nullptr) gate_->leave();
    }

   private:
    friend class Gate;
    explicit Pass(Gate* gate) noexcept : gate_(gate) {}
    Gate* gate_;
  };

  explicit Gate(const Executor& executor);
  Gate(const Gate&) = delete;
  Gate& operator=(const Gate&) = delete;
  ~Gate();

  /// A Pass, or nothing once `close()` has been called.
  [[nodiscard]] std::optional<Pass> try_enter();

  /// Refuses newcomers and waits for the last Pass. Safe to call twice.
  Task<> close();

  bool closed() const noexcept { return closed_; }
  std::size_t in_flight() const noexcept { return in_flight_; }

 private:
  void leave() noexcept;

  std::size_t in_flight_ = 0;
  bool closed_ = false;
  asio::steady_timer emptied_;  // never fires; cancelled to wake close()
};

}  // namespace rushes
