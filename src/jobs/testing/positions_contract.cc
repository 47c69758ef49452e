#include "async/run.h"
#include "jobs/testing/job_store_contract.h"

namespace rushes::jobs {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

const Failure kPassing{"NETWORK_AWAY", "The network is away.", true, {}};

TEST_P(JobStoreContract, APositionIsThePlaceInTheOrderOfClaims) {
  EXPECT_EQ(submit("ann").queue_position, 1);
  EXPECT_EQ(submit("ann").queue_position, 2);
  EXPECT_EQ(submit("ann").queue_position, 3);
  EXPECT_EQ(submit("bob").queue_position, 2);  // before ann's second
  EXPECT_EQ(submit("bob").queue_position, 4);  // before ann's third
}

TEST_P(JobStoreContract, PositionsCountWhatRuns) {
  begin("ann");
  EXPECT_EQ(submit("ann").queue_position, 1);
  EXPECT_EQ(submit("bob").queue_position, 1);  // none of bob's runs
}

TEST_P(JobStoreContract, AJobThatWaitsForItsBackoffIsInNobodysWay) {
  const auto failing = begin("ann");
  must(run_to_end(jobs().fail(failing.lease, kPassing, seconds(60))));
  EXPECT_EQ(submit("bob").queue_position, 1);
  EXPECT_EQ(submit("ann").queue_position, 2);
  EXPECT_FALSE(find(failing.job).queue_position);
}

TEST_P(JobStoreContract, TheFirstPositionIsThatOfTheAnnouncedOrder) {
  std::vector<Claimed> begun;
  std::uint32_t dice = 7;
  for (int step = 0; step < 120; ++step) {
    dice = dice * 1'664'525U + 1'013'904'223U;
    const auto job = submit("user" + std::to_string((dice >> 16U) % 7));
    const auto what = (dice >> 24U) % 6;
    if (what == 0) begun.push_back(claim());
    if (what == 1 && !begun.empty()) {
      must(run_to_end(jobs().fail(begun.back().lease, kPassing, seconds((dice >> 20U) % 2 * 1'000))));
      begun.pop_back();
    }
    clock_.advance(seconds(1));
    if (what > 1) {  // nobody moved since: nothing to tell it
      EXPECT_EQ(must(run_to_end(jobs().announce_positions(1000))), 0);
      const auto now = find(job);
      EXPECT_EQ(now.queue_position, job.queue_position) << "step " << step;
    }
  }
}

TEST_P(JobStoreContract, AnnounceTellsWhatMovedAndNothingElse) {
  const auto first = submit("ann");
  const auto second = submit("ann");
  const auto third = submit("bob");  // at 2, ann's second moves to 3
  clock_.advance(seconds(1));

  EXPECT_EQ(must(run_to_end(jobs().announce_positions(10))), 0);

  EXPECT_EQ(told_of(first), "queued");
  EXPECT_EQ(told_of(third), "queued");
  EXPECT_EQ(told_of(second), "queued queued");
  EXPECT_EQ(find(second).queue_position, 3);
  EXPECT_EQ(find(second).message, "Job queued at position 3");
  const auto payload = last_payload(second);
  EXPECT_EQ(payload.at("eventType"), "job-queued");
  EXPECT_EQ(payload.at("progress"), 0);
  EXPECT_EQ(payload.at("stage"), "queued");
  EXPECT_EQ(payload.at("message"), "Job queued at position 3");
  EXPECT_EQ(metadata_of(payload).at("queuePosition"), 3);
  EXPECT_EQ(metadata_of(payload).at("positionChanged"), true);

  clock_.advance(seconds(5));
  EXPECT_EQ(must(run_to_end(jobs().announce_positions(10))), 0);
  EXPECT_EQ(told_of(second), "queued queued");
}

TEST_P(JobStoreContract, AnnounceTellsAJobAtMostOnceASecond) {
  const auto first = submit("ann");
  const auto second = submit("ann");
  const auto third = submit("ann");
  clock_.advance(milliseconds(999));
  must(run_to_end(jobs().cancel(first.user, first.id)));

  EXPECT_EQ(must(run_to_end(jobs().announce_positions(10))), 2);  // all were told when they came
  EXPECT_EQ(told_of(second), "queued");
  clock_.advance(milliseconds(1));
  EXPECT_EQ(must(run_to_end(jobs().announce_positions(10))), 0);
  EXPECT_EQ(told_of(second), "queued queued");

  must(run_to_end(jobs().cancel(second.user, second.id)));
  clock_.advance(milliseconds(999));
  EXPECT_EQ(must(run_to_end(jobs().announce_positions(10))), 1);
  EXPECT_EQ(told_of(third), "queued queued");
  clock_.advance(milliseconds(1));
  EXPECT_EQ(must(run_to_end(jobs().announce_positions(10))), 0);
  EXPECT_EQ(told_of(third), "queued queued queued");
  EXPECT_EQ(find(third).queue_position, 1);
}

TEST_P(JobStoreContract, AnnounceTellsNoMoreThanTheLimitAndSaysWhatRemains) {
  const auto first = submit("ann");
  for (int i = 0; i < 5; ++i) submit("ann");
  must(run_to_end(jobs().cancel(first.user, first.id)));
  clock_.advance(seconds(1));
  const auto before = events_of("ann").size();

  EXPECT_EQ(must(run_to_end(jobs().announce_positions(2))), 3);
  EXPECT_EQ(events_of("ann").size(), before + 2);
  EXPECT_EQ(must(run_to_end(jobs().announce_positions(2))), 1);
  EXPECT_EQ(must(run_to_end(jobs().announce_positions(2))), 0);
  EXPECT_EQ(events_of("ann").size(), before + 5);
}

TEST_P(JobStoreContract, AnnounceAlsoTellsWhoeverARestartMoved) {
  const auto ended = begin("ann");
  complete(ended);
  submit("bob");
  const auto bobs_second = submit("bob");
  EXPECT_EQ(bobs_second.queue_position, 2);
  EXPECT_EQ(must(run_to_end(jobs().restart(ended.job.user, ended.job.id, kNoLimit))).queue_position, 2);
  clock_.advance(seconds(1));
  EXPECT_EQ(must(run_to_end(jobs().announce_positions(10))), 0);
  EXPECT_EQ(find(bobs_second).queue_position, 3);
}

TEST_P(JobStoreContract, AJobThatHasStartedOnceIsNotToldThatItIsQueued) {
  // The contract's order: queued, started, progress…, an end.
  auto released = begin("ann");
  auto failed = begin("bob");
  must(run_to_end(jobs().release(released.lease)));
  must(run_to_end(jobs().fail(failed.lease, kPassing, milliseconds(0))));
  submit("cid");
  clock_.advance(seconds(2));

  EXPECT_EQ(must(run_to_end(jobs().announce_positions(10))), 0);

  EXPECT_EQ(told_of(released.job), "queued started");
  EXPECT_EQ(told_of(failed.job), "queued started");
  EXPECT_EQ(find(released.job).queue_position, 1);
  EXPECT_EQ(find(failed.job).queue_position, 2);
}

TEST_P(JobStoreContract, WhatIsNotToldDoesNotUseUpTheLimit) {
  std::vector<Claimed> begun;
  for (int i = 0; i < 3; ++i) begun.push_back(begin("ann"));
  const auto first = submit("ann");
  const auto moved = submit("ann");
  for (const auto& claimed : begun) must(run_to_end(jobs().release(claimed.lease)));
  must(run_to_end(jobs().cancel(first.user, first.id)));
  clock_.advance(seconds(1));

  EXPECT_EQ(must(run_to_end(jobs().announce_positions(1))), 0);

  EXPECT_EQ(told_of(moved), "queued queued");
}

TEST_P(JobStoreContract, TheWaitIsToldWhereItCanBeEstimated) {
  for (int i = 0; i < 3; ++i) begin("ann");
  EXPECT_FALSE(metadata_of(last_payload(submit("bob"))).contains("estimatedWaitTime"));  // nothing measured yet
  must(run_to_end(jobs().take_over(true)));
  const auto measured = claim_up_to(4);
  clock_.advance(seconds(40));
  for (const auto& claimed : measured) complete(claimed);

  for (int i = 0; i < 3; ++i) {  // three start at once
    const auto job = submit("ann");
    EXPECT_FALSE(metadata_of(last_payload(job)).contains("estimatedWaitTime"));
  }
  const auto fourth = submit("ann");
  const auto payload = last_payload(fourth);
  EXPECT_EQ(metadata_of(payload).at("estimatedWaitTime"), 40);
  EXPECT_EQ(payload.at("message"), "Job queued at position 4 (about 40 s to wait)");
}

TEST_P(JobStoreContract, TheWaitIsEstimatedByWhatWaitsOfEachType) {
  const auto run = [this](JobType type, seconds took) {
    auto wanted = request("ann");
    wanted.type = type;
    must(run_to_end(jobs().submit(wanted, kNoLimit)));
    const auto claimed = claim();
    clock_.advance(took);
    complete(claimed);
  };
  const auto told = [this](JobType type) {
    auto wanted = request("ann");
    wanted.type = type;
    const auto metadata = metadata_of(last_payload(must(run_to_end(jobs().submit(wanted, kNoLimit))).job));
    const auto* wait = metadata.if_contains("estimatedWaitTime");
    return wait == nullptr ? 0 : static_cast<int>(wait->as_int64());
  };
  for (int i = 0; i < 3; ++i) run(JobType::upload, seconds(300));
  for (int i = 0; i < 30; ++i) run(JobType::transcript, seconds(2));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(told(JobType::transcript), 0);
  claim_up_to(3);
  EXPECT_EQ(told(JobType::transcript), 2);
  // What does not start is in nobody's way.
  must(run_to_end(jobs().set_type(JobType::upload, {true, std::nullopt})));
  for (int i = 0; i < 4; ++i) EXPECT_EQ(told(JobType::upload), 0) << "nobody knows for how long";
  EXPECT_EQ(told(JobType::transcript), 2);
  must(run_to_end(jobs().set_type(JobType::upload, {false, std::nullopt})));
  // Three transcripts run, two wait, and four uploads: 1,210 s of work, nine jobs, in three rounds.
  EXPECT_EQ(told(JobType::transcript), 404);
}

}  // namespace
}  // namespace rushes::jobs
