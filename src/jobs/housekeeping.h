#pragma once
#include "async/task.h"
#include "jobs/model.h"

#include <cstdint>
#include <vector>

namespace rushes::jobs {

/// What a sweep takes away.
struct SweepOrder {
  Timestamp before;       // what ended, was told or was saved earlier
  std::int64_t most = 0;  // and the oldest where there are more than so many; 0: any number may stay
  int limit = 500;        // looked at in one step
};

/// Where the next step of a sweep goes on: at first as it is made, then as the step before gave it.
struct SweepPlace {
  std::int64_t at = 0;
  std::int64_t beyond = -1;  // up to here it is more than `most`; below 0: not counted yet
};

/// One step of a sweep.
struct Swept {
  int removed = 0;
  bool done = false;
  SweepPlace next;
};

/// Takes away what is no longer to be kept, in steps that hold up nobody who writes: a few milliseconds each.
///
/// Threads:  safe to call from any executor; resumes on the caller's.
/// Errors:   `unavailable` from any method.
class Housekeeping {
 public:
  virtual ~Housekeeping() = default;

  /// Jobs that have ended, with their bodies; not what they made, nor what was told of them. The newest job stays.
  virtual Task<Result<Swept>> remove_jobs(SweepOrder order, SweepPlace place) = 0;

  /// Events, of each user the oldest first, and never a user's newest: what is left of each user's is the end of what
  /// was, without a gap. None that notices and webhooks have not followed yet.
  virtual Task<Result<Swept>> remove_events(SweepOrder order, SweepPlace place) = 0;

  /// Those events that told a waiting job of another position alone, under the same conditions; what was looked at once
  /// is not looked at by the next sweep. So a user's events may have gaps, where nobody was told anything else.
  virtual Task<Result<Swept>> remove_positions(SweepOrder order, SweepPlace place) = 0;

  /// Saved analyses. Their jobs stay, without them; so do their files, see `unsaved`.
  virtual Task<Result<Swept>> remove_analyses(SweepOrder order, SweepPlace place) = 0;

  /// Those of `uploads` that no submit has brought, or that were removed; see Storage.
  virtual Task<Result<std::vector<JobId>>> unneeded(std::vector<JobId> uploads) = 0;

  /// Those of `analyses` that are not saved.
  virtual Task<Result<std::vector<AuditId>>> unsaved(std::vector<AuditId> analyses) = 0;
};

}  // namespace rushes::jobs
