#pragma once
#include "async/task.h"
#include "schedules/model.h"

#include <optional>
#include <string>
#include <vector>

namespace rushes::schedules {

/// What a user changes of a schedule; what is not there stays.
struct Change {
  std::optional<std::string> name;
  std::optional<std::string> cron;
  std::optional<std::string> zone;
  std::optional<bool> unique;
  std::optional<bool> paused;
  std::optional<JobTemplate> job;
};

/// The schedules, and when each comes next. One implementation per database.
///
/// A schedule stays due, at the same time, until `record` has told of it: a run that a crash cut off is tried again
/// under the same `run_key`.
///
/// Threads:  safe to call from any executor; resumes on the caller's.
/// Errors:   `unavailable` from any method; another user's schedule is `not_found` (SCHEDULE_NOT_FOUND).
class ScheduleStore {
 public:
  virtual ~ScheduleStore() = default;

  /// Gives it with its next time. Errors: those of Rhythm::parse; `conflict` (SCHEDULE_LIMIT) where the user has
  /// `most` already.
  virtual Task<Result<Schedule>> add(Schedule schedule, int most) = 0;
  /// The oldest first, without the bodies of their jobs.
  virtual Task<Result<std::vector<Schedule>>> list(UserId user) = 0;
  virtual Task<Result<Schedule>> find(UserId user, ScheduleId id) = 0;
  /// The next time is reckoned anew, from now on, where the rhythm changed or the schedule goes on; else it stays.
  /// Errors: those of Rhythm::parse.
  virtual Task<Result<Schedule>> update(UserId user, ScheduleId id, Change change) = 0;
  virtual Task<Result<void>> remove(UserId user, ScheduleId id) = 0;

  /// Those whose time has come, earliest first.
  virtual Task<Result<std::vector<Schedule>>> due(int limit) = 0;
  virtual Task<Result<std::optional<Timestamp>>> next_due() = 0;
  /// What a run came to. With `due`, the schedule goes on to the first time after both now and `due`, unless it stands
  /// elsewhere by now; one whose rhythm is no longer understood is paused. One that is gone is none of its business.
  virtual Task<Result<void>> record(ScheduleId id, std::optional<Timestamp> due, LastRun run) = 0;
};

}  // namespace rushes::schedules
