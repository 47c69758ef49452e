#include "schedules/testing/schedule_store_contract.h"

#include "async/run.h"

namespace rushes::schedules {

using namespace std::chrono_literals;

Schedule ScheduleStoreContract::made(const std::string& user, const std::string& cron) {
  Schedule schedule;
  schedule.id = ScheduleId(new_uuid(clock_, rng_));
  schedule.user = UserId(user);
  schedule.name = "nightly";
  schedule.cron = cron;
  schedule.job = {"transcript", "A title", "https://example.org/v", R"({"size":5})", "words", "mine", -2};
  schedule.created_at = clock_.now();
  return schedule;
}

Schedule ScheduleStoreContract::add(const std::string& user, const std::string& cron) {
  return run_to_end(store().add(made(user, cron), 100)).value();
}

Schedule ScheduleStoreContract::change(const Schedule& schedule, const Change& change) {
  return run_to_end(store().update(schedule.user, schedule.id, change)).value();
}

Schedule ScheduleStoreContract::found(const Schedule& schedule) {
  return run_to_end(store().find(schedule.user, schedule.id)).value();
}

std::vector<Schedule> ScheduleStoreContract::due() { return run_to_end(store().due(100)).value(); }

std::string ScheduleStoreContract::next_of(const Schedule& schedule) {
  return schedule.next_at ? to_rfc3339(*schedule.next_at).substr(0, 16) : "";
}

TEST_P(ScheduleStoreContract, AScheduleIsKeptWithAllItHolds) {
  const auto added = add("ann", "30 6 * * *");
  EXPECT_EQ(next_of(added), "2026-01-01T06:30");
  reopen();
  const auto kept = found(added);
  EXPECT_EQ(kept.id, added.id);
  EXPECT_EQ(kept.user, UserId("ann"));
  EXPECT_EQ(kept.name, "nightly");
  EXPECT_EQ(kept.cron, "30 6 * * *");
  EXPECT_EQ(kept.zone, "UTC");
  EXPECT_TRUE(kept.unique);
  EXPECT_FALSE(kept.paused);
  EXPECT_EQ(kept.job.type, "transcript");
  EXPECT_EQ(kept.job.title, "A title");
  EXPECT_EQ(kept.job.url, "https://example.org/v");
  EXPECT_EQ(kept.job.input, R"({"size":5})");
  EXPECT_EQ(kept.job.body, "words");
  EXPECT_EQ(kept.job.unique_key, "mine");
  EXPECT_EQ(kept.job.priority, -2);
  EXPECT_EQ(kept.created_at, added.created_at);
  EXPECT_EQ(kept.next_at, added.next_at);
  EXPECT_FALSE(kept.last);
}

TEST_P(ScheduleStoreContract, SchedulesAreTheirUsersAlone) {
  const auto mine = add("ann", "@daily");
  const auto second = add("ann", "@hourly");
  add("bob", "@daily");
  const auto listed = run_to_end(store().list(UserId("ann"))).value();
  ASSERT_EQ(listed.size(), 2U);
  EXPECT_EQ(listed[0].id, mine.id);
  EXPECT_EQ(listed[1].id, second.id);
  EXPECT_EQ(listed[0].job.body, "") << "a list is light";
  const UserId bob("bob");
  EXPECT_EQ(run_to_end(store().find(bob, mine.id)).error().public_name(), "SCHEDULE_NOT_FOUND");
  EXPECT_EQ(run_to_end(store().update(bob, mine.id, Change())).error().code(), Errc::not_found);
  EXPECT_EQ(run_to_end(store().remove(bob, mine.id)).error().code(), Errc::not_found);
  EXPECT_TRUE(run_to_end(store().remove(UserId("ann"), mine.id)));
  EXPECT_EQ(run_to_end(store().remove(UserId("ann"), mine.id)).error().code(), Errc::not_found);
}

TEST_P(ScheduleStoreContract, AUserHasSoManyAtMost) {
  add("ann", "@daily");
  const auto refused = run_to_end(store().add(made("ann", "@daily"), 1));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().public_name(), "SCHEDULE_LIMIT");
  EXPECT_EQ(refused.error().code(), Errc::conflict) << "not what to try again for";
  EXPECT_TRUE(run_to_end(store().add(made("bob", "@daily"), 1)));
}

TEST_P(ScheduleStoreContract, WhatIsDueStaysSoUntilItsRunIsRecorded) {
  const auto hourly = add("ann", "@hourly");
  add("bob", "@daily");
  EXPECT_TRUE(due().empty());
  EXPECT_EQ(run_to_end(store().next_due()).value(), hourly.next_at);
  clock_.advance(1h);
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(due()[0].id, hourly.id);
  EXPECT_EQ(due()[0].job.body, "words");
  reopen();
  ASSERT_EQ(due().size(), 1U);

  const LastRun run{clock_.now(), "", JobId("a job")};
  ASSERT_TRUE(run_to_end(store().record(hourly.id, hourly.next_at, run)));
  EXPECT_TRUE(due().empty());
  EXPECT_EQ(next_of(found(hourly)), "2026-01-01T02:00");
  const auto last = found(hourly).last.value();
  EXPECT_EQ(last.at, clock_.now());
  EXPECT_EQ(last.skipped, "");
  EXPECT_EQ(last.job, JobId("a job"));
}

