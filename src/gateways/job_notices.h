#pragma once
#include "async/gate.h"
#include "gateways/silent_ranges.h"
#include "jobs/event.h"
#include "notifications/service.h"

#include <optional>
#include <span>
#include <vector>

namespace rushes::gateways {

/// What a job's event tells its owner's inbox; nothing for those that tell it nothing (progress, a
/// place in the queue).
std::optional<notifications::NewNotification> notice_of(const jobs::Event& event);

/// Follows the event log and files notices: each event's once, also after a crash, since where it
/// stands is stored with what it files.
///
/// Threads:  `publish` may be called from any thread; the rest runs on `executor`.
/// Lifetime: log and service outlive it; `stop()` before destruction.
class JobNotices {
 public:
  JobNotices(Executor executor, jobs::EventLog& log, notifications::Service& service);

  /// Files what was committed while nobody followed. Once, before the first `publish` matters.
  Task<> start();
  void publish(std::span<const jobs::Event> events);
  Task<> stop();

 private:
  Task<> file_all(Gate::Pass pass);

  const Executor executor_;
  jobs::EventLog& log_;
  notifications::Service& service_;
  SilentRanges silent_;

  // On executor_ only.
  Gate gate_;
  std::int64_t filed_ = 0;  // the last event that was dealt with
  bool running_ = false;
  bool more_ = false;
};

}  // namespace rushes::gateways
