#include "store_sqlite/checkpointer.h"

#include "base/log.h"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <utility>

namespace rushes::store_sqlite {
namespace {

// Pages that are copied and written out at once: few enough that a sync of the log does not wait for long behind them.
constexpr int kStep = 250;
constexpr std::chrono::milliseconds kPatienceWithReaders{50};
// Of its thread (nice(2)): a tenth of a core is left to it where all others want it. Much less, and the log grows.
constexpr int kNice = 10;

}  // namespace

Checkpointer::Checkpointer(std::filesystem::path file) : file_(std::move(file)) {
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "db-checkpoint");
    // Nobody waits for it, and it stays in the kernel for long: whoever wakes is to have the core at once. Where that
    // is refused it is not.
    (void)::setpriority(PRIO_PROCESS, static_cast<id_t>(::gettid()), kNice);
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
    restart_at_ = kLongLog;
  }
  if (pages >= restart_at_ && (is_ready() || pages >= restart_at_ + kLongLog)) {
    restart_at_ = pages + pages / 2;  // where a reader does not let it
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
  return ready_;
}

void Checkpointer::restart_log(sqlite::Connection& writer) {
  {
    std::unique_lock lock(mutex_);
    due_ = ready_ = false;
    changed_.wait(lock, [this] { return !copying_; });  // one checkpoint at a time
  }
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

bool Checkpointer::copy_what_is_due(std::optional<sqlite::Connection>& connection) const {
  try {
    if (!connection) connection.emplace(file_, sqlite::Access::read_write);
    if (copy(*connection) < kLongLog) return false;
    copy(*connection);  // what came meanwhile
    connection->sync_database();
    return true;
  } catch (const sqlite::Failure& error) {
    log::warning("store", "cannot checkpoint: {}", error.what());
    return false;
  }
}

void Checkpointer::run() {
  std::optional<sqlite::Connection> connection;
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return stopping_ || due_; });
    if (stopping_) return;
    due_ = false;
    copying_ = true;
    lock.unlock();
    const bool synced = copy_what_is_due(connection);
    lock.lock();
    copying_ = false;
    ready_ = synced && !due_;
    changed_.notify_all();
  }
}

}  // namespace rushes::store_sqlite
