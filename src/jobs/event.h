#pragma once
#include "async/task.h"
#include "jobs/model.h"

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::jobs {

enum class EventType : std::uint8_t { queued, started, progress, completed, failed, cancelled };

/// The contract's words: `job-queued`, `job-started`, ….
std::string_view to_string(EventType type) noexcept;

/// Something that happened to a job, as it stands in the event log.
///
/// Progress is told at once and filed a little later; what is overtaken before that is never filed. So of each stage
/// the log has the first and, about a second apart, the newest progress, and a user's numbers in it have gaps. A crash
/// may take the last second's progress with it; numbers that were told are not given again.
struct Event {
  std::int64_t id = 0;  // rises over the whole log; where a consumer of the log stands
  UserId user;
  std::int64_t seq = 0;  // rises by one for each event of this user
  JobId job;
  EventType type = EventType::queued;
  std::string payload;  // the contract's QueueUpdatePayload, as JSON text
  Timestamp at;
  std::int64_t anchor = 0;  // where it is told before it is filed: the user's last event that is; else 0
};

/// Whether its payload has this member, such as `"restarted":true`: found without reading it as JSON, which would be
/// most of what a submit costs. A text in it cannot hold such words: its quotes are escaped.
bool says(const Event& event, std::string_view member) noexcept;

/// Which log it is and how far it goes.
struct LogState {
  std::string identity;      // random, made with the log; never shown to clients
  std::int64_t last_id = 0;  // of the last event, filed or only told; 0 where there is none
};

/// The log of what happened, one entry a transition, written in the transition's own transaction; progress follows.
///
/// Threads:  safe from any executor; resumes on the caller's.
/// Errors:   `unavailable` from any method.
class EventLog {
 public:
  /// Called after each commit with its events, and with progress at once, in the order of the log, one call at a time,
  /// on a thread of the store's. It must not block and not throw.
  using Listener = std::function<void(std::span<const Event>)>;

  static constexpr std::size_t kPageBytes = std::size_t{4} << 20U;
  /// So many of a user's sequence numbers a crash may take at most: of progress that was told and not filed. Those of
  /// whom something ran go on behind them, so that none is given twice.
  static constexpr std::int64_t kLostNumbers = 4'096;

  virtual ~EventLog() = default;

  /// Sets the one listener. Before the first write; what was committed earlier is read by `after`. With an empty one
  /// nobody is told any more, once this returns: before a listener is gone, as a commit whose caller was told that the
  /// disk refuses is told whenever it does not.
  virtual void on_committed(Listener listener) = 0;

  /// At most `limit` events with an id above `id`, oldest first. Progress may come to stand before what was read.
  virtual Task<Result<std::vector<Event>>> after(std::int64_t id, int limit) = 0;

  /// At most `limit` of a user's events with a sequence number above `seq`, oldest first: all that was told before this
  /// was asked, but overtaken progress. Where the user's event before them is still filed, none is missing but
  /// changes of position that were removed, and none comes to stand between them later.
  virtual Task<Result<std::vector<Event>>> of_user_after(UserId user, std::int64_t seq, int limit) = 0;

  /// The same of one job's events alone, and none more once their payloads have kPageBytes. Empty too for a job that
  /// the user does not have.
  virtual Task<Result<std::vector<Event>>> of_job_after(UserId user, JobId job, std::int64_t seq, int limit) = 0;

  /// The sequence number of the user's last event with an id of at most `id`; 0 where there is none.
  virtual Task<Result<std::int64_t>> seq_at(UserId user, std::int64_t id) = 0;

  /// Whether this event of the user's is filed.
  virtual Task<Result<bool>> has(UserId user, std::int64_t id) = 0;

  virtual Task<Result<LogState>> state() = 0;
};

}  // namespace rushes::jobs
