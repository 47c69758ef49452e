#include "store_sqlite/writer.h"

#include <pthread.h>

#include <algorithm>

namespace rushes::store_sqlite {
namespace {

// A batch ends here even when more wait, so that the first of them is not kept for long.
constexpr std::size_t kLargestBatch = 1000;
constexpr std::size_t kReservedLog = std::size_t{Checkpointer::kLongLog + 1'000} * 4'120;
// After it was told.
constexpr std::chrono::milliseconds kFileWithin{1'000};
constexpr std::chrono::milliseconds kProbeEvery{1'000};
constexpr std::chrono::seconds kSayEvery{10};

int on_wal(void* due, sqlite3* database, const char* name, int pages) {
  (void)database;
  (void)name;
  *static_cast<int*>(due) = pages;
  return SQLITE_OK;
}

}  // namespace

class Writer::Written final : public LogSyncer::Step {
 public:
  Written(const Writer& writer, Batch batch, std::vector<jobs::Event> events)
      : writer_(writer), batch_(std::move(batch)), events_(std::move(events)) {}

  void durable() override {
    writer_.tell(events_);
    finish(std::move(batch_));
  }
  void late(const sqlite::Failure& failure) override {
    for (auto& unit : batch_) unit->fail(failure.to_error());
    finish(std::exchange(batch_, {}));
  }

 private:
  const Writer& writer_;
  Batch batch_;
  std::vector<jobs::Event> events_;
};

Writer::Writer(const std::filesystem::path& file, WriterHooks hooks, WriterOptions options)
    : connection_(file, sqlite::Access::read_write),
      hooks_(std::move(hooks)),
      syncer_(file, options.patience),
      checkpointer_(file) {
  connection_.set_page_cache(options.page_cache);
  staged_.offer(connection_);
  if (options.reserve_log) connection_.reserve_log(kReservedLog);
  if (hooks_.reload) hooks_.reload(connection_, false);
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "db-writer");
    run();
  });
}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  thread_.join();
}

void Writer::push(std::unique_ptr<Unit> unit) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(unit));
  }
  arrived_.notify_one();
}

Task<Result<void>> Writer::file() {
  std::function<Result<void>(Transaction&)> work = [](Transaction&) { return Result<void>(); };
  return file(std::move(work));
}

void Writer::run() {
  int wal_pages = 0;  // in the log, as of the last commit
  // Instead of SQLite's own checkpoints, which would run here and hold up a commit.
  sqlite3_wal_hook(connection_.handle(), on_wal, &wal_pages);
  for (;;) {
    Batch batch;
    {
      std::unique_lock lock(mutex_);
      const auto woken = [this] { return stopping_ || !waiting_.empty(); };
      if (const auto look = next_look()) {
        arrived_.wait_until(lock, *look, woken);
      } else {
        arrived_.wait(lock, woken);
      }
      if (stopping_ && waiting_.empty()) break;
      lock.unlock();
      syncer_.wait_until_ready();
      lock.lock();
      const auto taken = std::min(waiting_.size(), kLargestBatch);
      const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(taken);
      batch.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
      waiting_.erase(waiting_.begin(), end);
    }
    commit(std::move(batch));
    checkpointer_.committed(wal_pages, connection_);
  }
  file_at_ = std::chrono::steady_clock::time_point::min();
  commit({});
}

void Writer::roll_back() noexcept {
  failed_ = true;
  staged_.drop();  // its requests go with their units
  if (!connection_.in_transaction()) return;
  try {
    connection_.run("ROLLBACK");
  } catch (const sqlite::Failure& error) {
    log::error("store", "cannot roll back: {}", error.what());
  }
}

void Writer::reload() {
  if (!stale_) return;
  if (hooks_.reload) hooks_.reload(connection_, false);
  stale_ = false;
}

