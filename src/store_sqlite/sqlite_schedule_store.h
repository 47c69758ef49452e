#pragma once
#include "schedules/schedule_store.h"
#include "store_sqlite/readers.h"
#include "store_sqlite/writer.h"

namespace rushes::store_sqlite {

/// The schedules in SQLite.
class SqliteScheduleStore final : public schedules::ScheduleStore {
 public:
  SqliteScheduleStore(Readers& readers, Writer& writer, const Clock& clock)
      : readers_(readers), writer_(writer), clock_(clock) {}

  Task<Result<schedules::Schedule>> add(schedules::Schedule schedule, int most) override;
  Task<Result<std::vector<schedules::Schedule>>> list(UserId user) override;
  Task<Result<schedules::Schedule>> find(UserId user, schedules::ScheduleId id) override;
  Task<Result<schedules::Schedule>> update(UserId user, schedules::ScheduleId id, schedules::Change change) override;
  Task<Result<void>> remove(UserId user, schedules::ScheduleId id) override;
  Task<Result<std::vector<schedules::Schedule>>> due(int limit) override;
  Task<Result<std::optional<Timestamp>>> next_due() override;
  Task<Result<void>> record(schedules::ScheduleId id, std::optional<Timestamp> due, schedules::LastRun run) override;

 private:
  Readers& readers_;
  Writer& writer_;
  const Clock& clock_;
};

}  // namespace rushes::store_sqlite
