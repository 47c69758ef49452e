#pragma once
#include "jobs/event.h"
#include "jobs/job_store.h"

#include <chrono>
#include <optional>

namespace rushes::jobs {

// Every change of a job's state, in one place, as functions without I/O. A store reads the row, asks
// here what becomes of it, and writes the row and the event in one transaction. See docs/job-states.md.

/// What a transition wants told. The store numbers it, and `payload_of` puts it into words.
struct EventDraft {
  EventType type = EventType::queued;
  const json::object* result = nullptr;  // of a completed job; outlives the draft
  std::optional<int> estimated_wait;     // seconds
  bool position_changed = false;         // `queued` again, only because others left the queue
};

/// A job after a transition, and what it tells; nothing where nobody is told.
struct Transition {
  Job job;
  std::optional<EventDraft> event;
};

/// What a refused owner is told. Each is an Error::for_user.
Error job_not_found();
Error job_ended(JobState state);
Error job_not_ended();
Error unique_key_taken(const JobId& by);
Error queue_limit(int max_unfinished);
/// The same, of many in one request. `unfinished`: those that the user has already.
Error queue_limit(int max_unfinished, int unfinished, int wanted);
/// More submits in a minute than are allowed; none before `wait` is over.
Error rate_limited(int per_minute, std::chrono::seconds wait);

/// A new job, waiting at `position` (from 1), or for `request.run_at` and then without one.
Transition created(const NewJob& request, std::optional<int> position, std::optional<int> estimated_wait,
                   Timestamp now);
/// A worker has it.
Transition started(Job job, Timestamp now);
/// How far it is; its progress never falls.
Transition progressed(Job job, const ProgressReport& report);
Transition completed(Job job, const Completion& completion, Timestamp now);
/// `will_retry` (waiting again, nobody told), `failed`, or `cancelled` where its owner wants it stopped. `alike`: how
/// many attempts of this series failed for a reason of the same class before.
struct Failing {
  AfterFailure after;
  Transition transition;
};
Failing attempt_failed(Job job, const Failure& failure, int alike, Timestamp now);
Transition cancelled(Job job, Timestamp now);
/// Back to the queue; it has not failed.
Transition handed_back(Job job);
/// From an end back to the queue. Errors: `conflict` (JOB_NOT_ENDED).
Result<Transition> restarted(Job job, int position, std::optional<int> estimated_wait);
/// Waiting still, at another position.
Transition moved(Job job, int position, std::optional<int> estimated_wait);

/// The contract's QueueUpdatePayload of `event`, as JSON text.
std::string payload_of(const Job& job, const EventDraft& event, std::int64_t seq, Timestamp at);

}  // namespace rushes::jobs
