#pragma once
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace rushes::jobs {

/// What a job works on; decides its pipeline and its stages.
enum class JobType : std::uint8_t { youtube, upload, transcript };

/// Where a job stands. `completed`, `failed` and `cancelled` are its ends; `restart` alone leads out of them.
enum class JobState : std::uint8_t { pending, processing, completed, failed, cancelled };

std::string_view to_string(JobType type) noexcept;
std::string_view to_string(JobState state) noexcept;
/// Errors: `invalid_argument`, naming the word and what is allowed.
Result<JobType> parse_job_type(std::string_view word);
Result<JobState> parse_job_state(std::string_view word);

constexpr bool is_end(JobState state) noexcept {
  return state == JobState::completed || state == JobState::failed || state == JobState::cancelled;
}

/// Why an attempt ended badly.
struct Failure {
  std::string code;     // stable, for machines: MEDIA_UNREADABLE, WORKER_CRASHED
  std::string message;  // one sentence for the job's owner
  bool retryable = false;
  std::string log;  // the last that its worker wrote, for operators; kept with the attempt alone
};

/// A request for work, not yet stored.
struct NewJob {
  JobId id;  // drawn by the caller, who may have stored a file under it
  UserId user;
  JobType type = JobType::transcript;
  std::string title;            // what people call it: the file's name, the video's title once known
  std::string url;              // of the video; empty where there is none
  std::string input = "{}";     // what the pipeline reads: configuration, file name, size; a JSON object
  std::string body;             // a transcript's text, never a video
  std::string idempotency_key;  // empty: none
  std::string request_digest;   // of the request with that key, 32 bytes; empty: it is not compared
  std::string unique_key;       // taken while the job has not ended; empty: none
  std::optional<JobId> retry_of;
  int max_attempts = 3;
  int priority = 0;                 // higher first
  std::optional<Timestamp> run_at;  // not before; nothing: as soon as it is its turn
};

/// A job as it stands in the database. A value: what was read may have moved on since.
struct Job {
  JobId id;
  UserId user;
  JobType type = JobType::transcript;
  JobState state = JobState::pending;
  int progress = 0;  // 0..100
  std::string stage = "queued";
  std::string message;
  std::string title;
  std::string url;
  std::string input = "{}";
  int attempt = 0;                // attempts begun, those handed back too
  int max_attempts = 3;           // that may fail; see retry_policy.h for what passes by itself
  int priority = 0;               // higher first
  std::string unique_key;         // empty: none
  bool cancel_requested = false;  // while processing: its worker is being stopped
  bool restarted = false;         // by its owner, after an end
  std::optional<JobId> retry_of;
  std::optional<AuditId> audit;
  std::optional<Failure> failure;
  std::optional<int> queue_position;  // of a pending job, from 1, in the order of `claim`, as its owner was last told
  std::optional<Timestamp> run_at;    // of a pending job that has no position yet: not before
  Timestamp created_at;
  std::optional<Timestamp> processed_at;  // the last attempt's start
  std::optional<Timestamp> finished_at;
};

/// How an attempt ended. One that its server's stop interrupted is handed back, and does not count.
enum class AttemptOutcome : std::uint8_t { completed, failed, handed_back, cancelled };

std::string_view to_string(AttemptOutcome outcome) noexcept;

/// One attempt at a job.
struct Attempt {
  int series = 0;  // grows with each restart of the job
  int number = 0;  // within the series, from 1
  Timestamp started_at;
  std::optional<Timestamp> ended_at;
  std::optional<AttemptOutcome> outcome;  // nothing: it runs
  std::string stage;                      // the last that was reported
  std::optional<Failure> failure;
};

/// Proof that one worker owns one attempt of a job until `expires_at`. The token only grows: a
/// write with an older one changes nothing (a fencing token).
struct Lease {
  JobId job;
  std::int64_t token = 0;
  Timestamp expires_at;
};

}  // namespace rushes::jobs
