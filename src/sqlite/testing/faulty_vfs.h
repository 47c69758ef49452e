#pragma once
#include "base/random.h"

#include <sqlite3.h>

#include <array>
#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

namespace rushes::sqlite {

/// How a disk refuses: a plain input/output error, no room, or as a file system that became read-only.
enum class DiskError : std::uint8_t { io, full, read_only };

/// What a failed sync takes back of what was written since the last good one. Linux keeps a database's pages in memory
/// after it, as written, until it needs the room; what it does not keep is lost for whoever has read it before too.
enum class Lost : std::uint8_t { nothing, logs, all };

/// What changes a file.
enum class DiskOperation : std::uint8_t { write, sync, truncate };

/// What a FaultyVfs does wrong. Healthy at first; what is told last holds.
///
/// Threads: thread-safe.
class Faults {
 public:
  /// The `n`-th such operation from now fails, once; 1 is the next. `torn`: the first half of a write stays.
  void fail_nth(DiskOperation operation, int n, DiskError error, bool torn = false);
  /// All of them fail until `heal`; of one kind, or of all.
  void fail_all(DiskError error, std::optional<DiskOperation> only = std::nullopt);
  /// Each fails with this probability (0..1), half of the writes torn, until `heal`. The same seed, the same faults.
  void fail_randomly(double probability, DiskError error, std::uint64_t seed);
  void heal();

  void lose_unsynced(Lost lost);

  /// Syncs of logs wait before they do anything, and before it is known whether they fail, until they are let go.
  void hold_log_syncs();
  void let_log_syncs_go();
  /// One goes, the others are held. Waits until it has gone: faults that are set later are none of its.
  void let_one_log_sync_go();
  bool is_holding_one() const;
  /// Waits until one is held.
  void await_held_sync();

  /// How many such operations were asked for, those that failed included.
  std::int64_t count(DiskOperation operation) const;
  /// How many failed.
  std::int64_t failed() const;

 private:
  friend struct FaultyFile;
  struct Fault {
    DiskError error = DiskError::io;
    bool torn = false;
  };
  /// Counts one operation and says whether it is to fail.
  std::optional<Fault> next(DiskOperation operation);
  Lost lost() const;
  /// The same of the sync of a log, which may be held before.
  std::optional<Fault> next_log_sync();
  std::optional<Fault> judge(DiskOperation operation);  // under mutex_

  struct Nth {
    DiskOperation operation = DiskOperation::write;
    int left = 0;
    Fault fault;
  };
  mutable std::mutex mutex_;  // guards what follows
  std::optional<Nth> nth_;
  std::optional<DiskError> all_;
  std::optional<DiskOperation> only_;  // of all_
  double probability_ = 0;
  DiskError random_error_ = DiskError::io;
  SeededRng rng_{0};
  Lost lost_ = Lost::nothing;
  std::array<std::int64_t, 3> counts_{};
  std::int64_t failed_ = 0;
  bool holding_ = false;
  int held_ = 0;
  int let_go_ = 0;
  std::condition_variable held_changed_;
};

/// A disk that fails on demand, below SQLite: the default VFS of this process from construction to destruction, so that
/// whatever opens a database uses it. What it is not told to fail it hands to the VFS that was the default before.
///
/// Lifetime: databases opened meanwhile are closed before it is destroyed; `faults` outlives it.
class FaultyVfs {
 public:
  explicit FaultyVfs(Faults& faults);
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  /// Writes `target` as `file` would be if the power failed now: without what was not synced. From when on that is
  /// known see Faults::lose_unsynced.
  void copy_durable(const std::filesystem::path& file, const std::filesystem::path& target) const;

 private:
  struct State;
  const std::unique_ptr<State> state_;
};

}  // namespace rushes::sqlite
