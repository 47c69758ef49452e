#include "async/run.h"
#include "jobs/testing/job_store_contract.h"

#include <gmock/gmock.h>

namespace rushes::jobs {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMiB = std::int64_t{1} << 20U;
const UploadRetention kKeep{24h, 72h, 1h};

}  // namespace

Job StorageContract::submit_upload(const std::string& user, std::int64_t bytes) {
  auto upload = request(user);
  upload.type = JobType::upload;
  upload.input = R"({"upload":")" + upload.id.value() + R"(","size":)" + std::to_string(bytes) + "}";
  return must(run_to_end(jobs().submit(upload, kNoLimit))).job;
}

Job StorageContract::retry(const Job& job) {
  auto again = request(job.user.value());
  again.type = JobType::upload;
  again.input = find(job).input;
  again.retry_of = job.id;
  return must(run_to_end(jobs().submit(again, kNoLimit))).job;
}

void StorageContract::cancel(const Job& job) { must(run_to_end(jobs().cancel(job.user, job.id))); }

StoredBytes StorageContract::bytes_of(const std::string& user) {
  return must(run_to_end(storage().bytes_of(UserId(user))));
}

std::vector<JobId> StorageContract::ended(EndedUploads wanted) {
  wanted.keep = kKeep;
  std::vector<JobId> uploads;
  for (const auto& upload : must(run_to_end(storage().ended_uploads(wanted)))) uploads.push_back(upload.upload);
  return uploads;
}

std::vector<JobId> StorageContract::expired() {
  EndedUploads wanted;
  wanted.expired_at = clock_.now();
  return ended(wanted);
}

std::vector<int> StorageContract::steps(std::int64_t quota) {
  std::vector<int> percents;
  for (const auto& step : must(run_to_end(storage().take_usage_steps(quota, std::nullopt)))) {
    percents.push_back(step.percent);
  }
  return percents;
}

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_P(StorageContract, AnUploadIsChargedWithItsSubmitAndGivenBackWhenItIsRemoved) {
  const auto first = submit_upload("ann", 5 * kMiB);
  submit_upload("ann", kMiB);
  submit_upload("bob", 7);
  EXPECT_EQ(bytes_of("ann").uploads, 6 * kMiB);
  EXPECT_EQ(must(run_to_end(storage().bytes_of_all())).uploads, 6 * kMiB + 7);
  EXPECT_THAT(must(run_to_end(storage().remove_uploads({first.id}))), IsEmpty()) << "it is needed";
  cancel(first);
  EXPECT_EQ(bytes_of("ann").uploads, 6 * kMiB) << "it is still there";
  EXPECT_THAT(must(run_to_end(storage().remove_uploads({first.id, JobId("nobodys")}))), ElementsAre(first.id));
  EXPECT_EQ(bytes_of("ann").uploads, kMiB);
  EXPECT_THAT(must(run_to_end(storage().remove_uploads({first.id}))), IsEmpty());
  EXPECT_EQ(bytes_of("nobody").all(), 0);
  EXPECT_THAT(must(run_to_end(storage().full_users(kMiB))), ElementsAre(UserId("ann")));
}

TEST_P(StorageContract, ARetryChargesNothingAndKeepsTheUpload) {
  const auto first = submit_upload("ann", kMiB);
  cancel(first);
  const auto again = retry(first);
  EXPECT_EQ(bytes_of("ann").uploads, kMiB);
  clock_.advance(2h);
  EXPECT_THAT(expired(), IsEmpty());
  EXPECT_FALSE(must(run_to_end(storage().kept_until(first.id, kKeep))));
  cancel(again);
  EXPECT_EQ(must(run_to_end(storage().kept_until(first.id, kKeep))), clock_.now() + 1h);
}

TEST_P(StorageContract, HowAJobEndedSaysHowLongItsUploadIsKept) {
  const auto cancelled = submit_upload("ann", 1);
  cancel(cancelled);
  const auto failed = submit_upload("ann", 2);
  must(run_to_end(jobs().fail(claim().lease, {"MEDIA_UNREADABLE", "It cannot be read.", false, {}}, 0ms)));
  const auto completed = submit_upload("ann", 3);
  complete(claim());
  auto for_later = request("ann");
  for_later.type = JobType::upload;
  for_later.input = R"({"upload":")" + for_later.id.value() + R"(","size":4})";
  for_later.run_at = clock_.now() + 1'000h;
  must(run_to_end(jobs().submit(for_later, kNoLimit)));

  EXPECT_THAT(expired(), IsEmpty());
  EXPECT_EQ(ended().size(), 3U);
  clock_.advance(1h);
  EXPECT_THAT(expired(), ElementsAre(cancelled.id));
  clock_.advance(23h);
  EXPECT_THAT(expired(), ElementsAre(cancelled.id, completed.id));
  clock_.advance(48h);
  EXPECT_EQ(expired().size(), 3U);
  EXPECT_EQ(must(run_to_end(storage().kept_until(failed.id, kKeep))), clock_.now());
  UploadRetention with_jobs = kKeep;
  with_jobs.failed = 0s;
  EXPECT_FALSE(must(run_to_end(storage().kept_until(failed.id, with_jobs))));
  EXPECT_EQ(code_of(run_to_end(storage().kept_until(JobId("nobodys"), kKeep))), Errc::not_found);
}

