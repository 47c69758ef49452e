#include "store_sqlite/log_syncer.h"

#include "base/log.h"

#include <pthread.h>

#include <algorithm>
#include <iterator>
#include <utility>

namespace rushes::store_sqlite {
namespace {

constexpr std::chrono::milliseconds kFirstPause{10};
constexpr std::chrono::milliseconds kLongestPause{500};
constexpr int kTriesOnceStopping = 3;

}  // namespace

LogSyncer::LogSyncer(const std::filesystem::path& file, std::chrono::milliseconds patience)
    : patience_(patience), connection_(file, sqlite::Access::read_write) {
  connection_.execute("PRAGMA schema_version");  // opens the log
  thread_ = std::thread([this] {
    ::pthread_setname_np(::pthread_self(), "db-sync");
    run();
  });
}

LogSyncer::~LogSyncer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LogSyncer::push(std::unique_ptr<Step> step, Needs needs) {
  {
    const std::lock_guard lock(mutex_);
    sync_waits_ = sync_waits_ || needs == Needs::sync;
    waiting_.push_back({std::move(step), needs, std::chrono::steady_clock::now() + patience_});
  }
  changed_.notify_all();
}

bool LogSyncer::is_idle() const {
  const std::lock_guard lock(mutex_);
  return waiting_.empty() && !busy_;
}

void LogSyncer::wait_until_ready() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !sync_waits_ || !busy_ || failure_; });
}

std::optional<sqlite::Failure> LogSyncer::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

void LogSyncer::take(Turn& turn) {
  std::move(waiting_.begin(), waiting_.end(), std::back_inserter(turn));
  waiting_.clear();
  sync_waits_ = false;
}

void LogSyncer::run() {
  for (;;) {
    Turn turn;
    bool call = true;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      take(turn);
      busy_ = true;
      call = !stopping_;
    }
    changed_.notify_all();
    if (!make_durable(turn)) return;
    if (call) {
      for (auto& one : turn) one.step->durable();
    }
    {
      const std::lock_guard lock(mutex_);
      busy_ = false;
    }
    changed_.notify_all();
  }
}

std::optional<sqlite::Failure> LogSyncer::try_sync() {
  try {
    connection_.sync_log();
    return std::nullopt;
  } catch (const sqlite::Failure& failure) {
    return failure;
  }
}

bool LogSyncer::make_durable(Turn& turn) {
  if (std::all_of(turn.begin(), turn.end(), [](const Waiting& one) { return one.needs == Needs::order; })) return true;
  auto refused = try_sync();
  if (refused) refused = try_sync();  // each handle of a log is told once of a sync that failed
  int tries_left = kTriesOnceStopping;
  for (auto pause = kFirstPause; refused; pause = std::min(2 * pause, kLongestPause)) {
    {
      std::unique_lock lock(mutex_);
      if (!failure_) log::error("store", "what was committed cannot be synced: {}", refused->what());
      failure_ = refused;
      take(turn);
      changed_.notify_all();
      if (stopping_ && --tries_left == 0) return false;
      lock.unlock();
      tell_late(turn, *refused);
      lock.lock();
      changed_.wait_for(lock, pause, [this] { return stopping_; });
    }
    refused = try_sync();
  }
  const std::lock_guard lock(mutex_);
  if (std::exchange(failure_, std::nullopt)) log::warning("store", "what was committed is synced now");
  return true;
}

void LogSyncer::tell_late(Turn& turn, const sqlite::Failure& failure) {
  const auto now = std::chrono::steady_clock::now();
  for (auto& one : turn) {
    if (one.late_at <= now) one.step->late(failure);
  }
}

}  // namespace rushes::store_sqlite
