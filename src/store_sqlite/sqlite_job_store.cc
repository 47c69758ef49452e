#include "store_sqlite/sqlite_job_store.h"

#include "store_sqlite/attempt_rows.h"
#include "store_sqlite/event_rows.h"

#include <algorithm>
#include <map>
#include <set>

namespace rushes::store_sqlite {
namespace {

// Positions that one look compares with what was told: so many at the front, and as many further back in turn.
constexpr int kWindow = 2'000;
// Behind the columns of a job.
constexpr int kDigestColumn = 32;

std::optional<jobs::Job> single_job(sqlite::Statement& row) {
  if (!row.next()) return std::nullopt;
  auto found = read_job(row);
  row.reset();
  return found;
}

std::optional<jobs::Job> find_unique(sqlite::Connection& database, const UserId& user, const std::string& key) {
  if (key.empty()) return std::nullopt;
  return single_job(database
                        .statement("SELECT " RUSHES_JOB_COLUMNS
                                   " FROM jobs WHERE no = (SELECT no FROM unique_keys WHERE user_id = ? AND key = ?)")
                        .bind(user.value(), key));
}

bool differ(const std::string& digest, const std::string& other) {
  return !digest.empty() && !other.empty() && digest != other;
}

/// What a submit of `job` gives where one of its keys is known.
std::optional<jobs::Submission> find_keyed(Transaction& transaction, const jobs::NewJob& job) {
  if (job.idempotency_key.empty() && job.unique_key.empty()) return std::nullopt;
  auto& database = transaction.database();
  if (!job.idempotency_key.empty()) {
    auto& row = database
                    .statement("SELECT " RUSHES_JOB_COLUMNS
                               ", (SELECT digest FROM job_keys WHERE user_id = ?1 AND key = ?2)"
                               " FROM jobs WHERE no = (SELECT no FROM job_keys WHERE user_id = ?1 AND key = ?2)")
                    .bind(job.user.value(), job.idempotency_key);
    if (row.next()) {
      jobs::Submission known{read_job(row), true, differ(row.text(kDigestColumn), job.request_digest)};
      row.reset();
      return known;
    }
  }
  if (auto found = find_unique(database, job.user, job.unique_key)) return jobs::Submission{std::move(*found), true};
  return std::nullopt;
}

/// Which keys the jobs of one request bring: two with the same are one job.
class RequestKeys {
 public:
  enum class Seen : std::uint8_t { no, yes, with_another_request };

  /// Whether `job` is one that came before; else it is remembered.
  Seen look(const jobs::NewJob& job) {
    const Key once{job.user, job.idempotency_key};
    const Key unique{job.user, job.unique_key};
    if (const auto same = digests_.find(once); same != digests_.end()) {
      return differ(same->second, job.request_digest) ? Seen::with_another_request : Seen::yes;
    }
    if (unique_.contains(unique)) return Seen::yes;
    if (!once.second.empty()) digests_.emplace(once, job.request_digest);
    if (!unique.second.empty()) unique_.insert(unique);
    return Seen::no;
  }

