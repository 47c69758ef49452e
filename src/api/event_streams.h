#pragma once
#include "async/task.h"
#include "jobs/event.h"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <unordered_map>
#include <vector>

namespace rushes::api {

class EventStreams;

/// Collects what is told of one job, for one reader, within bounds: where some wait, newer progress replaces older,
/// and who falls too far behind reads the log again.
///
/// Threads:   all on its executor, but what EventStreams puts in.
/// Lifetime:  its EventStreams outlives it.
class Follower {
 public:
  using TimePoint = std::chrono::steady_clock::time_point;
  using Events = std::deque<std::shared_ptr<const jobs::Event>>;

  Follower(EventStreams& streams, JobId job, const Executor& executor);
  Follower(const Follower&) = delete;
  Follower& operator=(const Follower&) = delete;
  ~Follower();

  struct Taken {
    Events events;        // in the order of the log
    bool missed = false;  // there were more: all that was told before now is to be read in the log
  };
  /// What came since the last time.
  Taken take();

  /// Resumes when something has come, at `until`, or by `wake`; now and then without a reason.
  Task<> wait(TimePoint until);
  void wake() { timer_->cancel(); }

 private:
  friend class EventStreams;
  /// On the publisher's thread.
  void put(const std::shared_ptr<const jobs::Event>& event);

  EventStreams& streams_;
  const JobId job_;
  const Executor executor_;
  const std::shared_ptr<asio::steady_timer> timer_;  // on the executor; shared with a wake-up under way

  std::mutex mutex_;  // guards what follows
  Taken waiting_;
  std::size_t bytes_ = 0;
  bool wake_posted_ = false;
};

/// Takes the event log's news to those who follow a job.
///
/// Threads:   `publish` from any thread, one call at a time, in the order of the log; it waits for nothing but short
/// locks.
class EventStreams {
 public:
  EventStreams() = default;
  EventStreams(const EventStreams&) = delete;
  EventStreams& operator=(const EventStreams&) = delete;

  void publish(std::span<const jobs::Event> events);
  /// Has all followers look again whether they may go on. Threads: any.
  void wake_all();
  std::size_t followers() const noexcept { return count_.load(std::memory_order_relaxed); }

 private:
  friend class Follower;
  void add(Follower& follower);
  void remove(Follower& follower);

  std::atomic<std::size_t> count_{0};
  std::mutex mutex_;
  std::unordered_map<JobId, std::vector<Follower*>> followers_;  // under mutex_
};

}  // namespace rushes::api