void Writer::probe() {
  if (const auto failure = syncer_.failure()) throw sqlite::Failure(*failure);
  if (!failed_) return;
  connection_.run("BEGIN IMMEDIATE");
  connection_.run("INSERT INTO counters VALUES ('recoveries', 1) ON CONFLICT (name) DO UPDATE SET value = value + 1");
  connection_.run("COMMIT");
  failed_ = false;
  if (refused_ > 0) log::warning("store", "the disk takes changes again; {} were refused", std::exchange(refused_, 0));
  const std::lock_guard lock(refusal_mutex_);
  refusal_.reset();
}

void Writer::refused(const sqlite::Failure& failure, Batch& batch) {
  const auto error = failure.to_error();
  for (auto& unit : batch) unit->fail(error);
  roll_back();
  connection_.leave_syncs(false);
  const auto now = std::chrono::steady_clock::now();
  probe_at_ = now + kProbeEvery;
  if (file_at_) file_at_ = now + kFileWithin;
  // Not a line for each of the many that are refused while a disk is full.
  if (refused_ == 0 || now >= say_at_) {
    log::error("store", "nothing written of {} changes: {}", batch.size(), failure.what());
    say_at_ = now + kSayEvery;
  }
  refused_ += std::max<std::size_t>(batch.size(), 1);
  const std::lock_guard lock(refusal_mutex_);
  refusal_ = error;
}

std::optional<Error> Writer::refusal() const {
  if (const auto failure = syncer_.failure()) return failure->to_error();
  const std::lock_guard lock(refusal_mutex_);
  return refusal_;
}

std::size_t Writer::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void Writer::run_passing(Batch& batch) {
  std::vector<jobs::Event> events;
  Batch silent;  // those who tell nothing wait for nobody
  Batch telling;
  for (auto& unit : batch) {
    if (unit->kind != Kind::passes) continue;
    Transaction transaction(connection_, staged_, events);
    const auto told = events.size();
    run_unit(*unit, transaction);
    (events.size() == told ? silent : telling).push_back(std::move(unit));
  }
  std::erase(batch, nullptr);
  finish(std::move(silent));
  const bool in_turn = !events.empty() && !syncer_.is_idle();
  conclude(std::move(telling), std::move(events), in_turn ? std::optional(LogSyncer::Needs::order) : std::nullopt);
}

void Writer::conclude(Batch batch, std::vector<jobs::Event> events, std::optional<LogSyncer::Needs> needs) {
  auto written = std::make_unique<Written>(*this, std::move(batch), std::move(events));
  if (needs) {
    syncer_.push(std::move(written), *needs);
  } else {
    written->durable();
  }
}

void Writer::finish(Batch batch) {
  while (!batch.empty()) {
    const auto executor = batch.front()->executor();
    // Else its loop may end with those that are resumed, and be gone before the post returns.
    const asio::executor_work_guard<asio::any_io_executor> held(executor);
    Batch here;
    Batch elsewhere;
    for (auto& unit : batch) (unit->executor() == executor ? here : elsewhere).push_back(std::move(unit));
    asio::post(executor, [units = std::move(here)]() mutable {
      for (auto& unit : units) std::exchange(unit, nullptr)->resume();
    });
    batch = std::move(elsewhere);
  }
}

bool Writer::is_filing_due() const {
  return file_at_ && (hooks_.must_file() || std::chrono::steady_clock::now() >= *file_at_);
}

bool Writer::is_probe_due() const { return failed_ && std::chrono::steady_clock::now() >= probe_at_; }

std::optional<std::chrono::steady_clock::time_point> Writer::next_look() const {
  if (failed_) return file_at_ ? std::min(*file_at_, probe_at_) : probe_at_;
  return file_at_;
}

void Writer::commit(Batch batch) {
  try {
    reload();
    run_passing(batch);
    const bool unfiled = hooks_.has_unfiled && hooks_.has_unfiled();
    if (!unfiled) {
      file_at_.reset();
    } else if (!file_at_) {
      file_at_ = std::chrono::steady_clock::now() + kFileWithin;
    }
    if (!batch.empty() || is_filing_due()) {
      write(batch);
    } else if (is_probe_due()) {
      probe();
    }
  } catch (const sqlite::Failure& failure) {
    refused(failure, batch);
  }
  finish(std::move(batch));
}

