#include "store_sqlite/live_jobs.h"

#include "store_sqlite/transaction.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace rushes::store_sqlite {
namespace {

constexpr std::size_t kMeasured = 20;       // jobs of a type, for the mean
constexpr int kLookedAt = 200;              // jobs, to find those in
constexpr std::size_t kMostLogs = 200'000;  // of users, kept in memory
constexpr std::int64_t kTokensAtOnce = 1'000'000;
// How much progress may be told before it is filed, or overtaken by what is. After a crash the numbers of those whose
// jobs ran go on by more, and events' ids too, so that none is given twice.
constexpr std::size_t kMostUnfiled = 3'000;
constexpr std::size_t kMostTold = 4'000;  // where the disk takes nothing
static_assert(kMostTold < static_cast<std::size_t>(jobs::EventLog::kLostNumbers));
constexpr std::int64_t kIdsLost = 1'000'000;

std::int64_t single(sqlite::Statement& row) {
  row.next();
  const auto value = row.integer(0);
  row.reset();
  return value;
}

}  // namespace

void LiveJobs::load(sqlite::Connection& database, bool within) {
  if (within) {
    lists_.rolled_back_partly(database);
  } else {
    lists_.rolled_back();
  }
  order_.clear();
  later_.clear();
  later_of_.clear();
  later_of_type_ = {};
  auto before = std::exchange(running_, {});
  for (auto& ended : std::exchange(ended_, {})) before.try_emplace(ended.row.job.id, std::move(ended));
  took_ = {};
  if (!within) filing_ = false;
  // Numbers that were given stay given; what was to be filed may not have been.
  for (auto& [user, log] : logs_) log.filed = Log::kUnknown;

  listed_.load(database);
  // The newest may be gone, and its number in the list's counter.
  last_analysis_ = std::max(
      last_analysis_, single(database.statement("SELECT max((SELECT coalesce(max(no), 0) FROM analyses),"
                                                " (SELECT value FROM counters WHERE name = 'analyses_listed'))")));
  last_place_ = 0;
  last_token_ = tokens_kept_ = single(database.statement("SELECT value FROM counters WHERE name = 'lease'"));

  auto& begun = database.statement("SELECT " RUSHES_JOB_COLUMNS " FROM " RUSHES_MAYBE_UNFINISHED " WHERE state = 1");
  begun.bind(listed_.upto());
  while (begun.next()) {
    auto row = read_row(begun);
    last_place_ = std::max(last_place_, row.place);
    order_.add_running(row.job.user, row.job.type);
    const auto known = before.find(row.job.id);
    if (known != before.end() && known->second.row.token == row.token) {
      known->second.row.job.cancel_requested = row.job.cancel_requested;
      running_.emplace(row.job.id, std::move(known->second));
      before.erase(known);
    } else {
      begin(std::move(row));
    }
  }
  types_ = {};
  auto& settings = database.statement("SELECT type, paused, max_running FROM type_settings");
  while (settings.next()) {
    auto& type = types_.at(static_cast<std::size_t>(settings.integer(0)));
    type.paused = settings.integer(1) != 0;
    if (!settings.is_null(2)) type.max_running = static_cast<int>(settings.integer(2));
  }
  dead_ = single(database.statement("SELECT count(*) FROM dead_jobs"));
  if (last_number_ == 0) skip_lost(database);
  // By number, so that those who came first have the earlier slots.
  auto& waiting = database.statement(
      "SELECT no, user_id, place, type, priority, run_at, position, processed_at, id, CASE WHEN attempt > 0 THEN"
      " ifnull((SELECT max(ended_at) FROM attempts WHERE job_no = no), created_at) ELSE created_at END"
      " FROM " RUSHES_MAYBE_UNFINISHED " WHERE state = 0");
  waiting.bind(listed_.upto());
  while (waiting.next()) {
    jobs::Waiting job;
    job.number = waiting.integer(0);
    job.place = waiting.integer(2);
    last_place_ = std::max(last_place_, job.place);
    job.type = static_cast<jobs::JobType>(waiting.integer(3));
    job.priority = static_cast<int>(waiting.integer(4));
    job.told_position = static_cast<std::int32_t>(waiting.integer(6));
    job.silent = !waiting.is_null(7);
    job.id = Uuid::parse(waiting.text(8)).value_or(Uuid());
    job.since = second_of(from_millis(waiting.integer(9)));
    wait(UserId(waiting.text(1)), job, waiting.integer(5), from_millis(0));
  }
  auto& ended = database.statement(
      "SELECT type, finished_at - processed_at, state, user_id, finished_at"
      " FROM job_states CROSS JOIN submitted_jobs USING (no)"
      " WHERE state >= 2 AND processed_at IS NOT NULL ORDER BY job_states.no DESC LIMIT ?");
  ended.bind(kLookedAt);
  while (ended.next()) {
    order_.add_ran(UserId(ended.text(3)), from_millis(ended.integer(4)));
    if (static_cast<jobs::JobState>(ended.integer(2)) != jobs::JobState::completed) continue;
    auto& [each, sum] = took_.at(static_cast<std::size_t>(ended.integer(0)));
    if (each.size() == kMeasured) continue;
    each.push_front(ended.integer(1));
    sum += each.front();
  }
  if (within) {
    // Those that the transaction has ended so far run on if it does not come about.
    for (auto& [id, running] : before) ended_.push_back(std::move(running));
  } else {
    count();
  }
}

