#pragma once
#include "async/blocking_pool.h"
#include "async/gate.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/counters.h"
#include "jobs/housekeeping.h"
#include "queue/data_folder.h"
#include "queue/disk_quota.h"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <set>
#include <string>

namespace rushes::queue {

/// How long what is kept; 0: for ever, any number.
struct Retention {
  std::chrono::seconds jobs{0};  // from their end on
  std::int64_t max_jobs = 0;
  std::chrono::seconds events{0};
  std::int64_t max_events = 0;
  std::chrono::seconds positions{3'600};  // events that told of another position alone
  std::chrono::seconds analyses{0};
  std::chrono::milliseconds every{3'600'000};
  std::chrono::milliseconds uploads_every{60'000};  // what DiskQuota says of them
};

/// What was removed since the start. Read from any thread.
struct HousekeepingCounts {
  Counter jobs;
  Counter events;
  Counter analyses;
  Counter uploads;  // that nothing refers to
  Counter files;    // of analyses, a folder each
};

/// Keeps the house: at the start and then every hour it removes what is older than it is to be, and uploads and files
/// that nothing refers to any more, as a crash leaves them. Each minute it removes uploads whose time has come.
///
/// What lies in the folders when it is made was left by a server before, and is an orphan where nothing refers to it.
/// What comes later may be about to be referred to: it is one only after it was found so by two rounds, and is an hour
/// old. While the store is away nothing is removed.
///
/// Threads:   on one executor; `counts` from any.
/// Lifetime:  everything given outlives it; `stop()` before destruction. Made when nothing else uses the folder yet.
class Housekeeper {
 public:
  Housekeeper(Executor executor, jobs::Housekeeping& store, DiskQuota& quota, const DataFolder& folder,
              BlockingPool& blocking, const Clock& clock, Retention retention);
  Housekeeper(const Housekeeper&) = delete;
  Housekeeper& operator=(const Housekeeper&) = delete;

  void start();
  /// Safe to call twice.
  Task<> stop();

  /// One round, to its end. `start` has them follow each other.
  Task<> tidy();

  const HousekeepingCounts& counts() const noexcept { return counts_; }

 private:
  using Step = Task<Result<jobs::Swept>> (jobs::Housekeeping::*)(jobs::SweepOrder, jobs::SweepPlace);
  using Names = std::set<std::string>;
  /// Of uploads, or of files.
  struct Suspects {
    Names left;  // by a server before
    Names seen;  // without a reference by the round before
  };

  Task<> loop(Gate::Pass pass);
  Task<> sweep(const char* what, Step step, std::chrono::seconds keep, std::int64_t most, Counter& removed);
  Task<> tidy_uploads();
  Task<> tidy_files();
  /// Removes those of `orphans`, names in `folder`, of which it is certain.
  Task<> remove(std::filesystem::path folder, Names orphans, Suspects& suspects, Counter& removed);
  Task<> pause(std::chrono::milliseconds length);

  const Executor executor_;
  jobs::Housekeeping& store_;
  DiskQuota& quota_;
  const DataFolder& folder_;
  BlockingPool& blocking_;
  const Clock& clock_;
  const Retention retention_;

  // On executor_ only.
  Gate gate_;
  bool stopping_ = false;
  asio::steady_timer timer_;
  Suspects uploads_;
  Suspects files_;
  HousekeepingCounts counts_;
};

}  // namespace rushes::queue
