#pragma once
#include "notifications/notification_store.h"

#include <functional>
#include <variant>

namespace rushes::notifications {

/// A notification is in the inbox; `unread` counts it in.
struct Added {
  Notification notification;
  std::int64_t unread = 0;
};
struct MarkedRead {
  UserId user;
  NotificationId id;
  std::int64_t unread = 0;
};
struct AllRead {
  UserId user;
};
/// To everyone, kept in no inbox.
struct Announced {
  NewNotification announcement;  // `user` is empty
};
using Change = std::variant<Added, MarkedRead, AllRead, Announced>;

/// What happens to inboxes, whoever asks for it, a socket, REST or a job's end: stored first, then
/// told to the one listener.
///
/// Threads:  thread-safe; resumes on the caller's executor, where the listener is called too.
/// Lifetime: the store outlives it; the listener is set before the first call.
/// Errors:   those of NotificationStore.
class Service {
 public:
  using Listener = std::function<void(const Change&)>;

  explicit Service(NotificationStore& store) : store_(store) {}

  void on_change(Listener listener) { listener_ = std::move(listener); }

  Task<Result<Notification>> add(NewNotification notification);
  Task<Result<void>> mark_read(UserId user, NotificationId id);
  Task<Result<void>> mark_all_read(UserId user);
  void announce(NewNotification announcement) { listener_(Announced{std::move(announcement)}); }

  /// As `NotificationStore::consume`: what an event of the log made, once.
  Task<Result<void>> consume(std::int64_t event_id, std::optional<NewNotification> notification);

  NotificationStore& store() { return store_; }

 private:
  Task<> tell_added(Notification notification);

  NotificationStore& store_;
  Listener listener_;
};

}  // namespace rushes::notifications
