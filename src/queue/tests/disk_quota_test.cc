#include "queue/disk_quota.h"

#include "async/run.h"
#include "store_sqlite/tests/temporary_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace rushes::queue {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;

/// A quota of 10 MiB over a real store.
class DiskQuotaTest : public ::testing::Test {
 protected:
  DiskQuotaTest() { folder_.prepare().value(); }
  ~DiskQuotaTest() override { blocking_.stop(); }

  std::string reserve(DiskQuota::Reservation& reservation, std::uint64_t bytes) {
    const auto reserved = run_to_end(quota_.reserve(reservation, bytes));
    if (reserved) return "ok";
    refusal_ = reserved.error();
    return std::string(refusal_.public_name());
  }
  /// Stores a file and its job, as an upload does.
  JobId upload(const std::string& user, std::uint64_t bytes) {
    jobs::NewJob job;
    job.id = JobId(new_uuid(clock_, rng_));
    job.user = UserId(user);
    job.type = jobs::JobType::upload;
    job.input = R"({"upload":")" + job.id.value() + R"(","size":)" + std::to_string(bytes) + "}";
    const auto id = job.id;
    std::filesystem::create_directories(folder_.upload(id));
    std::ofstream(folder_.upload(id) / "source") << "bytes";
    (void)run_to_end(store_->jobs().submit(std::move(job), 1'000)).value();
    return id;
  }
  void cancel(const std::string& user, const JobId& job) {
    (void)run_to_end(store_->jobs().cancel(UserId(user), job)).value();
    clock_.advance(1s);
  }
  bool there(const JobId& job) const { return std::filesystem::exists(folder_.upload(job)); }

  FakeClock clock_;
  SeededRng rng_{3};
  store_sqlite::TemporaryFolder root_;
  const DataFolder folder_{root_.path()};
  BlockingPool blocking_{1};
  store_sqlite::TemporaryStore store_{clock_};
  DiskQuota quota_{store_->storage(), folder_, blocking_, clock_, {10 * kMiB, {168h, 72h, 1h}}};
  Error refusal_;
};

TEST_F(DiskQuotaTest, WhatIsOnItsWayCountsUntilItIsGivenBack) {
  {
    DiskQuota::Reservation first(quota_, UserId("ann"));
    DiskQuota::Reservation second(quota_, UserId("ann"));
    DiskQuota::Reservation bobs(quota_, UserId("bob"));
    EXPECT_EQ(reserve(first, 6 * kMiB), "ok");
    EXPECT_EQ(reserve(second, 6 * kMiB), "QUOTA_EXCEEDED");
    EXPECT_EQ(refusal_.code(), Errc::exhausted) << "it helps to wait";
    EXPECT_EQ(reserve(bobs, 6 * kMiB), "ok");
    EXPECT_EQ(second.bytes(), 0U);
    EXPECT_EQ(reserve(first, 4 * kMiB), "ok") << "it grows";
    EXPECT_EQ(quota_.reserved(), 16 * kMiB);
    EXPECT_EQ(run_to_end(quota_.usage(UserId("ann"))).value().reserved, 10 * kMiB);
  }
  EXPECT_EQ(quota_.reserved(), 0U);
  EXPECT_EQ(quota_.counts().refused.value(), 1U);
}

TEST_F(DiskQuotaTest, WhatIsLargerThanTheQuotaIsRefusedForGood) {
  DiskQuota::Reservation reservation(quota_, UserId("ann"));
  EXPECT_EQ(reserve(reservation, 11 * kMiB), "QUOTA_EXCEEDED");
  EXPECT_EQ(refusal_.code(), Errc::too_large);
  EXPECT_THAT(std::string(refusal_.public_message()), HasSubstr("10 MiB"));
}

TEST_F(DiskQuotaTest, UploadsOfEndedJobsMakeRoomTheOldestFirst) {
  const auto first = upload("ann", 4 * kMiB);
  const auto second = upload("ann", 4 * kMiB);
  const auto bobs = upload("bob", 4 * kMiB);
  DiskQuota::Reservation reservation(quota_, UserId("ann"));
  EXPECT_EQ(reserve(reservation, 4 * kMiB), "QUOTA_EXCEEDED") << "both are needed";
  EXPECT_THAT(std::string(refusal_.public_message()), HasSubstr("8 MiB are used by uploads"));
  cancel("bob", bobs);
  cancel("ann", second);
  cancel("ann", first);
  EXPECT_EQ(reserve(reservation, 4 * kMiB), "ok");
  EXPECT_TRUE(there(first));
  EXPECT_FALSE(there(second));
  EXPECT_TRUE(there(bobs));
  EXPECT_EQ(quota_.counts().evicted.value(), 1U);
  DiskQuota::Reservation more(quota_, UserId("ann"));
  EXPECT_EQ(reserve(more, 9 * kMiB), "QUOTA_EXCEEDED");
  EXPECT_TRUE(there(first)) << "its end would not be enough";
}

TEST_F(DiskQuotaTest, ManyUploadsAndCancelsStayWithinTheQuota) {
  for (int i = 0; i < 20; ++i) {
    DiskQuota::Reservation reservation(quota_, UserId("ann"));
    ASSERT_EQ(reserve(reservation, 3 * kMiB), "ok") << i;
    cancel("ann", upload("ann", 3 * kMiB));
    EXPECT_LE(run_to_end(quota_.usage(UserId("ann"))).value().stored.uploads, static_cast<std::int64_t>(10 * kMiB));
  }
}

TEST_F(DiskQuotaTest, UploadsOnTheirWayCannotAllHaveTheLastRoomOfTheDisk) {
  DiskQuota no_limit(store_->storage(), folder_, blocking_, clock_, {});
  const auto free = folder_.free_bytes() - DataFolder::kRoom;
  DiskQuota::Reservation first(no_limit, UserId("ann"));
  DiskQuota::Reservation second(no_limit, UserId("bob"));
  ASSERT_TRUE(run_to_end(no_limit.reserve(first, free / 3 * 2)));
  const auto refused = run_to_end(no_limit.reserve(second, free / 3 * 2));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().public_name(), "DISK_FULL");
  EXPECT_TRUE(run_to_end(no_limit.reserve(second, free / 10)));
  first.wrote(free);  // the disk itself shows it from now on
  EXPECT_TRUE(run_to_end(no_limit.reserve(second, free / 3)));
}

TEST_F(DiskQuotaTest, UploadsGoWhenTheirTimeHasCome) {
  const auto cancelled = upload("ann", kMiB);
  const auto waiting = upload("ann", kMiB);
  cancel("ann", cancelled);
  run_to_end(quota_.remove_expired());
  EXPECT_TRUE(there(cancelled));
  EXPECT_EQ(run_to_end(quota_.kept_until(cancelled)).value(), clock_.now() - 1s + 1h);
  clock_.advance(1h);
  run_to_end(quota_.remove_expired());
  EXPECT_FALSE(there(cancelled));
  EXPECT_TRUE(there(waiting));
  EXPECT_EQ(run_to_end(quota_.kept_until(cancelled)).error().code(), Errc::not_found);
  EXPECT_EQ(quota_.counts().expired.value(), 1U);
}

TEST_F(DiskQuotaTest, AUserIsToldAtEightyPercentAndWhenARefusalShowsThatItIsFull) {
  std::vector<int> told;
  quota_.on_step([&told](const jobs::UsageStep& step) { told.push_back(step.percent); });
  upload("ann", 9 * kMiB);
  run_to_end(quota_.tell_steps(UserId("ann")));
  run_to_end(quota_.tell_steps());
  EXPECT_THAT(told, ElementsAre(80));
  DiskQuota::Reservation reservation(quota_, UserId("ann"));
  EXPECT_EQ(reserve(reservation, 2 * kMiB), "QUOTA_EXCEEDED");
  EXPECT_EQ(reserve(reservation, 2 * kMiB), "QUOTA_EXCEEDED");
  EXPECT_THAT(told, ElementsAre(80, 100));
}

TEST_F(DiskQuotaTest, WhoHasNothingLeftSubmitsNothingUntilThereIsRoom) {
  const auto left = [this] { return run_to_end(quota_.check_left(UserId("ann"))); };
  const auto first = upload("ann", 5 * kMiB);
  upload("ann", 5 * kMiB);
  run_to_end(quota_.look());
  ASSERT_FALSE(left());
  EXPECT_EQ(left().error().code(), Errc::exhausted) << "it helps to wait for its jobs";
  EXPECT_THAT(std::string(left().error().public_message()), HasSubstr("10 MiB are used by uploads"));
  EXPECT_TRUE(run_to_end(quota_.check_left(UserId("bob"))));
  cancel("ann", first);
  EXPECT_TRUE(left()) << "the upload of an ended job makes room";
  EXPECT_FALSE(there(first));
}

}  // namespace
}  // namespace rushes::queue