TEST_P(StorageContract, ThoseWhoseJobsEndedFirstComeFirst) {
  std::vector<Job> all;
  for (const auto* user : {"ann", "bob", "ann"}) all.push_back(submit_upload(user, 1));
  for (const auto index : {2U, 0U, 1U}) {
    cancel(all[index]);
    clock_.advance(1s);
  }
  EXPECT_THAT(ended(), ElementsAre(all[2].id, all[0].id, all[1].id));
  EndedUploads of_ann;
  of_ann.user = UserId("ann");
  of_ann.limit = 1;
  EXPECT_THAT(ended(of_ann), ElementsAre(all[2].id));
}

TEST_P(StorageContract, AnUploadWithoutJobsIsNobodysAndGoes) {
  const auto upload = submit_upload("ann", kMiB);
  cancel(upload);
  submit("ann");
  clock_.advance(1s);
  SweepOrder order;
  order.before = clock_.now();
  must(run_to_end(housekeeping().remove_jobs(order, {})));
  EXPECT_THAT(expired(), ElementsAre(upload.id));
  EXPECT_THAT(must(run_to_end(housekeeping().unneeded({upload.id, JobId("nobodys")}))), ElementsAre(JobId("nobodys")));
  must(run_to_end(storage().remove_uploads({upload.id})));
  EXPECT_EQ(bytes_of("ann").uploads, 0);
  EXPECT_THAT(must(run_to_end(housekeeping().unneeded({upload.id}))), ElementsAre(upload.id));
}

TEST_P(StorageContract, AResultIsChargedWithItsFilesUntilItIsReplacedOrRemoved) {
  const auto claimed = begin("ann");
  auto made = completion();
  made.file_bytes = kMiB;
  must(run_to_end(jobs().complete(claimed.lease, made)));
  const auto with_files = bytes_of("ann").results;
  EXPECT_GT(with_files, kMiB);
  const auto job = must(run_to_end(jobs().restart(UserId("ann"), claimed.job.id, kNoLimit)));
  EXPECT_EQ(bytes_of("ann").results, with_files) << "it stays until the new one is there";
  complete(claim());
  EXPECT_EQ(bytes_of("ann").results, with_files - kMiB);
  must(run_to_end(queries().remove_analysis(UserId("ann"), *find(job).audit)));
  EXPECT_EQ(bytes_of("ann").results, 0);

  complete(begin("ann"));
  clock_.advance(1h);
  SweepOrder order;
  order.before = clock_.now();
  EXPECT_EQ(must(run_to_end(housekeeping().remove_analyses(order, {}))).removed, 1);
  EXPECT_EQ(bytes_of("ann").results, 0);
}

TEST_P(StorageContract, EachStepIsTakenOnceUntilUsageFallsBelowTheFirst) {
  const auto first = submit_upload("ann", 50);
  submit_upload("bob", 10);
  EXPECT_THAT(steps(100), IsEmpty());
  submit_upload("ann", 30);
  EXPECT_THAT(steps(100), ElementsAre(80));
  EXPECT_THAT(steps(100), IsEmpty());
  submit_upload("ann", 20);
  EXPECT_THAT(must(run_to_end(storage().take_usage_steps(100, UserId("bob")))), IsEmpty());
  EXPECT_THAT(steps(100), ElementsAre(100));
  cancel(first);
  must(run_to_end(storage().remove_uploads({first.id})));
  EXPECT_THAT(steps(100), IsEmpty());
  submit_upload("ann", 50);
  EXPECT_THAT(steps(100), ElementsAre(100));
}

TEST_P(StorageContract, ARefusalIsTheLastStepOfWhoHasTakenTheFirst) {
  EXPECT_FALSE(must(run_to_end(storage().take_full_step(UserId("ann")))));
  submit_upload("ann", 85);
  EXPECT_THAT(steps(100), ElementsAre(80));
  const auto full = must(run_to_end(storage().take_full_step(UserId("ann"))));
  ASSERT_TRUE(full);
  EXPECT_EQ(full->percent, 100);
  EXPECT_EQ(full->bytes.uploads, 85);
  EXPECT_FALSE(must(run_to_end(storage().take_full_step(UserId("ann")))));
  EXPECT_THAT(steps(100), IsEmpty());
}

}  // namespace
}  // namespace rushes::jobs
