#include "store_sqlite/sqlite_notification_store.h"

#include "base/json_writer.h"

namespace rushes::store_sqlite {

using notifications::ListPage;
using notifications::NewNotification;
using notifications::Notification;
using notifications::NotificationId;

namespace {

Notification read_notification(const sqlite::Statement& row) {
  Notification notification;
  notification.id = NotificationId(row.text(0));
  auto& content = notification.content;
  content.user = UserId(row.text(1));
  content.title = row.text(2);
  content.message = row.text(3);
  content.type = static_cast<notifications::Type>(row.integer(4));
  content.severity = static_cast<notifications::Severity>(row.integer(5));
  content.action_url = row.text(6);
  content.action_button_text = row.text(7);
  auto metadata = parse_json(row.text(8));
  if (metadata && metadata->is_object()) content.metadata = std::move(metadata->get_object());
  notification.read = row.integer(9) != 0;
  notification.created_at = from_millis(row.integer(10));
  return notification;
}

Result<std::int64_t> single_number(sqlite::Statement& row) {
  row.next();
  const auto value = row.integer(0);
  row.reset();
  return value;
}

}  // namespace

Notification SqliteNotificationStore::insert(sqlite::Connection& database, NewNotification content) {
  Notification added;
  added.id = NotificationId(new_uuid(clock_, rng_));
  added.created_at = clock_.now();
  added.content = std::move(content);
  const auto& kept = added.content;
  database.run(
      "INSERT INTO notifications (id, user_id, title, message, type, severity, action_url, action_button_text,"
      " metadata, created_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      added.id.value(), kept.user.value(), kept.title, kept.message, static_cast<int>(kept.type),
      static_cast<int>(kept.severity), kept.action_url, kept.action_button_text, to_json_text(kept.metadata),
      to_millis(added.created_at));
  return added;
}

Task<Result<Notification>> SqliteNotificationStore::add(NewNotification notification) {
  std::function work = [this,
                        notification = std::move(notification)](Transaction& transaction) -> Result<Notification> {
    return insert(transaction.database(), notification);
  };
  return writer_.write(std::move(work));
}

Task<Result<std::optional<Notification>>> SqliteNotificationStore::consume(
    std::int64_t event_id, std::optional<NewNotification> notification) {
  std::function work = [this, event_id, notification = std::move(notification)](
                           Transaction& transaction) -> Result<std::optional<Notification>> {
    auto& database = transaction.database();
    const auto moved = database.run("UPDATE counters SET value = ?1 WHERE name = 'notices' AND value < ?1", event_id);
    if (moved == 0 || !notification) return std::optional<Notification>();
    return std::optional(insert(database, *notification));
  };
  return writer_.write(std::move(work));
}

Task<Result<std::int64_t>> SqliteNotificationStore::consumed() {
  std::function question = [](sqlite::Connection& database) {
    return single_number(database.statement("SELECT value FROM counters WHERE name = 'notices'"));
  };
  return readers_.read(std::move(question));
}

Task<Result<std::int64_t>> SqliteNotificationStore::unread_count(UserId user) {
  std::function question = [user = std::move(user)](sqlite::Connection& database) {
    return single_number(
        database.statement("SELECT count(*) FROM notifications WHERE user_id = ? AND is_read = 0").bind(user.value()));
  };
  return readers_.read(std::move(question));
}

Task<Result<ListPage>> SqliteNotificationStore::list(UserId user, notifications::ListQuery query) {
  std::function question = [user = std::move(user), query](sqlite::Connection& database) -> Result<ListPage> {
    const auto type = query.type ? static_cast<int>(*query.type) : -1;
    const auto read = query.read ? static_cast<int>(*query.read) : -1;
    ListPage page;
    page.total = *single_number(database
                                    .statement("SELECT count(*) FROM notifications WHERE user_id = ?1"
                                               " AND (?2 < 0 OR type = ?2) AND (?3 < 0 OR is_read = ?3)")
                                    .bind(user.value(), type, read));
    auto& rows = database
                     .statement(
                         "SELECT id, user_id, title, message, type, severity, action_url, action_button_text,"
                         " metadata, is_read, created_at FROM notifications WHERE user_id = ?1"
                         " AND (?2 < 0 OR type = ?2) AND (?3 < 0 OR is_read = ?3)"
                         " ORDER BY no DESC LIMIT ?4 OFFSET ?5")
                     .bind(user.value(), type, read, query.limit, query.offset);
    while (rows.next()) page.notifications.push_back(read_notification(rows));
    return page;
  };
  return readers_.read(std::move(question));
}

Task<Result<void>> SqliteNotificationStore::mark_read(UserId user, NotificationId id) {
  std::function work = [user = std::move(user), id = std::move(id)](Transaction& transaction) -> Result<void> {
    const auto marked = transaction.database().run("UPDATE notifications SET is_read = 1 WHERE id = ? AND user_id = ?",
                                                   id.value(), user.value());
    if (marked == 0) {
      return Error::for_user(Errc::not_found, "NOTIFICATION_NOT_FOUND", "There is no such notification.");
    }
    return {};
  };
  return writer_.write(std::move(work));
}

Task<Result<void>> SqliteNotificationStore::mark_all_read(UserId user) {
  std::function work = [user = std::move(user)](Transaction& transaction) -> Result<void> {
    transaction.database().run("UPDATE notifications SET is_read = 1 WHERE user_id = ? AND is_read = 0", user.value());
    return {};
  };
  return writer_.write(std::move(work));
}

}  // namespace rushes::store_sqlite
