#pragma once
#include "base/clock.h"
#include "base/id.h"

#include <optional>
#include <string>

namespace rushes::schedules {

using ScheduleId = Strong<std::string, struct ScheduleIdTag>;

/// What each run submits: the parts of a job that its owner decided on.
struct JobTemplate {
  std::string type;  // a job type's word
  std::string title;
  std::string url;
  std::string input = "{}";
  std::string body;        // a transcript's text
  std::string unique_key;  // that its owner gave; empty: none
  int priority = 0;
};

/// What the last run came to.
struct LastRun {
  Timestamp at;
  std::string skipped;       // an error's name: why there is no new job; empty: there is one
  std::optional<JobId> job;  // the new job, or the unfinished one in whose place there is none
};

/// A job that is submitted again and again.
struct Schedule {
  ScheduleId id;  // a UUIDv7
  UserId user;
  std::string name;
  std::string cron;
  std::string zone = "UTC";
  bool unique = true;  // no new job while the one before has not ended
  bool paused = false;
  JobTemplate job;
  Timestamp created_at;
  std::optional<Timestamp> next_at;  // nothing while paused; in the past: it is due
  std::optional<LastRun> last;
};

/// Names the run of a due time: a submit under this key is made once, however often it is tried.
std::string run_key(const ScheduleId& id, Timestamp due);

/// The id of that run's job: a UUIDv7 of the due time with the schedule's random bits. So who is given another job in
/// answer to a submit knows that it was kept from making one.
JobId run_job_id(const ScheduleId& id, Timestamp due);

}  // namespace rushes::schedules
