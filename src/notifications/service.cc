#include "notifications/service.h"

namespace rushes::notifications {

Task<> Service::tell_added(Notification notification) {
  const auto unread = co_await store_.unread_count(notification.content.user);
  listener_(Added{std::move(notification), unread ? *unread : 1});
}

Task<Result<Notification>> Service::add(NewNotification notification) {
  auto added = co_await store_.add(std::move(notification));
  if (added) co_await tell_added(*added);
  co_return added;
}

Task<Result<void>> Service::consume(std::int64_t event_id, std::optional<NewNotification> notification) {
  auto added = co_await store_.consume(event_id, std::move(notification));
  if (!added) co_return added.error();
  if (*added) co_await tell_added(std::move(**added));
  co_return Result<void>();
}

Task<Result<void>> Service::mark_read(UserId user, NotificationId id) {
  const auto marked = co_await store_.mark_read(user, id);
  if (!marked) co_return marked.error();
  const auto unread = co_await store_.unread_count(user);
  if (!unread) co_return unread.error();
  listener_(MarkedRead{std::move(user), std::move(id), *unread});
  co_return Result<void>();
}

Task<Result<void>> Service::mark_all_read(UserId user) {
  const auto marked = co_await store_.mark_all_read(user);
  if (!marked) co_return marked.error();
  listener_(AllRead{std::move(user)});
  co_return Result<void>();
}

}  // namespace rushes::notifications