void Writer::begin(bool filing, std::vector<jobs::Event>& events) {
  events.clear();
  connection_.run("BEGIN IMMEDIATE");
  stale_ = true;  // until the commit
  Transaction transaction(connection_, staged_, events);
  if (hooks_.begun) hooks_.begun(transaction);
  if (filing) hooks_.file(transaction);
}

void Writer::write(Batch& batch) {
  probe();
  const bool asked =
      std::any_of(batch.begin(), batch.end(), [](const auto& unit) { return unit->kind == Kind::files; });
  const bool filing = file_at_.has_value() && (asked || is_filing_due());
  // One alone is durable sooner without a second thread.
  const bool later = connection_.leave_syncs(batch.size() > 1 || !syncer_.is_idle());
  std::vector<jobs::Event> events;
  events.reserve(batch.size());
  begin(filing, events);
  if (!run_units(batch, events)) {
    roll_back();
    reload();
    begin(filing, events);
    run_carefully(batch, events);
  }
  connection_.run("COMMIT");
  stale_ = failed_ = false;
  if (hooks_.committed) hooks_.committed();
  if (filing) file_at_.reset();
  connection_.leave_syncs(false);
  conclude(std::exchange(batch, {}), std::move(events), later ? std::optional(LogSyncer::Needs::sync) : std::nullopt);
}

void Writer::tell(std::span<const jobs::Event> events) const {
  if (events.empty() || !hooks_.told) return;
  try {
    hooks_.told(events);
  } catch (const std::exception& error) {
    log::error("store", "the listener of the event log threw: {}", error.what());
  }
}

/// Throws where the whole transaction has ended with it, as on a full disk.
Writer::Outcome Writer::run_unit(Unit& unit, Transaction& transaction) {
  try {
    return unit.run(transaction) || transaction.keeps_despite_error() ? Outcome::kept : Outcome::refused;
  } catch (const sqlite::Failure& error) {
    if (unit.kind != Kind::passes && !connection_.in_transaction()) throw;
    unit.fail(error.to_error());
  } catch (const std::exception& error) {  // a bug, of this unit alone
    log::error("store", "a change ended by exception: {}", error.what());
    unit.fail(Error(Errc::internal, error.what()));
  }
  return Outcome::threw;
}

bool Writer::run_units(Batch& batch, std::vector<jobs::Event>& events) {
  for (auto& unit : batch) {
    const auto changes = sqlite3_total_changes64(connection_.handle());
    const auto staged = staged_.count();
    Transaction transaction(connection_, staged_, events);
    const auto outcome = run_unit(*unit, transaction);
    const bool changed = staged_.count() != staged || sqlite3_total_changes64(connection_.handle()) != changes;
    if (outcome == Outcome::threw || (outcome == Outcome::refused && changed)) return false;
  }
  try {
    staged_.write(connection_, events);
  } catch (const sqlite::Failure&) {
    if (!connection_.in_transaction()) throw;
    return false;
  }
  return true;
}

bool Writer::write_staged(Unit& unit, const std::vector<jobs::Event>& events) {
  try {
    staged_.write(connection_, events);
    return true;
  } catch (const sqlite::Failure& error) {
    if (!connection_.in_transaction()) throw;
    unit.fail(error.to_error());
    return false;
  }
}

void Writer::run_carefully(Batch& batch, std::vector<jobs::Event>& events) {
  staged_.write(connection_, events);  // what the beginning of the transaction staged
  for (auto& unit : batch) {
    connection_.run("SAVEPOINT unit");
    const auto told = static_cast<std::ptrdiff_t>(events.size());
    Transaction transaction(connection_, staged_, events);
    if (run_unit(*unit, transaction) != Outcome::kept || !write_staged(*unit, events)) {
      staged_.drop();
      events.erase(events.begin() + told, events.end());
      connection_.run("ROLLBACK TO unit");
      if (hooks_.reload) hooks_.reload(connection_, true);
    }
    connection_.run("RELEASE unit");
  }
}

}  // namespace rushes::store_sqlite
