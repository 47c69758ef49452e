#include "store_sqlite/sqlite_housekeeping.h"

#include "store_sqlite/first_events.h"
#include "store_sqlite/stored_bytes.h"

#include <array>
#include <chrono>
#include <span>

namespace rushes::store_sqlite {
namespace {

/// Of the events in `table`: not their user's newest.
#define RUSHES_NOT_NEWEST(table)                                           \
  " AND seq < (SELECT json_extract(entries, '$[#-1][0]') FROM user_events" \
  " WHERE user_events.user_id = " table ".user_id ORDER BY first DESC LIMIT 1)"

// Of the writer's time for one step; others wait for it.
constexpr std::chrono::milliseconds kLongestStep{5};

std::int64_t single(sqlite::Statement& row, std::int64_t otherwise = 0) {
  if (!row.next()) return otherwise;
  const auto value = row.integer(0);
  row.reset();
  return value;
}

struct Found {
  std::vector<std::int64_t> numbers;  // what may go
  jobs::SweepPlace next;              // where the search ended
  bool done = false;
};

/// The job names its result no more.
void forget_analysis(LiveJobs& live, sqlite::Connection& database, std::int64_t number) {
  auto& row = database.statement("SELECT user_id, job_id, id FROM analyses WHERE no = ?").bind(number);
  if (!row.next()) return;
  const UserId user(row.text(0));
  const JobId job(row.text(1));
  const auto analysis = row.text(2);
  row.reset();
  give_back_analysis(database, number);
  auto& lists = live.lists();
  lists.analyses.remove(database, user, number);
  lists.analysis_ids.remove(database, analysis);
  database.run("UPDATE job_states SET audit_id = NULL WHERE no = ? AND audit_id = ?",
               lists.job_ids.number_of(database, job.value()), analysis);
}

void forget_event(LiveJobs& live, sqlite::Connection& database, std::int64_t number) {
  auto& row = database.statement("SELECT user_id, seq, payload IS NULL FROM log WHERE id = ?").bind(number);
  if (!row.next()) return;
  const UserId user(row.text(0));
  const auto seq = row.integer(1);
  const bool is_with_job = row.integer(2) != 0;
  row.reset();
  live.lists().events.remove(database, user, seq);
  if (is_with_job) first_events_apart_upto(database, number);
}

/// Its time has come and it stays, where others behind it may go.
void keep_event(sqlite::Connection& database, std::int64_t number) {
  if (set_first_event_apart(database, number)) first_events_apart_upto(database, number);
}

void forget_job(LiveJobs& live, sqlite::Connection& database, std::int64_t number) {
  auto& row = database.statement("SELECT user_id, id FROM submitted_jobs WHERE no = ?").bind(number);
  if (!row.next()) return;
  const UserId user(row.text(0));
  const auto id = row.text(1);
  row.reset();
  set_first_event_apart(database, number);
  live.lists().jobs.remove(database, user, number);
  live.lists().job_ids.remove(database, id);
  live.count_dead(-database.run("DELETE FROM dead_jobs WHERE no = ?", number));
}

}  // namespace

/// How a kind of thing is swept. Numbers rise with age.
struct SqliteHousekeeping::Kind {
  const char* count;
  const char* nth_number;  // ?1: how many are before it
  const char* from;        // ?1: number, ?2: how many; columns: number, since when it is there, whether and since when
                           // it may go (NULL: not yet)
  const char* may_go;      // ?1: number, ?2: before, ?3: beyond; a row where it still may
  std::span<const char* const> remove;                                                // ?1: number
  void (*forget)(LiveJobs& live, sqlite::Connection& database, std::int64_t number);  // before that
  void (*keep)(sqlite::Connection& database, std::int64_t number) = nullptr;          // instead, where it may not go
};

Task<Result<jobs::Swept>> SqliteHousekeeping::remove(const Kind& kind, jobs::SweepOrder order, jobs::SweepPlace place) {
  const auto before = to_millis(order.before);
  if (place.beyond < 0) {
    const auto listed = co_await list_all();
    if (!listed) co_return listed.error();
  }
  std::function search = [&kind, order, place, before](sqlite::Connection& database) -> Result<Found> {
    Found found{{}, place, false};
    if (place.beyond < 0) {
      const auto surplus = order.most == 0 ? 0 : single(database.statement(kind.count)) - order.most;
      found.next.beyond = surplus <= 0 ? 0 : single(database.statement(kind.nth_number).bind(surplus - 1));
    }
    auto& rows = database.statement(kind.from).bind(place.at, order.limit);
    int looked_at = 0;
    while (rows.next()) {
      ++looked_at;
      const auto number = rows.integer(0);
      // What is younger than `before` cannot have ended earlier, nor can what follows it.
      if (rows.integer(1) >= before && number > found.next.beyond) {
        found.done = true;
        break;
      }
      found.next.at = number;
      const bool ended = !rows.is_null(2);
      if (ended && (rows.integer(2) < before || number <= found.next.beyond)) found.numbers.push_back(number);
    }
    found.done = found.done || looked_at < order.limit;
    return found;
  };
  auto found = co_await readers_.read(std::move(search));
  if (!found) co_return found.error();
  if (found->numbers.empty()) co_return jobs::Swept{0, found->done, found->next};

  std::function work = [this, &kind, found = std::move(*found),
                        before](Transaction& transaction) -> Result<jobs::Swept> {
    jobs::Swept swept{0, found.done, found.next};
    const auto end = std::chrono::steady_clock::now() + kLongestStep;
    for (const auto number : found.numbers) {
      if (std::chrono::steady_clock::now() >= end) {  // the next step begins here
        swept.done = false;
        swept.next.at = number - 1;
        break;
      }
      auto& may_go = transaction.database().statement(kind.may_go).bind(number, before, found.next.beyond);
      if (single(may_go) == 0) {
        if (kind.keep != nullptr) kind.keep(transaction.database(), number);
        continue;
      }
      kind.forget(live_, transaction.database(), number);
      for (const auto* remove : kind.remove) transaction.database().run(remove, number);
      ++swept.removed;
    }
    return swept;
  };
  co_return co_await writer_.write(std::move(work));
}

Task<Result<void>> SqliteHousekeeping::list_all() {
  Lists::Upto upto;
  for (;;) {
    std::function work = [this, &upto](Transaction& transaction) -> Result<bool> {
      return live_.lists().hurry(transaction.database(), upto);
    };
    const auto more = co_await writer_.write(std::move(work));
    if (!more) co_return more.error();
    if (!*more) co_return Result<void>();
  }
}

Task<Result<jobs::Swept>> SqliteHousekeeping::remove_jobs(jobs::SweepOrder order, jobs::SweepPlace place) {
  static constexpr std::array kRemove{
      "DELETE FROM job_keys WHERE (user_id, key) = (SELECT user_id, idempotency_key FROM submitted_jobs WHERE no = ?)",
      "DELETE FROM upload_jobs"
      " WHERE (upload, no) = (SELECT json_extract(input, '$.upload'), no FROM submitted_jobs WHERE no = ?)",
      "DELETE FROM job_states WHERE no = ?",
      "DELETE FROM submitted_jobs WHERE no = ?",
      "DELETE FROM attempts WHERE job_no = ?",
      "DELETE FROM checkpoints WHERE job_no = ?"};
  // The newest stays, so that its number is given to no other.
  static constexpr Kind kJobs{
      "SELECT count(*) FROM submitted_jobs",
      "SELECT no FROM submitted_jobs ORDER BY no LIMIT 1 OFFSET ?",
      "SELECT no, created_at, CASE WHEN state > 1 THEN finished_at END FROM jobs WHERE no > ? ORDER BY no LIMIT ?",
      "SELECT 1 FROM jobs WHERE no = ?1 AND state > 1 AND (finished_at < ?2 OR no <= ?3)"
      " AND no < (SELECT max(no) FROM submitted_jobs)"
      " AND no <= (SELECT min(value) FROM counters WHERE name IN ('jobs_listed', 'ids_listed'))",
      kRemove,
      forget_job};
  return remove(kJobs, order, place);
}

Task<Result<jobs::Swept>> SqliteHousekeeping::remove_events(jobs::SweepOrder order, jobs::SweepPlace place) {
  static constexpr std::array kRemove{"DELETE FROM events WHERE id = ?"};
  static constexpr Kind kEvents{
      "SELECT (SELECT count(*) FROM events) +"
      " (SELECT count(*) FROM submitted_jobs WHERE no > " RUSHES_FIRST_EVENTS_APART ")",
      "SELECT id FROM events UNION ALL SELECT no FROM submitted_jobs WHERE no > " RUSHES_FIRST_EVENTS_APART
      " ORDER BY 1 LIMIT 1 OFFSET ?",
      "WITH done(upto) AS (SELECT min(value) FROM counters WHERE name IN ('notices', 'webhooks', 'events_listed'))"
      "SELECT id, at, at FROM events WHERE id > ?1 AND id <= (SELECT upto FROM done) UNION ALL"
      " SELECT no, created_at, created_at FROM submitted_jobs WHERE no > max(?1, " RUSHES_FIRST_EVENTS_APART
      ") AND no <= (SELECT upto FROM done) ORDER BY 1 LIMIT ?2",
      "SELECT 1 FROM log WHERE id = ?1 AND (at < ?2 OR id <= ?3)" RUSHES_NOT_NEWEST("log"),
      kRemove,
      forget_event,
      keep_event};
  return remove(kEvents, order, place);
}

Task<Result<jobs::Swept>> SqliteHousekeeping::remove_positions(jobs::SweepOrder order, jobs::SweepPlace place) {
  static constexpr std::array kRemove{"DELETE FROM events WHERE id = ?"};
  static constexpr Kind kPositions{
      nullptr,
      nullptr,
      "SELECT id, at, CASE WHEN type = 0 AND instr(payload, '\"positionChanged\":true') > 0 THEN at END FROM events"
      " WHERE id > ? AND id <="
      " (SELECT min(value) FROM counters WHERE name IN ('notices', 'webhooks', 'events_listed')) ORDER BY id LIMIT ?",
      "SELECT 1 FROM events WHERE id = ?1 AND at < ?2 AND ?3 = 0" RUSHES_NOT_NEWEST("events"),
      kRemove,
      forget_event};
  order.most = 0;
  if (place.beyond < 0) {
    std::function question = [](sqlite::Connection& database) -> Result<std::int64_t> {
      return single(database.statement("SELECT value FROM counters WHERE name = 'positions_swept'"));
    };
    const auto reached = co_await readers_.read(std::move(question));
    if (!reached) co_return reached.error();
    place.at = *reached;
  }
  auto swept = co_await remove(kPositions, order, place);
  if (!swept || !swept->done) co_return swept;
  if (place.beyond < 0 && swept->next.at == place.at) co_return swept;  // it has come no further
  std::function work = [at = swept->next.at](Transaction& transaction) -> Result<void> {
    transaction.database().run(
        "INSERT INTO counters VALUES ('positions_swept', ?1) ON CONFLICT (name) DO UPDATE SET value = ?1", at);
    return {};
  };
  const auto kept = co_await writer_.write(std::move(work));
  if (!kept) co_return kept.error();
  co_return swept;
}

Task<Result<jobs::Swept>> SqliteHousekeeping::remove_analyses(jobs::SweepOrder order, jobs::SweepPlace place) {
  static constexpr std::array kRemove{"DELETE FROM analyses WHERE no = ?"};
  static constexpr Kind kAnalyses{"SELECT count(*) FROM analyses",
                                  "SELECT no FROM analyses ORDER BY no LIMIT 1 OFFSET ?",
                                  "SELECT no, created_at, created_at FROM analyses WHERE no > ? ORDER BY no LIMIT ?",
                                  "SELECT 1 FROM analyses WHERE no = ?1 AND (created_at < ?2 OR no <= ?3)",
                                  kRemove,
                                  forget_analysis};
  return remove(kAnalyses, order, place);
}

Task<Result<std::vector<JobId>>> SqliteHousekeeping::unneeded(std::vector<JobId> uploads) {
  std::function question = [uploads = std::move(uploads)](sqlite::Connection& database) -> Result<std::vector<JobId>> {
    std::vector<JobId> unneeded;
    for (const auto& upload : uploads) {
      auto& kept = database.statement("SELECT 1 FROM uploads WHERE id = ?");
      if (!kept.bind(upload.value()).next()) unneeded.push_back(upload);
    }
    return unneeded;
  };
  return readers_.read(std::move(question));
}

Task<Result<std::vector<AuditId>>> SqliteHousekeeping::unsaved(std::vector<AuditId> analyses) {
  std::function question =
      [this, analyses = std::move(analyses)](sqlite::Connection& database) -> Result<std::vector<AuditId>> {
    std::vector<AuditId> unsaved;
    for (const auto& analysis : analyses) {
      const auto number = live_.lists().analysis_ids.number_of(database, analysis.value());
      if (!database.statement("SELECT 1 FROM analyses WHERE no = ?").bind(number).next()) unsaved.push_back(analysis);
    }
    return unsaved;
  };
  return readers_.read(std::move(question));
}

}  // namespace rushes::store_sqlite
