#pragma once
#include "jobs/event.h"
#include "jobs/job_queries.h"
#include "store_sqlite/live_jobs.h"
#include "store_sqlite/readers.h"
#include "store_sqlite/writer.h"

#include <mutex>

namespace rushes::store_sqlite {

/// Questions about jobs, answered by the readers.
class SqliteJobQueries final : public jobs::JobQueries {
 public:
  SqliteJobQueries(Readers& readers, Writer& writer, LiveJobs& live, Lists& lists, const Clock& clock)
      : readers_(readers), writer_(writer), live_(live), lists_(lists), clock_(clock) {}

  Task<Result<jobs::Job>> find(UserId user, JobId job) override;
  Task<Result<std::string>> body_of(UserId user, JobId job) override;
  Task<Result<jobs::JobPage>> list(UserId user, jobs::JobFilter filter) override;
  Task<Result<jobs::JobCounts>> counts() override;
  Task<Result<int>> unfinished(UserId user) override;
  Task<Result<std::optional<Timestamp>>> next_due() override;
  Task<Result<std::optional<int>>> position(UserId user, JobId job) override;
  Task<Result<std::vector<jobs::Attempt>>> attempts(UserId user, JobId job) override;
  Task<Result<jobs::QueueReport>> report(int users) override;
  Task<Result<jobs::JobReport>> report_job(JobId job) override;
  Task<Result<jobs::JobPage>> dead(jobs::DeadFilter filter) override;
  Task<Result<jobs::HistoryPage>> history(UserId user, jobs::HistoryQuery query) override;
  Task<Result<jobs::Analysis>> analysis(UserId user, AuditId id) override;
  Task<Result<jobs::Analysis>> remove_analysis(UserId user, AuditId id) override;

 private:
  /// Sets how far those are that run, which is newer than their rows.
  Task<Result<void>> refresh(std::vector<jobs::Job>& jobs);
  /// What only the writer knows of a job.
  struct Live {
    std::int64_t waiting = 0;
    int running_of_user = 0;
    bool user_is_at_limit = false;
    jobs::TypeSettings type;
    std::optional<int> position;
    std::optional<Row> running;  // newer than what the database has
  };
  Task<Result<Live>> live_of(Row row);

  Readers& readers_;
  Writer& writer_;
  LiveJobs& live_;
  Lists& lists_;
  const Clock& clock_;
};

/// The event log, read by the readers; the writer tells its listener. It shows nothing that is not durable.
class SqliteEventLog final : public jobs::EventLog {
 public:
  SqliteEventLog(Readers& readers, Writer& writer, LiveJobs& live, const Lists& lists)
      : readers_(readers), writer_(writer), live_(live), lists_(lists) {}

  void on_committed(Listener listener) override {
    const std::lock_guard lock(listening_);
    listener_ = std::move(listener);
  }
  Task<Result<std::vector<jobs::Event>>> after(std::int64_t id, int limit) override;
  Task<Result<std::vector<jobs::Event>>> of_user_after(UserId user, std::int64_t seq, int limit) override;
  Task<Result<std::vector<jobs::Event>>> of_job_after(UserId user, JobId job, std::int64_t seq, int limit) override;
  Task<Result<std::int64_t>> seq_at(UserId user, std::int64_t id) override;
  Task<Result<bool>> has(UserId user, std::int64_t id) override;
  Task<Result<jobs::LogState>> state() override;

  /// In their order, one call at a time.
  void tell(std::span<const jobs::Event> events) {
    live_.told(events.back().id);
    const std::lock_guard lock(listening_);
    if (listener_) listener_(events);
  }

 private:
  struct Known {
    std::int64_t upto = 0;             // an event's id
    std::vector<jobs::Event> unfiled;  // of these, what is not in the log: the disk takes nothing
  };
  /// Files what was told. Up to which event nothing is missing then: progress that is told later may be overtaken in
  /// the log by events with higher numbers, and who is given these would never ask for it.
  Task<Result<Known>> know(UserId user);
  /// What of it may be given: told to the listener too.
  std::int64_t bound(const Known& known) const;

  Readers& readers_;
  Writer& writer_;
  LiveJobs& live_;
  const Lists& lists_;
  std::mutex listening_;
  Listener listener_;  // under listening_
};

}  // namespace rushes::store_sqlite
