#include "store_sqlite/sqlite_schedule_store.h"

#include "schedules/rhythm.h"

#include <algorithm>

namespace rushes::store_sqlite {

using schedules::Change;
using schedules::LastRun;
using schedules::Rhythm;
using schedules::Schedule;
using schedules::ScheduleId;

namespace {

#define RUSHES_SCHEDULE_COLUMNS                                                                        \
  "id, user_id, name, cron, zone, is_unique, paused, next_at, last_at, last_skipped, last_job, type, " \
  "title, url, input, unique_key, priority, created_at"

Error not_found() { return Error::for_user(Errc::not_found, "SCHEDULE_NOT_FOUND", "There is no such schedule."); }

/// Of RUSHES_SCHEDULE_COLUMNS, and the body behind them where it was asked for.
Schedule read_schedule(const sqlite::Statement& row, bool with_body) {
  Schedule schedule;
  schedule.id = ScheduleId(row.text(0));
  schedule.user = UserId(row.text(1));
  schedule.name = row.text(2);
  schedule.cron = row.text(3);
  schedule.zone = row.text(4);
  schedule.unique = row.integer(5) != 0;
  schedule.paused = row.integer(6) != 0;
  if (!schedule.paused) schedule.next_at = from_millis(row.integer(7));
  if (!row.is_null(8)) {
    schedule.last = LastRun{from_millis(row.integer(8)), row.text(9), std::nullopt};
    if (!row.is_null(10)) schedule.last->job = JobId(row.text(10));
  }
  schedule.job.type = row.text(11);
  schedule.job.title = row.text(12);
  schedule.job.url = row.text(13);
  schedule.job.input = row.text(14);
  schedule.job.unique_key = row.text(15);
  schedule.job.priority = static_cast<int>(row.integer(16));
  schedule.created_at = from_millis(row.integer(17));
  if (with_body) schedule.job.body = row.text(18);
  return schedule;
}

std::optional<Schedule> find_schedule(sqlite::Connection& database, const ScheduleId& id) {
  auto& row =
      database.statement("SELECT " RUSHES_SCHEDULE_COLUMNS ", body FROM schedules WHERE id = ?").bind(id.value());
  if (!row.next()) return std::nullopt;
  auto found = read_schedule(row, true);
  row.reset();
  return found;
}

std::optional<Schedule> find_owned(sqlite::Connection& database, const UserId& user, const ScheduleId& id) {
  auto found = find_schedule(database, id);
  if (found && found->user != user) found.reset();
  return found;
}

std::optional<std::int64_t> millis_of(const std::optional<Timestamp>& time) {
  return time ? std::optional(to_millis(*time)) : std::nullopt;
}

/// All but what its runs and its creation wrote.
void update_row(sqlite::Connection& database, const Schedule& schedule) {
  const auto& job = schedule.job;
  database.run(
      "UPDATE schedules SET name = ?, cron = ?, zone = ?, is_unique = ?, paused = ?, next_at = ?, type = ?, title = ?,"
      " url = ?, input = ?, unique_key = ?, priority = ?, body = ? WHERE id = ?",
      schedule.name, schedule.cron, schedule.zone, schedule.unique, schedule.paused, millis_of(schedule.next_at),
      job.type, job.title, job.url, job.input, job.unique_key, job.priority, job.body, schedule.id.value());
}

/// Sets the first time after `from`.
Result<void> move_on(Schedule& schedule, Timestamp from) {
  const auto rhythm = Rhythm::parse(schedule.cron, schedule.zone);
  if (!rhythm) return rhythm.error();
  schedule.next_at = schedule.paused ? std::nullopt : rhythm->after(from);
  return {};
}

}  // namespace

Task<Result<Schedule>> SqliteScheduleStore::add(Schedule schedule, int most) {
  std::function work = [this, schedule = std::move(schedule), most](Transaction& transaction) -> Result<Schedule> {
    auto& database = transaction.database();
    auto& count = database.statement("SELECT count(*) FROM schedules WHERE user_id = ?").bind(schedule.user.value());
    count.next();
    const auto there = count.integer(0);
    count.reset();
    if (there >= most) {
      return Error::for_user(Errc::conflict, "SCHEDULE_LIMIT",
                             "You have " + std::to_string(there) + " schedules; at most " + std::to_string(most) +
                                 " are allowed. Remove one first.");
    }
    auto added = schedule;
    if (auto moved = move_on(added, clock_.now()); !moved) return moved.error();
    database.run("INSERT INTO schedules (id, user_id, created_at) VALUES (?, ?, ?)", added.id.value(),
                 added.user.value(), to_millis(added.created_at));
    update_row(database, added);
    return added;
  };
  return writer_.write(std::move(work));
}

Task<Result<std::vector<Schedule>>> SqliteScheduleStore::list(UserId user) {
  std::function question = [user = std::move(user)](sqlite::Connection& database) -> Result<std::vector<Schedule>> {
    auto& rows = database.statement("SELECT " RUSHES_SCHEDULE_COLUMNS " FROM schedules WHERE user_id = ? ORDER BY id");
    rows.bind(user.value());
    std::vector<Schedule> all;
    while (rows.next()) all.push_back(read_schedule(rows, false));
    return all;
  };
  return readers_.read(std::move(question));
}

Task<Result<Schedule>> SqliteScheduleStore::find(UserId user, ScheduleId id) {
  std::function question = [user = std::move(user),
                            id = std::move(id)](sqlite::Connection& database) -> Result<Schedule> {
    auto found = find_owned(database, user, id);
    if (!found) return not_found();
    return std::move(*found);
  };
  return readers_.read(std::move(question));
}

Task<Result<Schedule>> SqliteScheduleStore::update(UserId user, ScheduleId id, Change change) {
  std::function work = [this, user = std::move(user), id = std::move(id),
                        change = std::move(change)](Transaction& transaction) -> Result<Schedule> {
    auto found = find_owned(transaction.database(), user, id);
    if (!found) return not_found();
    auto& schedule = *found;
    const bool was_paused = schedule.paused;
    if (change.name) schedule.name = *change.name;
    if (change.cron) schedule.cron = *change.cron;
    if (change.zone) schedule.zone = *change.zone;
    if (change.unique) schedule.unique = *change.unique;
    if (change.paused) schedule.paused = *change.paused;
    if (change.job) schedule.job = *change.job;
    if (change.cron || change.zone || schedule.paused != was_paused) {
      if (auto moved = move_on(schedule, clock_.now()); !moved) return moved.error();
    }
    update_row(transaction.database(), schedule);
    return std::move(schedule);
  };
  return writer_.write(std::move(work));
}

Task<Result<void>> SqliteScheduleStore::remove(UserId user, ScheduleId id) {
  std::function work = [user = std::move(user), id = std::move(id)](Transaction& transaction) -> Result<void> {
    const auto removed =
        transaction.database().run("DELETE FROM schedules WHERE id = ? AND user_id = ?", id.value(), user.value());
    if (removed == 0) return not_found();
    return {};
  };
  return writer_.write(std::move(work));
}

Task<Result<std::vector<Schedule>>> SqliteScheduleStore::due(int limit) {
  std::function question = [now = clock_.now(), limit](sqlite::Connection& database) -> Result<std::vector<Schedule>> {
    auto& rows = database.statement("SELECT " RUSHES_SCHEDULE_COLUMNS
                                    ", body FROM schedules WHERE paused = 0 AND next_at <= ? ORDER BY next_at LIMIT ?");
    rows.bind(to_millis(now), limit);
    std::vector<Schedule> due;
    while (rows.next()) due.push_back(read_schedule(rows, true));
    return due;
  };
  return readers_.read(std::move(question));
}

Task<Result<std::optional<Timestamp>>> SqliteScheduleStore::next_due() {
  std::function question = [](sqlite::Connection& database) -> Result<std::optional<Timestamp>> {
    auto& row = database.statement("SELECT min(next_at) FROM schedules WHERE paused = 0");
    row.next();
    return row.is_null(0) ? std::nullopt : std::optional(from_millis(row.integer(0)));
  };
  return readers_.read(std::move(question));
}

Task<Result<void>> SqliteScheduleStore::record(ScheduleId id, std::optional<Timestamp> due, LastRun run) {
  std::function work = [this, id = std::move(id), due, run = std::move(run)](Transaction& transaction) -> Result<void> {
    auto& database = transaction.database();
    auto found = find_schedule(database, id);
    if (!found) return {};
    auto skipped = run.skipped;
    if (due && found->next_at == due) {
      // A clock that was put back brings no time twice.
      const auto moved = move_on(*found, std::max(clock_.now(), *due));
      if (!moved || !found->next_at) {
        found->paused = true;
        if (!moved) skipped = moved.error().public_name();
      }
      database.run("UPDATE schedules SET paused = ?, next_at = ? WHERE id = ?", found->paused,
                   millis_of(found->next_at), id.value());
    }
    std::optional<std::string> job;
    if (run.job) job = run.job->value();
    database.run("UPDATE schedules SET last_at = ?, last_skipped = ?, last_job = ? WHERE id = ?", to_millis(run.at),
                 skipped, job, id.value());
    return {};
  };
  return writer_.write(std::move(work));
}

#undef RUSHES_SCHEDULE_COLUMNS

}  // namespace rushes::store_sqlite
