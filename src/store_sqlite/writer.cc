#include "store_sqlite/writer.h"

#include <pthread.h>

#include <algorithm>

namespace rushes::store_sqlite {
namespace {

// A batch ends here even when more wait, so that the first of them is not kept for long.
constexpr std::size_t kLargestBatch = 1000;
// Pages of 4 KiB in the log, from which on the second thread moves them to the database.
constexpr int kCheckpointPages = 1000;

int on_wal(void* due, sqlite3* database, const char* name, int pages) {
  (void)database;
  (void)name;
  *static_cast<int*>(due) = pages;
  return SQLITE_OK;
}

}  // namespace

Writer::Writer(const std::filesystem::path& file, std::function<void(std::span<const jobs::Event>)> on_committed)
    : connection_(file, sqlite::Access::read_write), on_committed_(std::move(on_committed)) {
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "db-writer");
    run();
  });
  checkpointer_ = std::thread([this, file] {
    ::pthread_setname_np(::pthread_self(), "db-checkpoint");
    checkpoint_loop(file);
  });
}

Writer::~Writer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  arrived_.notify_all();
  checkpoint_wanted_.notify_all();
  thread_.join();
  checkpointer_.join();
}

void Writer::push(std::unique_ptr<Unit> unit) {
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(unit));
  }
  arrived_.notify_one();
}

void Writer::run() {
  int wal_pages = 0;
  // Instead of SQLite's own checkpoints, which would run here and hold up a commit.
  sqlite3_wal_hook(connection_.handle(), on_wal, &wal_pages);
  for (;;) {
    Batch batch;
    {
      std::unique_lock lock(mutex_);
      if (wal_pages >= kCheckpointPages) {
        checkpoint_due_ = true;
        wal_pages = 0;
        checkpoint_wanted_.notify_one();
      }
      arrived_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      const auto taken = std::min(waiting_.size(), kLargestBatch);
      const auto end = waiting_.begin() + static_cast<std::ptrdiff_t>(taken);
      batch.assign(std::make_move_iterator(waiting_.begin()), std::make_move_iterator(end));
      waiting_.erase(waiting_.begin(), end);
    }
    commit(batch);
  }
}

void Writer::commit(Batch& batch) {
  try {
    connection_.run("BEGIN IMMEDIATE");
    const auto events = run_units(batch);
    connection_.run("COMMIT");
    if (!events.empty() && on_committed_) on_committed_(events);
  } catch (const sqlite::Failure& error) {
    if (connection_.in_transaction()) {
      try {
        connection_.run("ROLLBACK");
      } catch (const sqlite::Failure& second) {
        log::error("store", "cannot roll back: {}", second.what());
      }
    }
    log::error("store", "nothing written of {} changes: {}", batch.size(), error.what());
    for (auto& unit : batch) unit->fail(error.to_error());
  }
  for (auto& unit : batch) unit->finish();
}

std::vector<jobs::Event> Writer::run_units(Batch& batch) {
  std::vector<jobs::Event> events;
  for (auto& unit : batch) {
    connection_.run("SAVEPOINT unit");
    Transaction transaction(connection_);
    bool keep = false;
    try {
      keep = unit->run(transaction) || transaction.keep_;
    } catch (const sqlite::Failure& error) {
      // Some failures (a full disk) end the whole transaction.
      if (!connection_.in_transaction()) throw;
      unit->fail(error.to_error());
    } catch (const std::exception& error) {  // a bug, of this unit alone
      log::error("store", "a change ended by exception: {}", error.what());
      unit->fail(Error(Errc::internal, error.what()));
    }
    if (keep) {
      std::move(transaction.events_.begin(), transaction.events_.end(), std::back_inserter(events));
    } else {
      connection_.run("ROLLBACK TO unit");
    }
    connection_.run("RELEASE unit");
  }
  return events;
}

void Writer::checkpoint_loop(const std::filesystem::path& file) {
  std::optional<sqlite::Connection> connection;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      checkpoint_wanted_.wait(lock, [this] { return stopping_ || checkpoint_due_; });
      if (stopping_) return;
      checkpoint_due_ = false;
    }
    try {
      if (!connection) connection.emplace(file, sqlite::Access::read_write);
      connection->execute("PRAGMA wal_checkpoint(PASSIVE)");
    } catch (const sqlite::Failure& error) {
      log::warning("store", "cannot checkpoint: {}", error.what());
    }
  }
}

}  // namespace rushes::store_sqlite
