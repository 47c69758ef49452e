#pragma once
#include "notifications/notification_store.h"
#include "store_sqlite/readers.h"
#include "store_sqlite/writer.h"

namespace rushes::store_sqlite {

/// The inboxes in SQLite.
class SqliteNotificationStore final : public notifications::NotificationStore {
 public:
  SqliteNotificationStore(Readers& readers, Writer& writer, const Clock& clock, Rng& rng)
      : readers_(readers), writer_(writer), clock_(clock), rng_(rng) {}

  Task<Result<notifications::Notification>> add(notifications::NewNotification notification) override;
  Task<Result<std::optional<notifications::Notification>>> consume(
      std::int64_t event_id, std::optional<notifications::NewNotification> notification) override;
  Task<Result<std::int64_t>> consumed() override;
  Task<Result<std::int64_t>> unread_count(UserId user) override;
  Task<Result<notifications::ListPage>> list(UserId user, notifications::ListQuery query) override;
  Task<Result<void>> mark_read(UserId user, notifications::NotificationId id) override;
  Task<Result<void>> mark_all_read(UserId user) override;

 private:
  notifications::Notification insert(sqlite::Connection& database, notifications::NewNotification content);

  Readers& readers_;
  Writer& writer_;
  const Clock& clock_;
  Rng& rng_;
};

}  // namespace rushes::store_sqlite
