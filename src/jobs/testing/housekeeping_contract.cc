#include "async/run.h"
#include "jobs/testing/job_store_contract.h"

namespace rushes::jobs {
namespace {

using namespace std::chrono_literals;
using Step = Task<Result<Swept>> (Housekeeping::*)(SweepOrder, SweepPlace);

/// A whole sweep, in steps of two; gives how many were removed.
int sweep(Housekeeping& housekeeping, Step step, Timestamp before, std::int64_t most = 0) {
  const SweepOrder order{before, most, 2};
  SweepPlace place;
  int removed = 0;
  for (int steps = 0; steps < 1'000; ++steps) {
    const auto swept = must(run_to_end((housekeeping.*step)(order, place)));
    removed += swept.removed;
    if (swept.done) return removed;
    place = swept.next;
  }
  ADD_FAILURE() << "the sweep has no end";
  return removed;
}

TEST_P(JobStoreContract, OldJobsThatHaveEndedAreRemovedWithTheirBodies) {
  auto with_body = request("ann");
  with_body.body = "a text";
  const auto old = must(run_to_end(jobs().submit(with_body, kNoLimit))).job;
  complete(claim());
  auto for_later = request("ann");
  for_later.run_at = clock_.now() + 100h;
  const auto waiting = must(run_to_end(jobs().submit(for_later, kNoLimit))).job;
  clock_.advance(1h);
  const auto border = clock_.now();
  const auto later = begin("bob");
  clock_.advance(1h);
  complete(later);
  const auto newest = submit("ann");
  must(run_to_end(jobs().cancel(newest.user, newest.id)));

  EXPECT_EQ(sweep(housekeeping(), &Housekeeping::remove_jobs, border), 1);

  EXPECT_EQ(find_error("ann", old.id), Errc::not_found);
  EXPECT_EQ(code_of(run_to_end(queries().body_of(old.user, old.id))), Errc::not_found);
  EXPECT_EQ(find(waiting).state, JobState::pending);
  EXPECT_EQ(find(later.job).state, JobState::completed);
  // What it made and what was told of it stay.
  EXPECT_EQ(must(run_to_end(queries().history(old.user, HistoryQuery()))).total, 1);
  EXPECT_FALSE(events_of_job(old).empty());
  EXPECT_EQ(sweep(housekeeping(), &Housekeeping::remove_jobs, border), 0);
}

TEST_P(JobStoreContract, AJobThatBeganLongAgoIsKeptFromItsEndOn) {
  const auto claimed = begin("ann");
  clock_.advance(24h);
  const auto border = clock_.now();
  complete(claimed);
  submit("ann");
  EXPECT_EQ(sweep(housekeeping(), &Housekeeping::remove_jobs, border), 0);
  clock_.advance(1h);
  EXPECT_EQ(sweep(housekeeping(), &Housekeeping::remove_jobs, clock_.now()), 1);
}

TEST_P(JobStoreContract, TheOldestJobsGoWhereThereAreTooMany) {
  const auto waiting = submit("bob");
  std::vector<Job> ended;
  for (int i = 0; i < 6; ++i) {
    ended.push_back(submit("ann"));
    must(run_to_end(jobs().cancel(ended.back().user, ended.back().id)));
  }
  const auto long_ago = clock_.now() - 1h;
  EXPECT_EQ(sweep(housekeeping(), &Housekeeping::remove_jobs, long_ago, 10), 0);
  // Seven less four, one of which has not ended.
  EXPECT_EQ(sweep(housekeeping(), &Housekeeping::remove_jobs, long_ago, 4), 2);
  EXPECT_EQ(find_error("ann", ended[1].id), Errc::not_found);
  EXPECT_EQ(find(ended[2]).state, JobState::cancelled);
  EXPECT_EQ(find(waiting).state, JobState::pending);
}

TEST_P(JobStoreContract, TheNewestJobStays) {
  const auto only = submit("ann");
  must(run_to_end(jobs().cancel(only.user, only.id)));
  clock_.advance(1h);
  EXPECT_EQ(sweep(housekeeping(), &Housekeeping::remove_jobs, clock_.now()), 0);
}

TEST_P(JobStoreContract, OfOldEventsEachUserKeepsTheNewest) {
  for (int i = 0; i < 3; ++i) complete(begin("ann"));
  submit("bob");
  clock_.advance(1h);
  const auto border = clock_.now();
  submit("cid");
  submit("cid");
  EXPECT_EQ(sweep(housekeeping(), &Housekeeping::remove_events, border), 0) << "nothing has followed yet";
  follow_log();

  EXPECT_EQ(sweep(housekeeping(), &Housekeeping::remove_events, border), 8);

  ASSERT_EQ(events_of("ann").size(), 1U);
  EXPECT_EQ(events_of("ann").front().type, EventType::completed);
  EXPECT_EQ(events_of("ann").front().seq, 9);
  EXPECT_EQ(events_of("bob").size(), 1U);
  EXPECT_EQ(events_of("cid").size(), 2U);
  submit("ann");
  EXPECT_EQ(events_of("ann").back().seq, 10);
}

TEST_P(JobStoreContract, TheOldestEventsGoWhereThereAreTooMany) {
  for (int i = 0; i < 5; ++i) submit("ann");
  for (int i = 0; i < 5; ++i) submit("bob");
  follow_log();
  const auto long_ago = clock_.now() - 1h;
  EXPECT_EQ(sweep(housekeeping(), &Housekeeping::remove_events, long_ago, 3), 6);
  EXPECT_EQ(events_of("ann").size(), 1U);
  EXPECT_EQ(events_of("ann").front().seq, 5);
  EXPECT_EQ(events_of("bob").size(), 3U);
  EXPECT_EQ(events_of("bob").front().seq, 3);
}

TEST_P(JobStoreContract, OldAnalysesAreRemovedAndTheirJobsStay) {
  const auto first = begin("ann");
  complete(first);
  clock_.advance(1h);
  const auto border = clock_.now();
  const auto second = begin("ann");
  complete(second);
  const auto audit = *find(first.job).audit;
  const auto kept = *find(second.job).audit;
  EXPECT_EQ(must(run_to_end(housekeeping().unsaved({audit, kept, AuditId("none")}))), std::vector{AuditId("none")});

  EXPECT_EQ(sweep(housekeeping(), &Housekeeping::remove_analyses, border), 1);

  EXPECT_EQ(find(first.job).state, JobState::completed);
  EXPECT_FALSE(find(first.job).audit);
  EXPECT_EQ(must(run_to_end(queries().history(UserId("ann"), HistoryQuery()))).total, 1);
  EXPECT_EQ(must(run_to_end(housekeeping().unsaved({audit, kept}))), std::vector{audit});
}

TEST_P(JobStoreContract, PositionsThatNobodyAsksForAnyMoreGo) {
  const auto first = submit("ann");
  const auto second = submit("ann");
  const auto third = submit("ann");
  const auto move = [this] {
    clock_.advance(2s);
    EXPECT_EQ(must(run_to_end(jobs().announce_positions(10))), 0);
  };
  must(run_to_end(jobs().cancel(first.user, first.id)));
  move();
  must(run_to_end(jobs().cancel(second.user, second.id)));
  move();
  EXPECT_EQ(told_of(third), "queued queued queued");
  EXPECT_EQ(sweep(housekeeping(), &Housekeeping::remove_positions, clock_.now() + 1h), 0) << "nothing has followed yet";
  follow_log();
  EXPECT_EQ(sweep(housekeeping(), &Housekeeping::remove_positions, clock_.now() - 1h), 0) << "they are young";

  EXPECT_EQ(sweep(housekeeping(), &Housekeeping::remove_positions, clock_.now() + 1h), 2);

  EXPECT_EQ(told_of(second), "queued cancelled");
  EXPECT_EQ(told_of(third), "queued queued") << "never the newest";
  EXPECT_EQ(events_of("ann").back().seq, 8);
  complete(claim());
  EXPECT_EQ(told_of(third), "queued queued started completed");
  follow_log();
  EXPECT_EQ(sweep(housekeeping(), &Housekeeping::remove_positions, clock_.now() + 1h), 0)
      << "that was looked at before";
}

}  // namespace
}  // namespace rushes::jobs
