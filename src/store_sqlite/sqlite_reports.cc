// The part of SqliteJobQueries that operators use.
#include "jobs/transitions.h"
#include "store_sqlite/attempt_rows.h"
#include "store_sqlite/event_rows.h"
#include "store_sqlite/sqlite_job_queries.h"

#include <algorithm>

namespace rushes::store_sqlite {
namespace {

std::vector<jobs::Event> events_of(sqlite::Connection& database, const UserList& list, const Row& row) {
  const auto last = row.last_seq > 0 ? row.last_seq : INT64_MAX;
  std::vector<jobs::Event> events;
  read_events(database, list, row.job.user, {row.first_seq - 1, last, row.job.id}, [&](jobs::Event event) {
    events.push_back(std::move(event));
    return true;
  });
  return events;
}

std::vector<jobs::QueueReport::User> busiest(const jobs::FairOrder& order, int count) {
  std::vector<jobs::QueueReport::User> users;
  order.each_user([&](const UserId& user, std::size_t waiting, int running) {
    users.push_back({user, static_cast<std::int64_t>(waiting), running});
  });
  const auto kept = std::min(users.size(), static_cast<std::size_t>(count));
  std::partial_sort(users.begin(), users.begin() + static_cast<std::ptrdiff_t>(kept), users.end(),
                    [](const auto& left, const auto& right) {
                      if (left.waiting != right.waiting) return left.waiting > right.waiting;
                      if (left.running != right.running) return left.running > right.running;
                      return left.id.value() < right.id.value();
                    });
  users.resize(kept);
  return users;
}

}  // namespace

Task<Result<std::vector<jobs::Attempt>>> SqliteJobQueries::attempts(UserId user, JobId job) {
  std::function question = [this, user = std::move(user),
                            job = std::move(job)](sqlite::Connection& database) -> Result<std::vector<jobs::Attempt>> {
    const auto row = find_row(database, lists_.job_ids, job);
    if (!row || row->job.user != user) return jobs::job_not_found();
    return attempts_of(database, *row);
  };
  return readers_.read(std::move(question));
}

Task<Result<jobs::QueueReport>> SqliteJobQueries::report(int users) {
  std::function work = [this, users](Transaction&) -> Result<jobs::QueueReport> {
    live_.promote(clock_.now());
    const auto& order = live_.order();
    jobs::QueueReport report;
    for (std::size_t type = 0; type < jobs::kJobTypes; ++type) {
      const auto which = static_cast<jobs::JobType>(type);
      report.types[type] = {static_cast<std::int64_t>(order.waiting(which)), order.running(which), live_.types()[type]};
      const auto oldest = order.oldest(which);
      if (oldest && *oldest < report.oldest_waiting.value_or(Timestamp::max())) report.oldest_waiting = oldest;
    }
    report.later = static_cast<std::int64_t>(live_.later());
    report.users = static_cast<std::int64_t>(order.users());
    report.busiest = busiest(order, users);
    report.dead = live_.dead();
    return report;
  };
  return writer_.pass(std::move(work));
}

Task<Result<SqliteJobQueries::Live>> SqliteJobQueries::live_of(Row row) {
  std::function work = [this, row = std::move(row)](Transaction&) -> Result<Live> {
    live_.promote(clock_.now());
    const auto& order = live_.order();
    Live live;
    live.waiting = static_cast<std::int64_t>(order.waiting());
    live.running_of_user = order.running_of(row.job.user);
    live.user_is_at_limit = order.is_at_limit(row.job.user, row.job.type);
    live.type = live_.types()[static_cast<std::size_t>(row.job.type)];
    if (const auto id = Uuid::parse(row.job.id.value())) live.position = order.position(row.job.user, *id);
    if (const auto* running = live_.find(row.job.id)) live.running = running->row;
    return live;
  };
  return writer_.pass(std::move(work));
}

Task<Result<jobs::JobReport>> SqliteJobQueries::report_job(JobId job) {
  (void)co_await writer_.file();  // without it, the last second of its stages is not shown
  std::function find = [this, job](sqlite::Connection& database) -> Result<Row> {
    auto row = find_row(database, lists_.job_ids, job);
    if (!row) return jobs::job_not_found();
    return std::move(*row);
  };
  auto found = co_await readers_.read(std::move(find));
  if (!found) co_return found.error();
  const auto live = co_await live_of(std::move(*found));
  if (!live) co_return live.error();
  // The row once more, as it is now and fits its attempts and events.
  std::function read = [this, job = std::move(job),
                        live = *live](sqlite::Connection& database) -> Result<jobs::JobReport> {
    auto row = find_row(database, lists_.job_ids, job);
    if (!row) return jobs::job_not_found();
    jobs::JobReport report;
    report.attempts = attempts_of(database, *row);
    report.events = events_of(database, lists_.events, *row);
    report.waiting = live.waiting;
    report.running_of_user = live.running_of_user;
    report.user_is_at_limit = live.user_is_at_limit;
    report.type = live.type;
    if (row->job.state == jobs::JobState::pending) {
      report.position = live.position;
      if (!report.position) report.run_at = from_millis(row->run_at);
    }
    // A row keeps its token when its attempt has ended meanwhile.
    const bool runs = row->job.state == jobs::JobState::processing;
    if (runs && live.running && live.running->token == row->token) {
      report.lease_expires_at = live.running->expires_at;
      row->job = live.running->job;
    }
    report.job = std::move(row->job);
    return report;
  };
  co_return co_await readers_.read(std::move(read));
}

Task<Result<jobs::JobPage>> SqliteJobQueries::dead(jobs::DeadFilter filter) {
  const auto before = read_cursor(filter.cursor);
  if (!before) co_return before.error();
  std::function question = [filter = std::move(filter),
                            before = *before](sqlite::Connection& database) -> Result<jobs::JobPage> {
    auto wanted = filter;
    ++wanted.limit;
    auto rows = dead_rows(database, wanted, before, true);
    jobs::JobPage page;
    if (static_cast<int>(rows.size()) > filter.limit) {
      rows.pop_back();
      page.next_cursor = std::to_string(rows.back().number);
    }
    for (auto& row : rows) page.jobs.push_back(std::move(row.job));
    return page;
  };
  co_return co_await readers_.read(std::move(question));
}

}  // namespace rushes::store_sqlite
