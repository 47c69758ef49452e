#pragma once
#include "async/task.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace rushes::jobs {

/// Bytes on the disk that belong to a user, or to all of them.
struct StoredBytes {
  std::int64_t uploads = 0;
  std::int64_t results = 0;  // saved analyses, with their thumbnails and captions
  std::int64_t all() const noexcept { return uploads + results; }
};

/// How long an upload is kept after the end of the last job about it, by how that job ended. 0: as long as the job.
struct UploadRetention {
  std::chrono::seconds completed{0};
  std::chrono::seconds failed{0};
  std::chrono::seconds cancelled{0};
};

/// An upload that no unfinished job is about.
struct EndedUpload {
  JobId upload;
  std::int64_t bytes = 0;
  std::optional<Timestamp> expires_at;  // nothing: with its jobs
};

struct EndedUploads {
  UploadRetention keep;
  std::optional<UserId> user;           // nothing: of all
  std::optional<Timestamp> expired_at;  // those that have expired by then alone
  int limit = 500;
};

/// A user's bytes have reached so much of the quota.
struct UsageStep {
  UserId user;
  StoredBytes bytes;
  int percent = 0;  // 80 or 100
};

/// Whose the bytes on the disk are. Uploads are charged by the `submit` that brings them, results by `complete`; each
/// is given back by what removes it, in one transaction with it.
///
/// Threads:  safe to call from any executor; resumes on the caller's.
/// Errors:   `unavailable` from any method.
class Storage {
 public:
  virtual ~Storage() = default;

  virtual Task<Result<StoredBytes>> bytes_of(UserId user) = 0;
  virtual Task<Result<StoredBytes>> bytes_of_all() = 0;

  /// Those whose bytes are `quota` or more.
  virtual Task<Result<std::vector<UserId>>> full_users(std::int64_t quota) = 0;

  /// By the end of the last job about each, the oldest first.
  virtual Task<Result<std::vector<EndedUpload>>> ended_uploads(EndedUploads wanted) = 0;

  /// Forgets those of `uploads` that no unfinished job is about, and gives them: their files are the caller's to
  /// remove.
  virtual Task<Result<std::vector<JobId>>> remove_uploads(std::vector<JobId> uploads) = 0;

  /// Until when the upload is kept; nothing: with its jobs. Errors: `not_found` where it is not kept.
  virtual Task<Result<std::optional<Timestamp>>> kept_until(JobId upload, UploadRetention keep) = 0;

  /// Those who have reached 80 or 100 % of `quota` since they were last below 80 %, each step once; of `user` alone
  /// where it is given.
  virtual Task<Result<std::vector<UsageStep>>> take_usage_steps(std::int64_t quota, std::optional<UserId> user) = 0;

  /// What the user wanted to store found no room: as reaching 100 %. Nothing where that step was taken before.
  virtual Task<Result<std::optional<UsageStep>>> take_full_step(UserId user) = 0;
};

}  // namespace rushes::jobs