 private:
  using Key = std::pair<UserId, std::string>;
  std::map<Key, std::string> digests_;  // by idempotency key
  std::set<Key> unique_;
};

std::optional<Row> find_owned(sqlite::Connection& database, const IdList& ids, const UserId& user, const JobId& id) {
  auto row = find_row(database, ids, id);
  if (!row || row->job.user != user) return std::nullopt;
  return row;
}

}  // namespace

int SqliteJobStore::line_up(const UserId& user, const jobs::Waiting& job, Timestamp now) {
  live_.promote(now);
  return live_.order().add_and_tell(user, job);
}

jobs::Submission SqliteJobStore::add(Transaction& transaction, const jobs::NewJob& job, Timestamp now) {
  Row row;
  row.number = live_.new_number();
  row.place = live_.new_place();
  const auto waiting = new_waiting(job, row, now);
  std::optional<int> position;
  if (job.run_at && *job.run_at > now) {
    row.run_at = to_millis(*job.run_at);
    live_.wait(job.user, waiting, row.run_at, now);
  } else {
    position = line_up(job.user, waiting, now);
  }
  const auto estimated_wait = position ? live_.estimate_wait(job.type, *position) : std::nullopt;
  auto transition = jobs::created(job, position, estimated_wait, now);
  row.job = std::move(transition.job);
  auto& database = transaction.without_staged();
  auto& lists = live_.lists();
  lists.job_ids.add(database, row.job.id.value(), row.number);
  lists.jobs.add(database, row.job.user, {row.number, row.number});
  row.first_seq = log_first_event(transaction, live_, row, *transition.event, now);
  transaction.add(row, job, estimated_wait);
  live_.listed().added(row.number);
  keep_keys(database, row, job);
  if (job.retry_of) {
    const auto earlier = lists.job_ids.number_of(database, job.retry_of->value());
    if (earlier) copy_checkpoints(database, *earlier, row.number);
  }
  return {std::move(row.job)};
}

Task<Result<jobs::Submission>> SqliteJobStore::submit(jobs::NewJob job, int max_unfinished) {
  std::function work = [this, job = std::move(job),
                        max_unfinished](Transaction& transaction) -> Result<jobs::Submission> {
    if (auto known = find_keyed(transaction, job)) return std::move(*known);
    if (live_.unfinished(job.user) >= max_unfinished) return jobs::queue_limit(max_unfinished);
    return add(transaction, job, clock_.now());
  };
  return writer_.write(std::move(work));
}

Task<Result<std::vector<jobs::Submission>>> SqliteJobStore::submit_all(std::vector<jobs::NewJob> all,
                                                                       int max_unfinished) {
  std::function work = [this, all = std::move(all),
                        max_unfinished](Transaction& transaction) -> Result<std::vector<jobs::Submission>> {
    std::vector<jobs::Submission> submitted(all.size());
    std::unordered_map<UserId, int> wanted;
    RequestKeys keys;
    bool reused = false;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (auto known = find_keyed(transaction, all[i])) {
        submitted[i] = std::move(*known);
      } else if (const auto seen = keys.look(all[i]); seen == RequestKeys::Seen::no) {
        ++wanted[all[i].user];
      } else {
        submitted[i].reused = seen == RequestKeys::Seen::with_another_request;
      }
      reused = reused || submitted[i].reused;
    }
    if (reused) return submitted;
    for (const auto& [user, count] : wanted) {
      const auto unfinished = live_.unfinished(user);
      if (unfinished + count > max_unfinished) return jobs::queue_limit(max_unfinished, unfinished, count);
    }
    const auto now = clock_.now();
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (submitted[i].existed) continue;
      auto known = find_keyed(transaction, all[i]);
      submitted[i] = known ? std::move(*known) : add(transaction, all[i], now);
    }
    return submitted;
  };
  return writer_.write(std::move(work));
}

Task<Result<jobs::CancelOutcome>> SqliteJobStore::cancel(UserId user, JobId id) {
  std::function work = [this, user = std::move(user),
                        id = std::move(id)](Transaction& transaction) -> Result<jobs::CancelOutcome> {
    auto& database = transaction.database();
    if (auto* running = live_.find(id)) {
      auto& row = running->row;
      if (row.job.user != user) return jobs::job_not_found();
      database.run("UPDATE job_states SET cancel_requested = 1 WHERE no = ?", row.number);
      row.job.cancel_requested = true;
      return jobs::CancelOutcome::stopping;
    }
    auto row = find_owned(database, live_.lists().job_ids, user, id);
    if (!row) return jobs::job_not_found();
    if (is_end(row->job.state)) return jobs::job_ended(row->job.state);
    const auto now = clock_.now();
    live_.wait_no_more(user, waiting(*row, now), row->run_at);
    auto transition = jobs::cancelled(std::move(row->job), now);
    row->job = std::move(transition.job);
    row->last_seq = log_event(transaction, live_, row->job, *transition.event, now);
    write_end(transaction, *row);
    live_.listed().ended(transaction, row->number);
    return jobs::CancelOutcome::cancelled;
  };
  return writer_.write(std::move(work));
}

Task<Result<jobs::Job>> SqliteJobStore::restart(UserId user, JobId id, int max_unfinished) {
  std::function work = [this, user = std::move(user), id = std::move(id),
                        max_unfinished](Transaction& transaction) -> Result<jobs::Job> {
    auto row = find_owned(transaction.database(), live_.lists().job_ids, user, id);
    if (!row) return jobs::job_not_found();
    if (!is_end(row->job.state)) return jobs::job_not_ended();
    if (const auto other = find_unique(transaction.database(), user, row->job.unique_key)) {
      return jobs::unique_key_taken(other->id);
    }
    if (live_.unfinished(user) >= max_unfinished) return jobs::queue_limit(max_unfinished);
    const auto restarted = restart_row(transaction, *row, clock_.now());
    if (!restarted) return restarted.error();
    return std::move(row->job);
  };
  return writer_.write(std::move(work));
}

