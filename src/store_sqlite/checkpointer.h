#pragma once
#include "sqlite/connection.h"

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>

namespace rushes::store_sqlite {

/// A thread that moves what is in the write-ahead log to the database, so that no commit waits for it.
///
/// The log begins anew only once the database has all of it, durable, and while nobody writes: so the writer does that,
/// between two batches. Before, this thread has copied and synced all but what was written in the last milliseconds.
///
/// Threads: all but the constructor from one, the writer's.
class Checkpointer {
 public:
  explicit Checkpointer(std::filesystem::path file);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

  /// After a commit: the log has so many pages. Begins it anew with the writer's connection where it is long and that
  /// costs little, or where it is twice as long. What reads an old state of the database may not let it: then it is
  /// tried again when the log is longer by half.
  void committed(int pages, sqlite::Connection& writer);

  /// From this length on, in pages of 4 KiB, the log is to begin anew.
  static constexpr int kLongLog = 8'000;

 private:
  void ask();
  bool is_ready();
  void restart_log(sqlite::Connection& writer);
  void run();
  /// Whether the database has nearly all of a long log, durable.
  bool copy_what_is_due(std::optional<sqlite::Connection>& connection) const;
  /// How many pages the log has.
  static int copy(sqlite::Connection& connection);

  const std::filesystem::path file_;

  // The writer's.
  int asked_at_ = 0;           // pages of the log when the thread was last asked
  int restart_at_ = kLongLog;  // pages of the log from which on it is to begin anew

  std::mutex mutex_;  // guards what follows
  std::condition_variable changed_;
  bool due_ = false;
  bool copying_ = false;
  bool ready_ = false;  // the database has nearly all
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace rushes::store_sqlite
