#pragma once
#include "sqlite/connection.h"

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace rushes::store_sqlite {

/// A thread that makes commits durable while the writer is at the next: one sync for all that were handed over while
/// the last was under way.
///
/// Where the disk refuses it is tried again until it does not: a commit cannot be taken back.
///
/// Threads:  `push` and `wait_until_ready` from one, the others from any. Steps are called on its own, one at a time.
/// Lifetime: a step that was not called when it is destroyed is synced, and not called.
class LogSyncer {
 public:
  /// What comes after a commit.
  class Step {
   public:
    virtual ~Step() = default;
    /// It is durable, and so are those before it.
    virtual void durable() = 0;
    /// The disk has refused for as long as there is patience, and still does; `durable` may come yet. Maybe repeatedly.
    virtual void late(const sqlite::Failure& failure) = 0;
  };
  enum class Needs : std::uint8_t { sync, order };
  static constexpr std::chrono::seconds kPatience{5};

  /// `patience`: how long a step waits before it is told that it is late. Throws sqlite::Failure.
  explicit LogSyncer(const std::filesystem::path& file, std::chrono::milliseconds patience = kPatience);
  ~LogSyncer();
  LogSyncer(const LogSyncer&) = delete;
  LogSyncer& operator=(const LogSyncer&) = delete;

  /// Steps are called in the order in which they came. Some need no sync of their own, but their turn.
  void push(std::unique_ptr<Step> step, Needs needs);
  /// All steps were called.
  bool is_idle() const;
  /// Waits while a sync is under way and another is due, so that what gathers meanwhile shares the one after that. Not
  /// where the disk refuses.
  void wait_until_ready();
  /// Why what was committed is not durable. Nothing where it is or is about to be.
  std::optional<sqlite::Failure> failure() const;

 private:
  struct Waiting {
    std::unique_ptr<Step> step;
    Needs needs = Needs::sync;
    std::chrono::steady_clock::time_point late_at;
  };
  using Turn = std::vector<Waiting>;

  void run();
  /// Moves what waits to the turn. Under mutex_.
  void take(Turn& turn);
  /// Where it gives false the thread is to end, and the disk refuses.
  bool make_durable(Turn& turn);
  std::optional<sqlite::Failure> try_sync();
  static void tell_late(Turn& turn, const sqlite::Failure& failure);

  const std::chrono::milliseconds patience_;
  sqlite::Connection connection_;  // on thread_ only

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  Turn waiting_;
  bool sync_waits_ = false;  // for some of them
  bool busy_ = false;
  bool stopping_ = false;
  std::optional<sqlite::Failure> failure_;

  std::thread thread_;
};

}  // namespace rushes::store_sqlite