Result<void> SqliteJobStore::restart_row(Transaction& transaction, Row& row, Timestamp now) {
  // Until now the job told of it; written here, where few come by, and not where each completes.
  if (row.job.state == jobs::JobState::completed) {
    insert_attempt(transaction.database(), row, jobs::AttemptOutcome::completed, nullptr,
                   row.job.finished_at.value_or(now));
  }
  row.job.processed_at.reset();  // so that it is told where it waits
  row.last_seq = 0;
  ++row.series;
  if (row.job.state == jobs::JobState::failed) live_.count_dead(-1);
  row.place = live_.new_place();
  row.run_at = to_millis(now);  // since when it waits
  const auto position = line_up(row.job.user, waiting(row, now), now);
  const auto wait = live_.estimate_wait(row.job.type, position);
  auto transition = jobs::restarted(std::move(row.job), position, wait);
  if (!transition) return transition.error();
  row.job = std::move(transition->job);
  write_restart(transaction, row);
  live_.listed().begun_anew(transaction, row.number);
  log_event(transaction, live_, row.job, *transition->event, now);
  return {};
}

Task<Result<jobs::Redriven>> SqliteJobStore::redrive(jobs::DeadFilter filter) {
  std::function work = [this, filter = std::move(filter)](Transaction& transaction) -> Result<jobs::Redriven> {
    auto dead = dead_rows(transaction.database(), filter, filter.behind, false);
    const auto now = clock_.now();
    jobs::Redriven redriven;
    if (static_cast<int>(dead.size()) == filter.limit) redriven.upto = dead.back().number;
    for (auto& row : dead) {
      if (find_unique(transaction.database(), row.job.user, row.job.unique_key)) continue;
      ++redriven.jobs;
      const auto restarted = restart_row(transaction, row, now);
      if (!restarted) return restarted.error();
    }
    return redriven;
  };
  return writer_.write(std::move(work));
}

Task<Result<void>> SqliteJobStore::set_type(jobs::JobType type, jobs::TypeSettings settings) {
  std::function work = [this, type, settings](Transaction& transaction) -> Result<void> {
    transaction.database().run(
        "INSERT INTO type_settings VALUES (?1, ?2, ?3)"
        " ON CONFLICT (type) DO UPDATE SET paused = ?2, max_running = ?3",
        static_cast<int>(type), settings.paused, settings.max_running);
    live_.types()[static_cast<std::size_t>(type)] = settings;
    return {};
  };
  return writer_.write(std::move(work));
}

struct SqliteJobStore::Telling {
  Timestamp now;
  int limit;
  int told = 0;
  int left = 0;
};

void SqliteJobStore::tell_positions(Transaction& transaction, Telling& telling, int from) {
  auto& database = transaction.database();
  const auto second_ago = to_millis(telling.now - std::chrono::seconds(1));
  live_.order().each(from, [&](const UserId&, jobs::Waiting& job, int position) {
    if (position >= from + kWindow) return false;
    if (job.told_position == position) return true;
    if (job.silent) {  // it was told that it runs; what follows is its next attempt
      database.run("UPDATE job_states SET position = ? WHERE no = ?", position, job.number);
      job.told_position = position;
      return true;
    }
    if (job.told_at > second_ago || telling.told == telling.limit) {
      ++telling.left;
      return true;
    }
    ++telling.told;
    auto row = row_of(database, job.number);
    auto transition = jobs::moved(std::move(row.job), position, live_.estimate_wait(job.type, position));
    row.job = std::move(transition.job);
    transaction.set_state(row);
    log_event(transaction, live_, row.job, *transition.event, telling.now);
    job.told_position = position;
    job.told_at = to_millis(telling.now);
    return true;
  });
}

Task<Result<int>> SqliteJobStore::announce_positions(int limit) {
  std::function work = [this, limit](Transaction& transaction) -> Result<int> {
    Telling telling{clock_.now(), limit};
    live_.promote(telling.now);
    const auto waiting = static_cast<int>(live_.order().waiting());
    // Those in front half of it where there are more further back.
    if (waiting > kWindow) telling.limit = limit / 2;
    tell_positions(transaction, telling, 1);
    if (waiting <= kWindow) return telling.left;
    telling.limit = limit;
    next_window_ = next_window_ <= kWindow || next_window_ > waiting ? kWindow + 1 : next_window_;
    tell_positions(transaction, telling, next_window_);
    next_window_ += kWindow;
    // Those that this look did not reach remain too.
    return std::max(telling.left, next_window_ > waiting ? 0 : 1);
  };
  return writer_.write(std::move(work));
}

}  // namespace rushes::store_sqlite
