#include "async/run.h"
#include "jobs/testing/job_store_contract.h"

// EventLog::of_job_after.

namespace rushes::jobs {
namespace {

std::string words_of(const std::vector<Event>& events) {
  std::string words;
  for (const auto& event : events) words += std::string(to_string(event.type)).substr(4) + " ";
  return words;
}

TEST_P(JobStoreContract, OneJobsEventsAreReadAmongTheOthers) {
  const auto before = begin("ann");
  const auto claimed = begin("ann");
  submit("ann");
  submit("bob");
  complete(before);
  complete(claimed);
  submit("ann");
  const auto of_job = [&](const Job& job, std::int64_t seq, int limit) {
    return must(run_to_end(log().of_job_after(job.user, job.id, seq, limit)));
  };
  const auto all = of_job(claimed.job, 0, kNoLimit);
  EXPECT_EQ(words_of(all), "queued started completed ");
  EXPECT_EQ(words_of(of_job(before.job, 0, kNoLimit)), "queued started completed ");
  std::vector<std::int64_t> seqs;
  for (const auto& event : all) {
    EXPECT_EQ(event.job, claimed.job.id);
    EXPECT_EQ(event.user, claimed.job.user);
    EXPECT_EQ(metadata_of(payload_json(event)).at("seq"), event.seq);
    seqs.push_back(event.seq);
  }
  EXPECT_EQ(seqs, (std::vector<std::int64_t>{3, 4, 7}));

  EXPECT_EQ(words_of(of_job(claimed.job, 0, 2)), "queued started ");
  EXPECT_EQ(words_of(of_job(claimed.job, 3, 2)), "started completed ");
  EXPECT_EQ(words_of(of_job(claimed.job, 4, 2)), "completed ");
  EXPECT_TRUE(of_job(claimed.job, 7, 2).empty());
}

TEST_P(JobStoreContract, AnothersJobHasNoEvents) {
  const auto job = submit("ann");
  EXPECT_TRUE(must(run_to_end(log().of_job_after(UserId("bob"), job.id, 0, 10))).empty());
  EXPECT_TRUE(must(run_to_end(log().of_job_after(job.user, JobId("none"), 0, 10))).empty());
}

TEST_P(JobStoreContract, AJobsEventsGoOnAfterItsRestart) {
  const auto claimed = begin("ann");
  const auto& job = claimed.job;
  complete(claimed);
  const auto words = [&] { return words_of(must(run_to_end(log().of_job_after(job.user, job.id, 0, kNoLimit)))); };
  must(run_to_end(jobs().restart(job.user, job.id, kNoLimit)));
  EXPECT_EQ(words(), "queued started completed queued ");
  submit("ann");
  must(run_to_end(jobs().cancel(job.user, job.id)));
  EXPECT_EQ(words(), "queued started completed queued cancelled ");
  must(run_to_end(jobs().restart(job.user, job.id, kNoLimit)));
  complete(claim());
  must(run_to_end(jobs().fail(claim().lease, Failure{"BAD", "It is bad.", false, {}}, std::chrono::seconds(1))));
  EXPECT_EQ(words(), "queued started completed queued cancelled queued started failed ");
}

TEST_P(JobStoreContract, APageOfLargeEventsIsShort) {
  auto large = completion();
  large.result["summary"] = std::string(EventLog::kPageBytes / 2, 'x');
  auto claimed = begin("ann");
  const auto job = claimed.job;
  for (int i = 0; i < 4; ++i) {
    must(run_to_end(jobs().complete(claimed.lease, large)));
    must(run_to_end(jobs().restart(job.user, job.id, kNoLimit)));
    claimed = claim();
  }
  std::string words;
  int pages = 0;
  for (std::int64_t seq = 0;; ++pages) {
    const auto page = must(run_to_end(log().of_job_after(job.user, job.id, seq, kNoLimit)));
    if (page.empty()) break;
    std::size_t bytes = 0;
    for (const auto& event : page) bytes += event.payload.size();
    EXPECT_LT(bytes, 2 * EventLog::kPageBytes);
    words += words_of(page);
    seq = page.back().seq;
  }
  EXPECT_GT(pages, 1);
  std::string expected = "queued started ";
  for (int i = 0; i < 4; ++i) expected += "completed queued started ";
  EXPECT_EQ(words, expected);
}

TEST_P(JobStoreContract, AJobsEventsHoldTheProgressThatWasTold) {
  const auto claimed = begin("ann");
  const auto report = [&](int percent) {
    must(run_to_end(jobs().report(claimed.lease, ProgressReport{percent, "one", "", ""})));
  };
  for (const int percent : {20, 30, 40}) report(percent);
  const auto& job = claimed.job;
  EXPECT_EQ(words_of(must(run_to_end(log().of_job_after(job.user, job.id, 0, kNoLimit)))),
            "queued started progress progress ");
  // A number that was told and overtaken is one to go on from.
  const auto told = heard();
  ASSERT_EQ(told.size(), 5U);
  const auto rest = must(run_to_end(log().of_job_after(job.user, job.id, told[3].seq, kNoLimit)));
  ASSERT_EQ(rest.size(), 1U);
  EXPECT_EQ(rest[0].seq, told[4].seq);
}

}  // namespace
}  // namespace rushes::jobs
