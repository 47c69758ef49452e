#pragma once
#include "async/blocking_pool.h"
#include "async/gate.h"
#include "async/task.h"
#include "auth/key_ring.h"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <cstdint>

namespace rushes::auth {

struct RefreshOptions {
  std::chrono::milliseconds files_every{5'000};   // how soon a changed file is seen
  std::chrono::milliseconds urls_every{600'000};  // how often a URL is fetched
  std::chrono::milliseconds retry_after{2'000};   // how soon again when that fails; twice as long each time, ...
  std::chrono::milliseconds retry_most{30'000};   // ... up to this
  std::chrono::milliseconds asked_every{30'000};  // how often, at most, because a token names an unknown key
};

/// Keeps a KeyRing fresh: reads its sources again from time to time, and when a token names a key that is not
/// known. What blocks runs on the pool.
///
/// Threads:   its timers and counts belong to `executor`; `learn` may be called from any.
/// Lifetime:  `blocking` and `ring` outlive it; stopped before `executor` ends and before destruction.
class KeyRefresher {
 public:
  KeyRefresher(Executor executor, BlockingPool& blocking, KeyRing& ring, RefreshOptions options = RefreshOptions());
  KeyRefresher(const KeyRefresher&) = delete;
  KeyRefresher& operator=(const KeyRefresher&) = delete;

  /// Starts, where the ring has something that can change. On `executor`.
  void start();

  /// What came of asking.
  struct Answer {
    bool fresh = false;                  // every source was read, from after the call on
    std::chrono::milliseconds again{0};  // else: when they are read, or may be asked for, next
  };

  /// Returns when the sources have been read again, once for all who wait; at once where that was asked for less
  /// than `asked_every` ago and there is a URL among them: strangers' tokens must not make us knock at the issuer's all
  /// the time.
  Task<Answer> learn();

  /// Ends a fetch under way, and waits for it and for who waits in `learn`. On `executor`. Safe to call twice.
  Task<> stop();

 private:
  using TimePoint = std::chrono::steady_clock::time_point;

  struct End;

  Task<> run(Gate::Pass pass);
  Task<Answer> wait_for_round();

  const Executor executor_;
  BlockingPool& blocking_;
  KeyRing& ring_;
  const RefreshOptions options_;

  // On executor_ only.
  Gate gate_;
  asio::steady_timer wake_;   // the next round
  asio::steady_timer ended_;  // never fires; cancelled to wake `learn` after each round
  bool running_ = false;
  bool asked_ = false;              // for a round with URLs that starts from now on
  TimePoint may_ask_{};             // from then on
  TimePoint urls_due_{};            // the next round that nobody asked for
  bool answered_ = true;            // by all sources, in the last round with URLs
  std::uint64_t rounds_begun_ = 0;  // with URLs
  std::uint64_t rounds_ended_ = 0;
};

}  // namespace rushes::auth
