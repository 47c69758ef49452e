#include "schedules/zone.h"

#include "schedules/model.h"

#include <gtest/gtest.h>

namespace rushes::schedules {
namespace {

using namespace std::chrono_literals;
using std::chrono::local_days;
using std::chrono::sys_days;
using std::chrono::year;

TEST(ZoneTest, KnowsOffsetsGapsAndHoursThatComeTwice) {
  const auto berlin = Zone::find("Europe/Berlin").value();
  EXPECT_EQ(berlin.at(sys_days(year(2026) / 1 / 1)).ahead, 1h);
  EXPECT_EQ(berlin.at(sys_days(year(2026) / 7 / 1)).ahead, 2h);
  EXPECT_EQ(berlin.at(sys_days(year(2026) / 7 / 1)).end, sys_days(year(2026) / 10 / 25) + 1h);
  EXPECT_EQ(berlin.first(local_days(year(2026) / 3 / 29) + 2h + 30min), sys_days(year(2026) / 3 / 29) + 1h);
  EXPECT_EQ(berlin.first(local_days(year(2026) / 10 / 25) + 2h + 30min), sys_days(year(2026) / 10 / 25) + 30min);
  const auto utc = Zone::find("UTC").value();
  EXPECT_EQ(utc.first(local_days(year(2026) / 3 / 29) + 2h), sys_days(year(2026) / 3 / 29) + 2h);
}

TEST(ZoneTest, AnUnknownZoneIsNamed) {
  for (const auto* name : {"", "Mars/Olympus", "europe/berlin", "../../etc/passwd", "localtime", "zone.tab",
                           "right/Europe/Berlin", "Europe"}) {
    const auto zone = Zone::find(name);
    ASSERT_FALSE(zone) << name;
    EXPECT_EQ(zone.error().public_name(), "TIME_ZONE_UNKNOWN");
    EXPECT_NE(zone.error().what().find("'" + std::string(name) + "'"), std::string::npos);
  }
}

TEST(RunTest, ADueTimeHasOneKeyAndOneJobId) {
  FakeClock clock;
  SeededRng rng(1);
  const ScheduleId one(new_uuid(clock, rng));
  const ScheduleId other(new_uuid(clock, rng));
  const auto due = clock.now() + 1h;
  EXPECT_EQ(run_job_id(one, due), run_job_id(one, due));
  EXPECT_TRUE(is_uuid(run_job_id(one, due).value()));
  EXPECT_NE(run_job_id(one, due), run_job_id(one, due + 1min));
  EXPECT_NE(run_job_id(one, due), run_job_id(other, due));
  EXPECT_EQ(run_job_id(one, clock.now()).value(), one.value());
  EXPECT_EQ(run_key(one, due), "schedule:" + one.value() + ":1767229200000");
}

}  // namespace
}  // namespace rushes::schedules