TEST_P(ScheduleStoreContract, MissedTimesAreOneRun) {
  const auto hourly = add("ann", "@hourly");
  clock_.advance(5h + 10min);
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(next_of(due()[0]), "2026-01-01T01:00") << "the first that was missed names the run";
  ASSERT_TRUE(run_to_end(store().record(hourly.id, hourly.next_at, {clock_.now(), "QUEUE_LIMIT", {}})));
  EXPECT_TRUE(due().empty());
  EXPECT_EQ(next_of(found(hourly)), "2026-01-01T06:00");
  EXPECT_EQ(found(hourly).last->skipped, "QUEUE_LIMIT");
  EXPECT_FALSE(found(hourly).last->job);
}

TEST_P(ScheduleStoreContract, TheLatestDueComeLast) {
  const auto later = add("ann", "0 2 * * *");
  const auto sooner = add("ann", "0 1 * * *");
  clock_.advance(3h);
  ASSERT_EQ(due().size(), 2U);
  EXPECT_EQ(due()[0].id, sooner.id);
  const auto one = run_to_end(store().due(1)).value();
  ASSERT_EQ(one.size(), 1U);
  EXPECT_EQ(one[0].id, sooner.id);
}

TEST_P(ScheduleStoreContract, ARunMovesNoScheduleThatMovedMeanwhile) {
  const auto hourly = add("ann", "@hourly");
  clock_.advance(1h);
  Change monthly;
  monthly.cron = "@monthly";
  change(hourly, monthly);
  ASSERT_TRUE(run_to_end(store().record(hourly.id, hourly.next_at, {clock_.now(), "", JobId("a job")})));
  EXPECT_EQ(next_of(found(hourly)), "2026-02-01T00:00");
  EXPECT_EQ(found(hourly).last->job, JobId("a job")) << "the job is there all the same";
  ASSERT_TRUE(run_to_end(store().record(hourly.id, std::nullopt, {clock_.now(), "", JobId("by hand")})));
  EXPECT_EQ(next_of(found(hourly)), "2026-02-01T00:00");
  EXPECT_EQ(found(hourly).last->job, JobId("by hand"));
  ASSERT_TRUE(run_to_end(store().remove(hourly.user, hourly.id)));
  EXPECT_TRUE(run_to_end(store().record(hourly.id, hourly.next_at, {clock_.now(), "", {}})));
}

TEST_P(ScheduleStoreContract, AChangeLeavesTheRest) {
  const auto schedule = add("ann", "0 6 * * *");
  clock_.advance(7h);
  Change name;
  name.name = "morning";
  name.unique = false;
  auto changed = change(schedule, name);
  EXPECT_EQ(changed.name, "morning");
  EXPECT_FALSE(changed.unique);
  EXPECT_EQ(next_of(changed), "2026-01-01T06:00") << "it is still due";
  Change zone;
  zone.zone = "America/New_York";
  changed = change(schedule, zone);
  EXPECT_EQ(next_of(changed), "2026-01-01T11:00");
  EXPECT_EQ(changed.name, "morning");
  Change job;
  job.job = JobTemplate();
  job.job->type = "youtube";
  change(schedule, job);
  EXPECT_EQ(found(schedule).job.type, "youtube");
  EXPECT_EQ(found(schedule).job.body, "");
  EXPECT_EQ(found(schedule).zone, "America/New_York");
}

TEST_P(ScheduleStoreContract, APausedScheduleIsNotDueAndGoesOnFromNow) {
  const auto hourly = add("ann", "@hourly");
  Change pause;
  pause.paused = true;
  EXPECT_EQ(next_of(change(hourly, pause)), "");
  EXPECT_TRUE(found(hourly).paused);
  clock_.advance(3h);
  EXPECT_TRUE(due().empty());
  EXPECT_FALSE(run_to_end(store().next_due()).value());
  Change rhythm;
  rhythm.cron = "30 * * * *";
  EXPECT_EQ(next_of(change(hourly, rhythm)), "");
  Change go_on;
  go_on.paused = false;
  EXPECT_EQ(next_of(change(hourly, go_on)), "2026-01-01T03:30") << "what it missed does not come";
  clock_.advance(1h);
  EXPECT_EQ(next_of(change(hourly, go_on)), "2026-01-01T03:30") << "it was not paused";

  auto paused = made("ann", "@hourly");
  paused.paused = true;
  EXPECT_EQ(next_of(run_to_end(store().add(paused, 100)).value()), "");
}

TEST_P(ScheduleStoreContract, ARhythmThatIsNoneIsRefusedAndChangesNothing) {
  const auto schedule = add("ann", "0 6 29 2 *");
  Change never;
  never.name = "never";
  never.cron = "0 6 30 2 *";
  EXPECT_EQ(run_to_end(store().update(schedule.user, schedule.id, never)).error().public_name(), "CRON_NEVER");
  Change nowhere;
  nowhere.zone = "Nowhere";
  EXPECT_EQ(run_to_end(store().update(schedule.user, schedule.id, nowhere)).error().public_name(), "TIME_ZONE_UNKNOWN");
  EXPECT_EQ(found(schedule).name, "nightly");
  EXPECT_EQ(next_of(found(schedule)), "2028-02-29T06:00");
  EXPECT_FALSE(run_to_end(store().add(made("ann", "* * *"), 100)));
}

}  // namespace rushes::schedules
