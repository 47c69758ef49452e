#pragma once
#include "async/task.h"
#include "notifications/model.h"

#include <optional>
#include <vector>

namespace rushes::notifications {

/// Which of a user's notifications, newest first.
struct ListQuery {
  std::optional<Type> type;
  std::optional<bool> read;
  int limit = 20;  // 1..100
  int offset = 0;
};

struct ListPage {
  std::vector<Notification> notifications;
  std::int64_t total = 0;
};

/// The users' inboxes. One implementation per database.
///
/// It also keeps where the consumer of the event log stands (`consume`), in the same transaction as
/// what the event made: after a crash no event is told twice and none is left out.
///
/// Threads:  safe to call from any executor; resumes on the caller's.
/// Errors:   `unavailable` from any method; another user's notification is `not_found`.
class NotificationStore {
 public:
  virtual ~NotificationStore() = default;

  virtual Task<Result<Notification>> add(NewNotification notification) = 0;

  /// Records that the event `event_id` was dealt with, and adds what it made, if anything. An event at
  /// or below the recorded one adds nothing and gives nothing.
  virtual Task<Result<std::optional<Notification>>> consume(std::int64_t event_id,
                                                            std::optional<NewNotification> notification) = 0;
  /// The last event dealt with; 0 at first.
  virtual Task<Result<std::int64_t>> consumed() = 0;

  virtual Task<Result<std::int64_t>> unread_count(UserId user) = 0;
  virtual Task<Result<ListPage>> list(UserId user, ListQuery query) = 0;
  virtual Task<Result<void>> mark_read(UserId user, NotificationId id) = 0;
  virtual Task<Result<void>> mark_all_read(UserId user) = 0;
};

}  // namespace rushes::notifications
