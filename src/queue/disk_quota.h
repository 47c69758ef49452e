#pragma once
#include "async/blocking_pool.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/counters.h"
#include "jobs/storage.h"
#include "queue/data_folder.h"

#include <cstdint>
#include <functional>
#include <mutex>
#include <unordered_map>
#include <unordered_set>

namespace rushes::queue {

struct QuotaOptions {
  std::uint64_t max_bytes_per_user = 0;  // uploads and results; 0: any number
  jobs::UploadRetention keep;
};

/// What a user has of its quota.
struct Usage {
  jobs::StoredBytes stored;
  std::uint64_t reserved = 0;  // by uploads on their way
};

/// Read from any thread.
struct QuotaCounts {
  Counter refused;  // uploads, for their users' quotas
  Counter no_room;  // uploads, for the disk
  Counter expired;  // uploads that were removed when their time had come
  Counter evicted;  // uploads that were removed earlier, for room
};

/// Who may put how much on the disk: what is stored for users, and what is reserved for uploads on their way.
///
/// Where a user's quota or the disk is short, uploads that no unfinished job is about make room, those whose jobs ended
/// first going first: the user's own for the quota, anybody's for the disk. None goes where that would not be enough.
///
/// Threads:   thread-safe; resumes on the caller's executor.
/// Lifetime:  everything given outlives it; it outlives its reservations.
class DiskQuota {
 public:
  /// Bytes of a user's upload that is on its way; given back when it is destroyed.
  class Reservation;

  DiskQuota(jobs::Storage& storage, const DataFolder& folder, BlockingPool& blocking, const Clock& clock,
            QuotaOptions options);

  /// What a user is told by a notification; set before the first call.
  void on_step(std::function<void(jobs::UsageStep)> tell) { tell_ = std::move(tell); }

  /// Reserves so many bytes more. Errors: `too_large` (QUOTA_EXCEEDED) where waiting does not help, `exhausted`
  /// (QUOTA_EXCEEDED) where the user's unfinished jobs and uploads hold them; `unavailable` (DISK_FULL).
  Task<Result<void>> reserve(Reservation& reservation, std::uint64_t more);

  /// Whether the user has some of its quota left: for a job that brings no file, and makes a result. Asks the database
  /// only where the user had none at the last `look`. Errors: as of `reserve`, but for the disk.
  Task<Result<void>> check_left(UserId user);

  /// Of a user; nothing is changed.
  Task<Result<Usage>> usage(UserId user);
  Task<Result<jobs::StoredBytes>> stored() { return storage_.bytes_of_all(); }
  std::uint64_t reserved() const;

  /// Until when the upload is kept after its jobs' ends; nothing: with its jobs. Errors: `not_found` where it is gone.
  Task<Result<std::optional<Timestamp>>> kept_until(JobId upload);

  /// Removes uploads whose time has come.
  Task<> remove_expired();
  /// Finds those who have none of their quota left, for `check_left`.
  Task<> look();
  /// Tells those who have reached 80 or 100 % of the quota, each step once; `user` alone where it is given.
  Task<> tell_steps(std::optional<UserId> user = std::nullopt);

  const QuotaOptions& options() const noexcept { return options_; }
  const QuotaCounts& counts() const noexcept { return counts_; }

 private:
  /// `own`: of the upload that asks, 0: a job without one; `others`: of the user's other uploads on their way.
  Task<Result<void>> check_quota(UserId user, std::uint64_t own, std::uint64_t others);
  Task<Result<void>> check_disk(std::uint64_t more, std::uint64_t others);
  /// Removes uploads of ended jobs, of `user` or of all, until `bytes` are free or more; none where that is not enough.
  Task<bool> make_room(std::optional<UserId> user, std::uint64_t bytes);
  Task<std::size_t> remove(std::vector<JobId> uploads);
  Error refusal(const jobs::StoredBytes& stored, std::uint64_t own, std::uint64_t others) const;

  jobs::Storage& storage_;
  const DataFolder& folder_;
  BlockingPool& blocking_;
  const Clock& clock_;
  const QuotaOptions options_;
  std::function<void(jobs::UsageStep)> tell_ = [](const jobs::UsageStep&) {};
  QuotaCounts counts_;

  mutable std::mutex mutex_;  // guards what follows
  std::unordered_map<UserId, std::uint64_t> reserved_;
  std::unordered_set<UserId> full_;
  std::uint64_t reserved_in_all_ = 0;
  std::uint64_t unwritten_ = 0;  // of those, what the disk does not show yet
};

class DiskQuota::Reservation {
 public:
  Reservation(DiskQuota& quota, UserId user) : quota_(quota), user_(std::move(user)) {}
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;
  ~Reservation();

  std::uint64_t bytes() const noexcept { return bytes_; }
  /// So many of them are on the disk now.
  void wrote(std::uint64_t bytes);

 private:
  friend class DiskQuota;
  DiskQuota& quota_;
  const UserId user_;
  std::uint64_t bytes_ = 0;
  std::uint64_t written_ = 0;  // at most bytes_
};

}  // namespace rushes::queue
