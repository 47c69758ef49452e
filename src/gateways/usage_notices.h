#pragma once
#include "async/gate.h"
#include "async/task.h"
#include "jobs/storage.h"
#include "notifications/service.h"

#include <cstdint>

namespace rushes::gateways {

/// The notification, of type `usage`, that a user is sent at 80 and 100 % of its quota.
notifications::NewNotification usage_notice(const jobs::UsageStep& step, std::int64_t quota);

/// Sends users notifications of what their uploads and results take.
///
/// Threads:  `tell` may be called from any thread; the rest runs on `executor`.
/// Lifetime: the service outlives it; `stop()` before destruction.
class UsageNotices {
 public:
  UsageNotices(Executor executor, notifications::Service& service, std::int64_t quota)
      : executor_(executor), service_(service), quota_(quota), gate_(executor) {}

  void tell(jobs::UsageStep step);
  Task<> stop() { return gate_.close(); }

 private:
  Task<> send(notifications::NewNotification notice, Gate::Pass pass);

  const Executor executor_;
  notifications::Service& service_;
  const std::int64_t quota_;
  Gate gate_;  // on executor_ only
};

}  // namespace rushes::gateways
