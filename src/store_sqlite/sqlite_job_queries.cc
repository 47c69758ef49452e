#include "store_sqlite/sqlite_job_queries.h"

#include "jobs/transitions.h"
#include "store_sqlite/analysis_rows.h"
#include "store_sqlite/event_rows.h"
#include "store_sqlite/job_rows.h"

#include <algorithm>

namespace rushes::store_sqlite {
namespace {

Result<jobs::Job> find_owned(sqlite::Connection& database, const IdList& ids, const UserId& user, const JobId& id) {
  auto job = find_job(database, ids, id);
  if (!job || job->user != user) return jobs::job_not_found();
  return std::move(*job);
}

/// Gives those of the user's jobs that the filter wants and that are numbered below `before` to `take`, the newest
/// first, for as long as it says true.
void read_jobs(sqlite::Connection& database, const UserList& list, const UserId& user, const jobs::JobFilter& filter,
               std::int64_t before, const std::function<bool(const sqlite::Statement&)>& take) {
  const auto state = filter.state ? static_cast<int>(*filter.state) : -1;
  const auto type = filter.type ? static_cast<int>(*filter.type) : -1;
  list.each(database, user, 0, before - 1, UserList::Direction::down, [&](const ListEntry& entry) {
    auto& row = database.statement("SELECT " RUSHES_JOB_COLUMNS
                                   " FROM jobs WHERE no = ?1 AND (?2 < 0 OR state = ?2)"
                                   " AND (?3 < 0 OR type = ?3) AND (NOT ?4 OR state < 2)");
    if (!row.bind(entry.row, state, type, filter.unfinished_only).next()) return true;
    const bool more = take(row);
    row.reset();
    return more;
  });
}

/// Adds those behind `seq` in their order. What was filed meanwhile is in both.
void add_unfiled(std::vector<jobs::Event>& events, std::vector<jobs::Event> unfiled, std::int64_t seq, int limit) {
  for (auto& event : unfiled) {
    if (event.seq > seq) events.push_back(std::move(event));
  }
  std::sort(events.begin(), events.end(), [](const auto& a, const auto& b) { return a.seq < b.seq; });
  const auto same = [](const auto& a, const auto& b) { return a.seq == b.seq; };
  events.erase(std::unique(events.begin(), events.end(), same), events.end());
  if (events.size() > static_cast<std::size_t>(limit)) events.resize(static_cast<std::size_t>(limit));
}

}  // namespace

Task<Result<jobs::Job>> SqliteJobQueries::find(UserId user, JobId job) {
  std::function question = [this, user = std::move(user), job = std::move(job)](sqlite::Connection& database) {
    return find_owned(database, lists_.job_ids, user, job);
  };
  auto found = co_await readers_.read(std::move(question));
  if (!found || found->state != jobs::JobState::processing) co_return found;
  std::vector<jobs::Job> jobs;
  jobs.push_back(std::move(*found));
  const auto refreshed = co_await refresh(jobs);
  if (!refreshed) co_return refreshed.error();
  co_return std::move(jobs.front());
}

Task<Result<void>> SqliteJobQueries::refresh(std::vector<jobs::Job>& jobs) {
  const bool any = std::any_of(jobs.begin(), jobs.end(),
                               [](const jobs::Job& job) { return job.state == jobs::JobState::processing; });
  if (!any) co_return Result<void>();
  std::function work = [this, &jobs](Transaction&) -> Result<void> {
    for (auto& job : jobs) {
      // An attempt that began since then is another one: it may be in a transaction that is not durable yet.
      auto* running = job.state == jobs::JobState::processing ? live_.find(job.id) : nullptr;
      if (running != nullptr && running->row.job.attempt == job.attempt) job = running->row.job;
    }
    return {};
  };
  co_return co_await writer_.pass(std::move(work));
}

Task<Result<std::string>> SqliteJobQueries::body_of(UserId user, JobId job) {
  std::function question = [this, user = std::move(user),
                            job = std::move(job)](sqlite::Connection& database) -> Result<std::string> {
    if (const auto owned = find_owned(database, lists_.job_ids, user, job); !owned) return owned.error();
    auto& row = database.statement("SELECT body FROM submitted_jobs WHERE no = ?");
    if (!row.bind(lists_.job_ids.number_of(database, job.value())).next()) return std::string();
    auto body = row.text(0);
    row.reset();
    return body;
  };
  return readers_.read(std::move(question));
}

Task<Result<jobs::JobPage>> SqliteJobQueries::list(UserId user, jobs::JobFilter filter) {
  const auto before = read_cursor(filter.cursor);
  if (!before) co_return before.error();
  std::function question = [this, user = std::move(user), filter,
                            before = *before](sqlite::Connection& database) -> Result<jobs::JobPage> {
    jobs::JobPage page;
    std::int64_t last = 0;
    read_jobs(database, lists_.jobs, user, filter, before, [&](const sqlite::Statement& row) {
      if (static_cast<int>(page.jobs.size()) == filter.limit) {
        page.next_cursor = std::to_string(last);
        return false;
      }
      page.jobs.push_back(read_job(row));
      last = row.integer(kNumberColumn);
      return true;
    });
    return page;
  };
  auto page = co_await readers_.read(std::move(question));
  if (!page) co_return page;
  const auto refreshed = co_await refresh(page->jobs);
  if (!refreshed) co_return refreshed.error();
  co_return page;
}

Task<Result<jobs::JobCounts>> SqliteJobQueries::counts() { co_return live_.counts(); }

Task<Result<int>> SqliteJobQueries::unfinished(UserId user) {
  std::function work = [this, user = std::move(user)](Transaction&) -> Result<int> { return live_.unfinished(user); };
  return writer_.pass(std::move(work));
}

Task<Result<std::optional<Timestamp>>> SqliteJobQueries::next_due() {
  std::function work = [this](Transaction&) -> Result<std::optional<Timestamp>> {
    live_.promote(clock_.now());
    return live_.next_due();
  };
  return writer_.pass(std::move(work));
}

Task<Result<std::optional<int>>> SqliteJobQueries::position(UserId user, JobId job) {
  std::function work = [this, user = std::move(user),
                        job = std::move(job)](Transaction& transaction) -> Result<std::optional<int>> {
    live_.promote(clock_.now());
    // Without the database, whose pages are seldom in memory where there are many jobs.
    if (const auto id = Uuid::parse(job.value())) {
      if (const auto position = live_.order().position(user, *id)) return position;
    }
    const auto row = find_row(transaction.database(), lists_.job_ids, job);
    if (!row || row->job.user != user) return jobs::job_not_found();
    if (row->job.state != jobs::JobState::pending) return std::optional<int>();
    return live_.position(*row);
  };
  return writer_.pass(std::move(work));
}

Task<Result<jobs::HistoryPage>> SqliteJobQueries::history(UserId user, jobs::HistoryQuery query) {
  std::function question = [this, user = std::move(user),
                            query](sqlite::Connection& database) -> Result<jobs::HistoryPage> {
    return read_history(database, lists_.analyses, user, query);
  };
  return readers_.read(std::move(question));
}

Task<Result<jobs::Analysis>> SqliteJobQueries::analysis(UserId user, AuditId id) {
  std::function question = [this, user = std::move(user), id = std::move(id)](sqlite::Connection& database) {
    return find_analysis(database, lists_, user, id);
  };
  return readers_.read(std::move(question));
}

Task<Result<jobs::Analysis>> SqliteJobQueries::remove_analysis(UserId user, AuditId id) {
  std::function work = [this, user = std::move(user),
                        id = std::move(id)](Transaction& transaction) -> Result<jobs::Analysis> {
    auto found = find_analysis(transaction.database(), lists_, user, id);
    if (!found) return found;
    store_sqlite::remove_analysis(transaction.database(), lists_, id);
    transaction.database().run("UPDATE job_states SET audit_id = NULL WHERE no = ? AND audit_id = ?",
                               lists_.job_ids.number_of(transaction.database(), found->job.value()), id.value());
    return found;
  };
  return writer_.write(std::move(work));
}

Task<Result<std::vector<jobs::Event>>> SqliteEventLog::after(std::int64_t id, int limit) {
  std::function question = [this, id, limit](sqlite::Connection& database) -> Result<std::vector<jobs::Event>> {
    return read_log(database, id, live_.last_told(), limit);
  };
  return readers_.read(std::move(question));
}

Task<Result<SqliteEventLog::Known>> SqliteEventLog::know(UserId user) {
  std::function upto = [this](Transaction&) -> Result<Known> { return Known{live_.last_event(), {}}; };
  auto filed = co_await writer_.file(std::move(upto));
  if (filed) co_return filed;
  std::function copy = [this, user = std::move(user)](Transaction&) -> Result<Known> {
    return Known{live_.last_event(), live_.unfiled_of(user)};
  };
  co_return co_await writer_.pass(std::move(copy));
}

std::int64_t SqliteEventLog::bound(const Known& known) const { return std::min(known.upto, live_.last_told()); }

Task<Result<std::vector<jobs::Event>>> SqliteEventLog::of_user_after(UserId user, std::int64_t seq, int limit) {
  auto asked = know(user);
  auto known = co_await std::move(asked);
  if (!known) co_return known.error();
  auto& unfiled = known->unfiled;
  std::int64_t told_upto = 0;
  std::function question = [this, user = std::move(user), seq, limit, known = &*known,
                            &told_upto](sqlite::Connection& database) -> Result<std::vector<jobs::Event>> {
    std::vector<jobs::Event> events;
    told_upto = bound(*known);
    read_events(database, lists_.events, user, {seq, INT64_MAX, std::nullopt}, [&](jobs::Event event) {
      if (events.size() == static_cast<std::size_t>(limit) || event.id > told_upto) return false;
      events.push_back(std::move(event));
      return true;
    });
    return events;
  };
  auto events = co_await readers_.read(std::move(question));
  std::erase_if(unfiled, [&](const jobs::Event& event) { return event.id > told_upto; });
  if (events && !unfiled.empty()) add_unfiled(*events, std::move(unfiled), seq, limit);
  co_return events;
}

Task<Result<std::vector<jobs::Event>>> SqliteEventLog::of_job_after(UserId user, JobId job, std::int64_t seq,
                                                                    int limit) {
  auto asked = know(user);
  auto known = co_await std::move(asked);
  if (!known) co_return known.error();
  auto& unfiled = known->unfiled;
  std::erase_if(unfiled, [&](const jobs::Event& event) { return event.job != job; });
  std::int64_t told_upto = 0;
  std::function question = [this, user = std::move(user), job = std::move(job), seq, limit, known = &*known,
                            &told_upto](sqlite::Connection& database) -> Result<std::vector<jobs::Event>> {
    std::vector<jobs::Event> events;
    const auto row = find_row(database, lists_.job_ids, job);
    if (!row || row->job.user != user) return events;
    // Among its user's events it has those of its own time alone to look through.
    const auto last = row->last_seq > 0 ? row->last_seq : INT64_MAX;
    std::size_t bytes = 0;
    told_upto = bound(*known);
    read_events(database, lists_.events, user, {std::max(seq, row->first_seq - 1), last, job}, [&](jobs::Event event) {
      if (events.size() == static_cast<std::size_t>(limit) || bytes >= kPageBytes) return false;
      if (event.id > told_upto) return false;
      bytes += event.payload.size();
      events.push_back(std::move(event));
      return true;
    });
    return events;
  };
  auto events = co_await readers_.read(std::move(question));
  std::erase_if(unfiled, [&](const jobs::Event& event) { return event.id > told_upto; });
  if (!events || unfiled.empty()) co_return events;
  std::size_t bytes = 0;
  for (const auto& event : *events) bytes += event.payload.size();
  // Only behind all that the log has: a page that is full stands for itself.
  if (bytes < kPageBytes) add_unfiled(*events, std::move(unfiled), seq, limit);
  co_return events;
}

Task<Result<std::int64_t>> SqliteEventLog::seq_at(UserId user, std::int64_t id) {
  std::function question = [this, user = std::move(user), id](sqlite::Connection& database) -> Result<std::int64_t> {
    std::int64_t seq = 0;
    lists_.events.each(database, user, 0, INT64_MAX, UserList::Direction::down, [&](const ListEntry& entry) {
      if (entry.row <= id) seq = entry.place;
      return seq == 0;
    });
    return seq;
  };
  return readers_.read(std::move(question));
}

Task<Result<bool>> SqliteEventLog::has(UserId user, std::int64_t id) {
  std::function question = [user = std::move(user), id](sqlite::Connection& database) -> Result<bool> {
    return database.statement("SELECT 1 FROM log WHERE id = ? AND user_id = ?").bind(id, user.value()).next();
  };
  return readers_.read(std::move(question));
}

Task<Result<jobs::LogState>> SqliteEventLog::state() {
  std::function question = [](sqlite::Connection& database) -> Result<std::string> {
    auto& rows = database.statement("SELECT identity FROM event_log").bind();
    rows.next();
    return rows.text(0);
  };
  auto identity = co_await readers_.read(std::move(question));
  if (!identity) co_return identity.error();
  co_return jobs::LogState{std::move(*identity), live_.last_told()};
}

}  // namespace rushes::store_sqlite
