#pragma once
#include "base/clock.h"
#include "schedules/schedule_store.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

namespace rushes::schedules {

/// The schedules of one database, open.
class OpenSchedules {
 public:
  virtual ~OpenSchedules() = default;
  virtual ScheduleStore& schedules() = 0;
  /// Closes the database and opens it again, as a restart of the server does.
  virtual void reopen() = 0;
};

struct ScheduleBackend {
  std::string name;
  std::function<std::unique_ptr<OpenSchedules>(FakeClock& clock)> open;
};
inline void PrintTo(const ScheduleBackend& backend, std::ostream* out) { *out << backend.name; }

/// What schedule_store.h promises, for every implementation alike. The clock stands at 2026-01-01T00:00:00Z.
class ScheduleStoreContract : public ::testing::TestWithParam<ScheduleBackend> {
 protected:
  ScheduleStoreContract() : open_(GetParam().open(clock_)) {}

  Schedule made(const std::string& user, const std::string& cron);
  Schedule add(const std::string& user, const std::string& cron);
  Schedule change(const Schedule& schedule, const Change& change);
  Schedule found(const Schedule& schedule);
  std::vector<Schedule> due();
  /// As RFC 3339 to the minute; empty: none.
  static std::string next_of(const Schedule& schedule);
  ScheduleStore& store() { return open_->schedules(); }
  void reopen() { open_->reopen(); }

  FakeClock clock_;

 private:
  SeededRng rng_{5};
  std::unique_ptr<OpenSchedules> open_;
};

}  // namespace rushes::schedules
