#pragma once
#include "jobs/housekeeping.h"
#include "store_sqlite/live_jobs.h"
#include "store_sqlite/readers.h"
#include "store_sqlite/writer.h"

namespace rushes::store_sqlite {

/// Each step: a reader finds what may go, a unit of the writer takes it away, if it still may.
class SqliteHousekeeping final : public jobs::Housekeeping {
 public:
  SqliteHousekeeping(Readers& readers, Writer& writer, LiveJobs& live)
      : readers_(readers), writer_(writer), live_(live) {}

  Task<Result<jobs::Swept>> remove_jobs(jobs::SweepOrder order, jobs::SweepPlace place) override;
  Task<Result<jobs::Swept>> remove_events(jobs::SweepOrder order, jobs::SweepPlace place) override;
  Task<Result<jobs::Swept>> remove_positions(jobs::SweepOrder order, jobs::SweepPlace place) override;
  Task<Result<jobs::Swept>> remove_analyses(jobs::SweepOrder order, jobs::SweepPlace place) override;
  Task<Result<std::vector<JobId>>> unneeded(std::vector<JobId> uploads) override;
  Task<Result<std::vector<AuditId>>> unsaved(std::vector<AuditId> analyses) override;

 private:
  struct Kind;
  Task<Result<jobs::Swept>> remove(const Kind& kind, jobs::SweepOrder order, jobs::SweepPlace place);

  /// What is removed is also removed from its user's list, so that it must be there.
  Task<Result<void>> list_all();

  Readers& readers_;
  Writer& writer_;
  LiveJobs& live_;
};

}  // namespace rushes::store_sqlite
