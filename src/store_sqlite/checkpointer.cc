#include "store_sqlite/checkpointer.h"

#include "base/log.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

namespace rushes::store_sqlite {
namespace {

// Pages that are copied and written out at once: few enough that a sync of the log does not wait for long behind them.
constexpr int kStep = 250;
constexpr int kLongestLog = 2 * Checkpointer::kLongLog;
constexpr std::chrono::milliseconds kPatienceWithReaders{50};

}  // namespace

Checkpointer::Checkpointer(std::filesystem::path file) : file_(std::move(file)), must_at_(kLongestLog) {
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "db-checkpoint");
    run();
  });
}

Checkpointer::~Checkpointer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Checkpointer::committed(int pages, sqlite::Connection& writer) {
  if (pages < asked_at_) {  // it has begun anew
    asked_at_ = 0;
    must_at_ = kLongestLog;
  }
  if (pages >= must_at_ || (pages >= kLongLog && is_ready())) {
    must_at_ = std::max(pages + kStep, kLongestLog);
    restart_log(writer);
  } else if (pages - asked_at_ >= kStep) {
    asked_at_ = pages;
    ask();
  }
}

void Checkpointer::ask() {
  {
    const std::lock_guard lock(mutex_);
    due_ = true;
    ready_ = false;
  }
  changed_.notify_all();
}

bool Checkpointer::is_ready() {
  const std::lock_guard lock(mutex_);
  return std::exchange(ready_, false);
}

void Checkpointer::restart_log(sqlite::Connection& writer) {
  writer.set_lock_patience(kPatienceWithReaders);
  try {
    writer.execute("PRAGMA wal_checkpoint(RESTART)");
  } catch (const sqlite::Failure& error) {
    log::warning("store", "cannot start the log anew: {}", error.what());
  }
  writer.set_lock_patience(sqlite::Connection::kLockPatience);
}

int Checkpointer::copy(sqlite::Connection& connection) {
  auto& done = connection.statement("PRAGMA wal_checkpoint(PASSIVE)");
  done.next();
  const auto pages = static_cast<int>(done.integer(1));
  done.reset();
  connection.write_out_database();
  return pages;
}

void Checkpointer::run() {
  std::optional<sqlite::Connection> connection;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || due_; });
      if (stopping_) return;
      due_ = false;
    }
    try {
      if (!connection) connection.emplace(file_, sqlite::Access::read_write);
      if (copy(*connection) < kLongLog) continue;
      copy(*connection);  // what came meanwhile
      connection->sync_database();
    } catch (const sqlite::Failure& error) {
      log::warning("store", "cannot checkpoint: {}", error.what());
      continue;
    }
    const std::lock_guard lock(mutex_);
    ready_ = !due_;
  }
}

}  // namespace rushes::store_sqlite
