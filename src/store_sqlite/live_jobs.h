#pragma once
#include "jobs/event.h"
#include "jobs/fair_order.h"
#include "jobs/job_queries.h"
#include "store_sqlite/job_rows.h"
#include "store_sqlite/lists.h"
#include "store_sqlite/unfinished_list.h"

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rushes::store_sqlite {

class Transaction;

/// What the writer knows of unfinished jobs without asking the database: their order, who runs what under which
/// lease, how far it is, and the numbers that come next. The database is the truth: all of this is read from it at the
/// beginning, and again whenever a transaction did not come about; but leases and progress, which are newer here.
///
/// Threads: the writer's, but `counts`, `told` and `last_told`, which are thread-safe.
class LiveJobs {
 public:
  /// `parallel_jobs`: how many jobs the server works on at once, and `transcript_slots`, how many transcripts beside
  /// them, for estimates of the wait. `list_lag`: see UnfinishedList.
  LiveJobs(int parallel_jobs, int transcript_slots, Lists& lists, std::int64_t list_lag)
      : lists_(lists), listed_(list_lag), parallel_jobs_(parallel_jobs), transcript_slots_(transcript_slots) {}

  /// Forgets everything and reads it anew. `within` a transaction that goes on after a part of it was taken back, what
  /// it did before stays done; else it did not come about. Throws sqlite::Failure.
  void load(sqlite::Connection& database, bool within = false);

  jobs::FairOrder& order() noexcept { return order_; }
  const jobs::FairOrder& order() const noexcept { return order_; }
  Lists& lists() noexcept { return lists_; }
  UnfinishedList& listed() noexcept { return listed_; }
  /// Files what is due in lists of the database, at the beginning of a transaction.
  void step_lists(Transaction& transaction);
  std::size_t later() const noexcept { return later_.size(); }
  std::array<jobs::TypeSettings, jobs::kJobTypes>& types() noexcept { return types_; }
  /// Of a job or an event.
  std::int64_t new_number() noexcept { return ++last_number_; }
  std::int64_t new_analysis_number() noexcept { return ++last_analysis_; }
  std::int64_t new_place() noexcept { return ++last_place_; }
  /// A fencing token: above all that were ever given.
  std::int64_t new_token(sqlite::Connection& database);
  /// Gives the event, which has its id, its user's next sequence number. `filed`: it is in the log with this
  /// transaction.
  void number(sqlite::Connection& database, jobs::Event& event, bool filed);

  /// The job waits: at once, or once `run_at` (ms; 0: at once) has come.
  void wait(const UserId& user, const jobs::Waiting& job, std::int64_t run_at, Timestamp now);
  /// It does so no more, and does not start.
  void wait_no_more(const UserId& user, const jobs::Waiting& job, std::int64_t run_at);
  /// Where the waiting job stands; nothing where it waits for its time.
  std::optional<int> position(const Row& row) const;
  /// What waited for a time that has come waits in the order from now on.
  void promote(Timestamp now);

  /// A job that runs, newer than its row.
  struct Running {
    Row row;
    std::string filed_stage;           // whose first progress is in the log, or in `unfiled`
    std::vector<jobs::Event> unfiled;  // told, and not overtaken
    bool overtakable = false;          // the last of them
    bool has_checkpoints = true;       // maybe
  };
  /// Some worker has it; it has left the order by `order().start`.
  Running& begin(Row row);
  /// The job that runs. Nothing where it does not, or not under this token.
  Running* find(const JobId& job);
  Running* find(const jobs::Lease& lease);
  void end(const JobId& job, Timestamp now);
  /// Keeps progress that was told until it is filed.
  void keep(Running& running, jobs::Event progress);
  bool has_unfiled() const noexcept { return !unfiled_.empty(); }
  std::vector<jobs::Event> unfiled_of(const UserId& user) const;
  /// Whether so much was told that a crash might soon have its numbers given again.
  bool must_file() const noexcept;
  /// Whether so much was told, and could not be filed, that no more may be.
  bool is_full() const noexcept;
  /// Files what was kept: of all, with how far they are, or of one that is about to end.
  void file(Transaction& transaction);
  void file(Transaction& transaction, Running& running);
  /// Those whose lease is over; with `all`, every one.
  std::vector<JobId> lost(bool all, Timestamp now) const;

  /// Waiting and running together.
  int unfinished(const UserId& user) const;
  /// A job of this type took so long.
  void measured(jobs::JobType type, std::chrono::milliseconds took);
  /// Seconds until the job of this type at `position`, which is in the order, is likely to start: by what runs, by what
  /// waits of each type that is not paused, and by how long the last jobs of each type took. Nothing where its type is
  /// paused, where nothing was measured yet, or where it starts at once.
  std::optional<int> estimate_wait(jobs::JobType type, int position) const;

  /// So many failed jobs more, or fewer.
  void count_dead(std::int64_t more) noexcept { dead_ += more; }
  std::int64_t dead() const noexcept { return dead_; }
  jobs::JobCounts counts() const;
  /// The id of the last event that was numbered.
  std::int64_t last_event() const noexcept { return last_number_; }
  /// The id of the last event that was told, or would have been if somebody had listened. Those after it are in the
  /// database before they are durable.
  std::int64_t last_told() const noexcept { return last_told_.load(); }
  void told(std::int64_t id) noexcept { last_told_.store(id); }
  /// When the first of those comes to wait in the order that wait for their time.
  std::optional<Timestamp> next_due() const;
  /// The transaction came about. `counts` tells of it from now on.
  void committed();

 private:
  /// After a crash: leaves out the numbers that may have been told and not filed.
  void skip_lost(sqlite::Connection& database);
  /// For `counts`.
  void count();

  struct Later {
    UserId user;
    jobs::Waiting job;
  };

  Lists& lists_;
  UnfinishedList listed_;
  jobs::FairOrder order_;
  std::array<jobs::TypeSettings, jobs::kJobTypes> types_;
  std::map<std::pair<std::int64_t, std::int64_t>, Later> later_;  // by time and number
  FlatMap<UserId, int> later_of_;
  std::array<std::int64_t, jobs::kJobTypes> later_of_type_{};
  std::int64_t dead_ = 0;
  std::unordered_map<JobId, Running> running_;
  std::vector<Running> ended_;  // with the transaction under way, and maybe with those that failed before
  std::vector<JobId> unfiled_;  // those with something unfiled, and maybe others
  std::size_t told_unfiled_ = 0;
  bool filing_ = false;  // everything, with the transaction under way
  struct Log {
    std::int64_t seq = 0;
    std::int64_t filed = kUnknown;  // the last filed event's id
    static constexpr std::int64_t kUnknown = -1;
  };
  Log& log_of(sqlite::Connection& database, const UserId& user);
  FlatMap<UserId, Log> logs_;  // of those that were asked for
  /// How long the last jobs of a type took, in ms.
  struct Took {
    std::deque<std::int64_t> each;
    std::int64_t sum = 0;
  };
  std::array<Took, jobs::kJobTypes> took_;
  std::int64_t last_number_ = 0;  // of all jobs and events
  std::int64_t last_analysis_ = 0;
  std::int64_t last_place_ = 0;
  std::int64_t last_token_ = 0;
  std::int64_t tokens_kept_ = 0;  // the database knows that tokens up to this one may have been given
  const int parallel_jobs_;
  const int transcript_slots_;
  mutable std::mutex counts_mutex_;
  jobs::JobCounts counts_;  // under counts_mutex_
  std::atomic<std::int64_t> last_told_{0};
};

}  // namespace rushes::store_sqlite