void LiveJobs::skip_lost(sqlite::Connection& database) {
  const auto last_event = single(database.statement("SELECT coalesce(max(id), 0) FROM events"));
  const auto last_job = single(database.statement("SELECT coalesce(max(no), 0) FROM submitted_jobs"));
  last_number_ = std::max({last_event, last_job, listed_.upto()});
  if (!running_.empty()) last_number_ += kIdsLost;
  last_told_ = last_number_;
  for (const auto& [id, running] : running_) {
    const auto seq = log_of(database, running.row.job.user).seq + jobs::EventLog::kLostNumbers;
    database.run("INSERT INTO event_numbers VALUES (?1, ?2) ON CONFLICT (user_id) DO UPDATE SET seq = ?2",
                 running.row.job.user.value(), seq);
  }
  logs_.clear();
}

std::int64_t LiveJobs::new_token(sqlite::Connection& database) {
  if (last_token_ == tokens_kept_) {
    tokens_kept_ += kTokensAtOnce;
    database.run("UPDATE counters SET value = ? WHERE name = 'lease'", tokens_kept_);
  }
  return ++last_token_;
}

void LiveJobs::step_lists(Transaction& transaction) {
  lists_.step(transaction.without_staged());
  listed_.step(transaction);
}

LiveJobs::Log& LiveJobs::log_of(sqlite::Connection& database, const UserId& user) {
  auto known = logs_.find(user);
  if (known != logs_.end() && known->second.filed != Log::kUnknown) return known->second;
  if (known == logs_.end()) {
    // Numbers that only were told are nowhere but here.
    if (logs_.size() >= kMostLogs && told_unfiled_ == 0) logs_.clear();
    known = logs_.emplace(user, Log()).first;
  }
  auto& [seq, filed] = known->second;
  filed = 0;
  if (const auto last = lists_.events.last(database, user)) {
    seq = std::max(seq, last->place);
    filed = last->row;
  }
  auto& skipped = database.statement("SELECT coalesce((SELECT seq FROM event_numbers WHERE user_id = ?), 0)");
  seq = std::max(seq, single(skipped.bind(user.value())));
  return known->second;
}

void LiveJobs::number(sqlite::Connection& database, jobs::Event& event, bool filed) {
  auto& log = log_of(database, event.user);
  event.seq = ++log.seq;
  if (filed) {
    log.filed = event.id;
  } else {
    event.anchor = log.filed;
  }
}

