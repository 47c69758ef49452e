#pragma once
#include "jobs/event.h"

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>

namespace rushes::gateways {

/// Which stretches of the event log tell a follower nothing, so that it need not read them: most of what is told is
/// progress, or that jobs are queued.
///
/// Threads: thread-safe; `publish` one call at a time, in the order of the log.
class SilentRanges {
 public:
  using Tells = bool (*)(const jobs::Event& event);

  /// Whether any of the events tells the follower something, by `tells`.
  bool publish(std::span<const jobs::Event> events, Tells tells);
  /// From where a follower goes on that has dealt with all up to `at`.
  std::int64_t skip(std::int64_t at);

 private:
  struct Range {
    std::int64_t after = 0;  // the last event before it
    std::int64_t upto = 0;
  };

  std::mutex mutex_;          // guards what follows
  std::deque<Range> ranges_;  // in order; what is not in it is read
  std::int64_t last_ = 0;     // that was published; 0: none
};

}  // namespace rushes::gateways
