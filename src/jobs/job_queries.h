#pragma once
#include "async/task.h"
#include "jobs/model.h"
#include "jobs/queue_report.h"

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rushes::jobs {

/// Which of a user's jobs, newest first.
struct JobFilter {
  std::optional<JobState> state;
  std::optional<JobType> type;
  bool unfinished_only = false;
  std::string cursor;  // `next_cursor` of the page before; empty: the first page
  int limit = 50;      // 1..200
};

struct JobPage {
  std::vector<Job> jobs;
  std::string next_cursor;  // empty: this was the last page
};

/// How many jobs there are, for health and metrics.
struct JobCounts {
  struct Type {
    std::int64_t waiting = 0;    // in the order
    std::int64_t scheduled = 0;  // for a time, or after a failure
    std::int64_t running = 0;
    std::optional<Timestamp> oldest_waiting;  // since when, to the second
    bool paused = false;
  };
  std::int64_t pending = 0;  // waiting and scheduled
  std::int64_t processing = 0;
  std::array<Type, kJobTypes> types;
  std::int64_t dead = 0;  // failed jobs
};

/// One page of a user's saved analyses.
struct HistoryQuery {
  int page = 1;                       // from 1
  int limit = 10;                     // 1..100
  std::string search;                 // in the title, without case; empty: all
  std::string sort_by = "createdAt";  // createdAt, title
  bool ascending = false;
};

struct Analysis {
  AuditId id;
  JobId job;
  JobType type = JobType::transcript;
  std::string title;
  Timestamp created_at;
  json::object result;
};

struct HistoryPage {
  std::vector<Analysis> analyses;
  std::int64_t total = 0;
};

/// Questions about jobs and what they made. Never changes anything, except `remove_analysis`.
///
/// Threads:  safe to call from any executor; resumes on the caller's.
/// Errors:   `unavailable` from any method. Another user's things are `not_found`.
class JobQueries {
 public:
  virtual ~JobQueries() = default;

  virtual Task<Result<Job>> find(UserId user, JobId job) = 0;
  /// The body that was submitted with it; empty where there was none. Errors: `not_found`.
  virtual Task<Result<std::string>> body_of(UserId user, JobId job) = 0;
  /// Errors: `invalid_argument` (CURSOR_INVALID).
  virtual Task<Result<JobPage>> list(UserId user, JobFilter filter) = 0;
  /// Asks no database.
  virtual Task<Result<JobCounts>> counts() = 0;
  /// How many of the user's jobs have not ended. Asks no database.
  virtual Task<Result<int>> unfinished(UserId user) = 0;
  /// The waiting job that may start next because of its backoff; nothing where none waits for that.
  virtual Task<Result<std::optional<Timestamp>>> next_due() = 0;

  /// Where a waiting job stands now, from 1; nothing where it does not wait, or waits for a time. Errors: `not_found`.
  virtual Task<Result<std::optional<int>>> position(UserId user, JobId job) = 0;

  /// Of this job, oldest first. Errors: `not_found`.
  virtual Task<Result<std::vector<Attempt>>> attempts(UserId user, JobId job) = 0;

  /// For operators, of all users. `users`: how many of the busiest.
  virtual Task<Result<QueueReport>> report(int users) = 0;
  /// Errors: `not_found`.
  virtual Task<Result<JobReport>> report_job(JobId job) = 0;
  /// The failed jobs, newest first. Errors: `invalid_argument` (CURSOR_INVALID).
  virtual Task<Result<JobPage>> dead(DeadFilter filter) = 0;

  virtual Task<Result<HistoryPage>> history(UserId user, HistoryQuery query) = 0;
  virtual Task<Result<Analysis>> analysis(UserId user, AuditId id) = 0;
  /// Removes the row; the caller removes the files of `Analysis::job`. Gives what was removed. Errors: `not_found`.
  virtual Task<Result<Analysis>> remove_analysis(UserId user, AuditId id) = 0;
};

}  // namespace rushes::jobs