void LiveJobs::wait(const UserId& user, const jobs::Waiting& job, std::int64_t run_at, Timestamp now) {
  if (run_at <= to_millis(now)) return order_.add(user, job);
  auto& later = later_.emplace(std::pair(run_at, job.number), Later{user, job}).first->second;
  later.job.since = std::max(job.since, second_of(from_millis(run_at)));
  ++later_of_[user];
  ++later_of_type_[static_cast<std::size_t>(job.type)];
}

void LiveJobs::wait_no_more(const UserId& user, const jobs::Waiting& job, std::int64_t run_at) {
  const auto found = later_.find({run_at, job.number});
  if (found == later_.end()) {
    order_.remove(user, job.priority, job.place);
    return;
  }
  later_.erase(found);
  --later_of_type_[static_cast<std::size_t>(job.type)];
  if (--later_of_[user] == 0) later_of_.erase(user);
}

std::optional<int> LiveJobs::position(const Row& row) const {
  if (later_.contains({row.run_at, row.number})) return std::nullopt;
  return order_.position(row.job.user, row.job.priority, row.place);
}

void LiveJobs::promote(Timestamp now) {
  const auto before = later_.size();
  while (!later_.empty() && later_.begin()->first.first <= to_millis(now)) {
    const auto due = later_.extract(later_.begin());
    const auto& [user, job] = due.mapped();
    if (--later_of_[user] == 0) later_of_.erase(user);
    --later_of_type_[static_cast<std::size_t>(job.type)];
    order_.add(user, job);
  }
  if (later_.size() != before) count();
}

LiveJobs::Running& LiveJobs::begin(Row row) {
  auto id = row.job.id;
  Running running;
  running.row = std::move(row);
  return running_.insert_or_assign(std::move(id), std::move(running)).first->second;
}

LiveJobs::Running* LiveJobs::find(const JobId& job) {
  const auto found = running_.find(job);
  return found == running_.end() ? nullptr : &found->second;
}

LiveJobs::Running* LiveJobs::find(const jobs::Lease& lease) {
  auto* running = find(lease.job);
  return running != nullptr && running->row.token == lease.token ? running : nullptr;
}

void LiveJobs::end(const JobId& job, Timestamp now) {
  auto ended = running_.extract(job);
  order_.stop(ended.mapped().row.job.user, ended.mapped().row.job.type, now);
  ended_.push_back(std::move(ended.mapped()));
}

void LiveJobs::keep(Running& running, jobs::Event progress) {
  const auto& job = running.row.job;
  ++told_unfiled_;
  if (running.unfiled.empty()) unfiled_.push_back(job.id);
  const bool first = running.filed_stage != job.stage;
  // All but a stage's first is overtaken by what follows.
  if (!first && running.overtakable) running.unfiled.pop_back();
  running.filed_stage = job.stage;
  running.overtakable = !first;
  running.unfiled.push_back(std::move(progress));
}

std::vector<jobs::Event> LiveJobs::unfiled_of(const UserId& user) const {
  std::vector<jobs::Event> events;
  for (const auto& [id, running] : running_) {
    if (running.row.job.user == user) events.insert(events.end(), running.unfiled.begin(), running.unfiled.end());
  }
  return events;
}

bool LiveJobs::must_file() const noexcept { return told_unfiled_ >= kMostUnfiled; }

bool LiveJobs::is_full() const noexcept { return told_unfiled_ >= kMostTold; }

void LiveJobs::file(Transaction& transaction) {
  // A job that has ended and begun anew since may be there twice.
  std::sort(unfiled_.begin(), unfiled_.end());
  unfiled_.erase(std::unique(unfiled_.begin(), unfiled_.end()), unfiled_.end());
  for (const auto& id : unfiled_) {
    auto* running = find(id);
    if (running == nullptr) continue;
    file(transaction, *running);
    transaction.set_state(running->row);
  }
  filing_ = true;
}

void LiveJobs::file(Transaction& transaction, Running& running) {
  if (filing_ || running.unfiled.empty()) return;
  auto& database = transaction.without_staged();
  for (const auto& event : running.unfiled) {
    transaction.file(event);
    lists_.events.add(database, event.user, {event.seq, event.id});
    log_of(database, event.user).filed = event.id;
  }
}

