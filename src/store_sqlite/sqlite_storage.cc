#include "store_sqlite/sqlite_storage.h"

#include "store_sqlite/stored_bytes.h"

namespace rushes::store_sqlite {
namespace {

// Above every moment, and such a number and a moment still fit into one.
constexpr std::int64_t kNever = INT64_MAX / 2;

// When an upload expires: ?1 to ?3 are how long it is kept after a job that completed, failed, was cancelled. Its jobs
// that are gone keep it no longer.
#define RUSHES_EXPIRES "ifnull(max(finished_at + CASE state WHEN 2 THEN ?1 WHEN 3 THEN ?2 ELSE ?3 END), 0)"
#define RUSHES_UPLOADS_AND_STATES                              \
  " FROM uploads LEFT JOIN upload_jobs ON upload = uploads.id" \
  " LEFT JOIN job_states ON job_states.no = upload_jobs.no"
#define RUSHES_ALL_ENDED " count(upload_jobs.no) = total(state >= 2) "
#define RUSHES_ENDED_UPLOADS(which)                                                                   \
  "SELECT uploads.id, bytes, " RUSHES_EXPIRES " AS expires" RUSHES_UPLOADS_AND_STATES " WHERE " which \
  " GROUP BY uploads.id HAVING" RUSHES_ALL_ENDED "AND expires <= ?4 ORDER BY ifnull(max(finished_at), 0) LIMIT ?5"

// What the user has reached, in percent of ?1.
#define RUSHES_PERCENT \
  "CASE WHEN uploads + results >= ?1 THEN 100 WHEN (uploads + results) * 5 >= ?1 * 4 THEN 80 ELSE 0 END"

std::int64_t millis_of(std::chrono::seconds keep) {
  return keep.count() == 0 ? kNever : std::chrono::duration_cast<std::chrono::milliseconds>(keep).count();
}

std::optional<Timestamp> moment(std::int64_t millis) {
  return millis >= kNever ? std::nullopt : std::optional(from_millis(millis));
}

jobs::StoredBytes read_bytes(sqlite::Statement& row) {
  if (!row.next()) return {};
  const jobs::StoredBytes bytes{row.integer(0), row.integer(1)};
  row.reset();
  return bytes;
}

/// Users whose step is another than the one that they were told, and not one below where they were before.
sqlite::Statement& changed_steps(sqlite::Connection& database, std::int64_t quota, const std::optional<UserId>& user) {
  if (!user) {
    return database
        .statement("SELECT user_id, uploads, results, " RUSHES_PERCENT
                   " AS percent, told FROM user_bytes"
                   " WHERE percent > told OR (percent = 0 AND told > 0)")
        .bind(quota);
  }
  return database
      .statement("SELECT user_id, uploads, results, " RUSHES_PERCENT
                 " AS percent, told FROM user_bytes"
                 " WHERE user_id = ?2 AND (percent > told OR (percent = 0 AND told > 0))")
      .bind(quota, user->value());
}

}  // namespace

Task<Result<jobs::StoredBytes>> SqliteStorage::bytes_of(UserId user) {
  std::function question = [user = std::move(user)](sqlite::Connection& database) -> Result<jobs::StoredBytes> {
    return read_bytes(
        database.statement("SELECT uploads, results FROM user_bytes WHERE user_id = ?").bind(user.value()));
  };
  return readers_.read(std::move(question));
}

Task<Result<jobs::StoredBytes>> SqliteStorage::bytes_of_all() {
  std::function question = [](sqlite::Connection& database) -> Result<jobs::StoredBytes> {
    return read_bytes(database.statement("SELECT ifnull(sum(uploads), 0), ifnull(sum(results), 0) FROM user_bytes"));
  };
  return readers_.read(std::move(question));
}

Task<Result<std::vector<UserId>>> SqliteStorage::full_users(std::int64_t quota) {
  std::function question = [quota](sqlite::Connection& database) -> Result<std::vector<UserId>> {
    auto& rows = database.statement("SELECT user_id FROM user_bytes WHERE uploads + results >= ?").bind(quota);
    std::vector<UserId> users;
    while (rows.next()) users.emplace_back(rows.text(0));
    return users;
  };
  return readers_.read(std::move(question));
}

Task<Result<std::vector<jobs::EndedUpload>>> SqliteStorage::ended_uploads(jobs::EndedUploads wanted) {
  std::function question =
      [wanted = std::move(wanted)](sqlite::Connection& database) -> Result<std::vector<jobs::EndedUpload>> {
    auto& rows = database.statement(wanted.user ? RUSHES_ENDED_UPLOADS("uploads.user_id = ?6")
                                                : RUSHES_ENDED_UPLOADS("?6 = ''"));
    rows.bind(millis_of(wanted.keep.completed), millis_of(wanted.keep.failed), millis_of(wanted.keep.cancelled),
              wanted.expired_at ? to_millis(*wanted.expired_at) : INT64_MAX, wanted.limit,
              wanted.user ? wanted.user->value() : std::string());
    std::vector<jobs::EndedUpload> uploads;
    while (rows.next()) uploads.push_back({JobId(rows.text(0)), rows.integer(1), moment(rows.integer(2))});
    return uploads;
  };
  return readers_.read(std::move(question));
}

Task<Result<std::vector<JobId>>> SqliteStorage::remove_uploads(std::vector<JobId> uploads) {
  std::function work = [uploads = std::move(uploads)](Transaction& transaction) -> Result<std::vector<JobId>> {
    auto& database = transaction.database();
    std::vector<JobId> removed;
    for (const auto& upload : uploads) {
      auto& row = database.statement("SELECT user_id, bytes" RUSHES_UPLOADS_AND_STATES
                                     " WHERE uploads.id = ? GROUP BY uploads.id HAVING" RUSHES_ALL_ENDED);
      if (!row.bind(upload.value()).next()) continue;
      const UserId user(row.text(0));
      const auto bytes = row.integer(1);
      row.reset();
      database.run("DELETE FROM uploads WHERE id = ?", upload.value());
      charge(database, user, {-bytes, 0});
      removed.push_back(upload);
    }
    return removed;
  };
  return writer_.write(std::move(work));
}

Task<Result<std::optional<Timestamp>>> SqliteStorage::kept_until(JobId upload, jobs::UploadRetention keep) {
  std::function question = [upload = std::move(upload),
                            keep](sqlite::Connection& database) -> Result<std::optional<Timestamp>> {
    auto& row = database.statement("SELECT " RUSHES_EXPIRES "," RUSHES_ALL_ENDED RUSHES_UPLOADS_AND_STATES
                                   " WHERE uploads.id = ?4 GROUP BY uploads.id");
    row.bind(millis_of(keep.completed), millis_of(keep.failed), millis_of(keep.cancelled), upload.value());
    if (!row.next()) return Error(Errc::not_found, "upload " + upload.value() + " is not kept");
    const auto expires = row.integer(0);
    const bool ended = row.integer(1) != 0;
    row.reset();
    return ended ? moment(expires) : std::nullopt;
  };
  return readers_.read(std::move(question));
}

Task<Result<std::vector<jobs::UsageStep>>> SqliteStorage::take_usage_steps(std::int64_t quota,
                                                                           std::optional<UserId> user) {
  std::function look = [quota, user](sqlite::Connection& database) -> Result<bool> {
    auto& rows = changed_steps(database, quota, user);
    const bool found = rows.next();
    rows.reset();
    return found;
  };
  const auto found = co_await readers_.read(std::move(look));
  if (!found) co_return found.error();
  if (!*found) co_return std::vector<jobs::UsageStep>();
  std::function work = [quota,
                        user = std::move(user)](Transaction& transaction) -> Result<std::vector<jobs::UsageStep>> {
    auto& database = transaction.database();
    std::vector<jobs::UsageStep> changed;
    auto& rows = changed_steps(database, quota, user);
    while (rows.next()) {
      changed.push_back({UserId(rows.text(0)), {rows.integer(1), rows.integer(2)}, static_cast<int>(rows.integer(3))});
    }
    for (const auto& step : changed) {
      database.run("UPDATE user_bytes SET told = ? WHERE user_id = ?", step.percent, step.user.value());
    }
    std::erase_if(changed, [](const jobs::UsageStep& step) { return step.percent == 0; });
    return changed;
  };
  co_return co_await writer_.write(std::move(work));
}

Task<Result<std::optional<jobs::UsageStep>>> SqliteStorage::take_full_step(UserId user) {
  std::function work = [user = std::move(user)](Transaction& transaction) -> Result<std::optional<jobs::UsageStep>> {
    auto& database = transaction.database();
    // Who is far below the quota wanted too much at once, and is told so by the refusal alone.
    const auto told = database.run("UPDATE user_bytes SET told = 100 WHERE user_id = ? AND told = 80", user.value());
    if (told == 0) return std::nullopt;
    auto& row = database.statement("SELECT uploads, results FROM user_bytes WHERE user_id = ?").bind(user.value());
    return std::optional(jobs::UsageStep{user, read_bytes(row), 100});
  };
  return writer_.write(std::move(work));
}

}  // namespace rushes::store_sqlite