std::vector<JobId> LiveJobs::lost(bool all, Timestamp now) const {
  std::vector<JobId> lost;
  for (const auto& [id, running] : running_) {
    if (all || running.row.expires_at <= now) lost.push_back(id);
  }
  return lost;
}

int LiveJobs::unfinished(const UserId& user) const {
  const auto later = later_of_.find(user);
  return static_cast<int>(order_.waiting_of(user)) + order_.running_of(user) +
         (later == later_of_.end() ? 0 : later->second);
}

void LiveJobs::measured(jobs::JobType type, std::chrono::milliseconds took) {
  auto& [each, sum] = took_[static_cast<std::size_t>(type)];
  each.push_back(took.count());
  sum += took.count();
  if (each.size() <= kMeasured) return;
  sum -= each.front();
  each.pop_front();
}

std::optional<int> LiveJobs::estimate_wait(jobs::JobType type, int position) const {
  if (types_[static_cast<std::size_t>(type)].paused) return std::nullopt;
  std::int64_t total = 0;
  std::size_t measured = 0;
  for (const auto& took : took_) {
    total += took.sum;
    measured += took.each.size();
  }
  if (measured == 0) return std::nullopt;
  // Of which types those are that stand before it is not known: of each as many as its share in those that wait.
  const auto others = static_cast<double>(std::max<std::size_t>(order_.waiting(), 2) - 1);
  double before = 0;
  double work = 0;  // ms
  for (std::size_t i = 0; i < jobs::kJobTypes; ++i) {
    const auto other = static_cast<jobs::JobType>(i);
    double count = order_.running(other);
    if (!types_[i].paused) {
      const auto waiting = order_.waiting(other) - (other == type ? 1 : 0);
      count += (position - 1) * static_cast<double>(waiting) / others;
    }
    const auto& [each, sum] = took_[i];
    // Of a type of which none has ended nothing better is known than how long the others took.
    const auto mean = each.empty() ? static_cast<double>(total) / static_cast<double>(measured)
                                   : static_cast<double>(sum) / static_cast<double>(each.size());
    before += count;
    work += count * mean;
  }
  const bool is_transcript = type == jobs::JobType::transcript;
  const auto slots = parallel_jobs_ + (is_transcript ? transcript_slots_ : 0);
  // Transcripts that run in slots of their own are in no other type's way.
  const auto beside = is_transcript ? 0 : std::min(transcript_slots_, order_.running(jobs::JobType::transcript));
  const auto rounds = std::floor((before - beside) / slots + 1e-9);
  if (rounds <= 0) return std::nullopt;
  return static_cast<int>(std::ceil(work / before * rounds / 1000 - 1e-9));
}

std::optional<Timestamp> LiveJobs::next_due() const {
  return later_.empty() ? std::nullopt : std::optional(from_millis(later_.begin()->first.first));
}

void LiveJobs::count() {
  jobs::JobCounts counts;
  counts.pending = static_cast<std::int64_t>(order_.waiting() + later_.size());
  counts.processing = order_.running();
  counts.dead = dead_;
  for (std::size_t i = 0; i < jobs::kJobTypes; ++i) {
    const auto type = static_cast<jobs::JobType>(i);
    counts.types[i] = {static_cast<std::int64_t>(order_.waiting(type)), later_of_type_[i], order_.running(type),
                       order_.oldest(type), types_[i].paused};
  }
  const std::lock_guard lock(counts_mutex_);
  counts_ = counts;
}

jobs::JobCounts LiveJobs::counts() const {
  const std::lock_guard lock(counts_mutex_);
  return counts_;
}

void LiveJobs::committed() {
  lists_.committed();
  count();
  ended_.clear();
  if (!std::exchange(filing_, false)) return;
  for (const auto& id : unfiled_) {
    auto* running = find(id);
    if (running == nullptr) continue;
    running->unfiled.clear();
    running->overtakable = false;
  }
  unfiled_.clear();
  told_unfiled_ = 0;
}

}  // namespace rushes::store_sqlite
