#include "queue/housekeeper.h"

#include "async/run.h"

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <chrono>
#include <fstream>
#include <map>

namespace rushes::queue {
namespace {

using namespace std::chrono_literals;
using jobs::SweepOrder;
using jobs::SweepPlace;
using jobs::Swept;

/// Knows what is needed, and notes how it was swept.
class FakeStore final : public jobs::Housekeeping {
 public:
  Task<Result<Swept>> remove_jobs(SweepOrder order, SweepPlace place) override { co_return step("jobs", order, place); }
  Task<Result<Swept>> remove_events(SweepOrder order, SweepPlace place) override {
    co_return step("events", order, place);
  }
  Task<Result<Swept>> remove_positions(SweepOrder order, SweepPlace place) override {
    co_return step("positions", order, place);
  }
  Task<Result<Swept>> remove_analyses(SweepOrder order, SweepPlace place) override {
    co_return step("analyses", order, place);
  }
  Task<Result<std::vector<JobId>>> unneeded(std::vector<JobId> uploads) override {
    if (away) co_return Error(Errc::unavailable, "away");
    std::erase_if(uploads, [this](const JobId& upload) { return needed.contains(upload.value()); });
    co_return uploads;
  }
  Task<Result<std::vector<AuditId>>> unsaved(std::vector<AuditId> analyses) override {
    if (away) co_return Error(Errc::unavailable, "away");
    std::erase_if(analyses, [this](const AuditId& audit) { return needed.contains(audit.value()); });
    co_return analyses;
  }

  Result<Swept> step(const std::string& what, SweepOrder order, SweepPlace place) {
    if (away) return Error(Errc::unavailable, "away");
    orders[what] = order;
    ++steps[what];
    return Swept{2, place.at == 2, {place.at + 1, 0}};
  }

  std::set<std::string> needed;
  bool away = false;
  std::map<std::string, SweepOrder> orders;
  std::map<std::string, int> steps;
};

/// Nobody has uploads.
class NoStorage final : public jobs::Storage {
 public:
  Task<Result<jobs::StoredBytes>> bytes_of(UserId) override { co_return jobs::StoredBytes(); }
  Task<Result<jobs::StoredBytes>> bytes_of_all() override { co_return jobs::StoredBytes(); }
  Task<Result<std::vector<UserId>>> full_users(std::int64_t) override { co_return std::vector<UserId>(); }
  Task<Result<std::vector<jobs::EndedUpload>>> ended_uploads(jobs::EndedUploads) override {
    co_return std::vector<jobs::EndedUpload>();
  }
  Task<Result<std::vector<JobId>>> remove_uploads(std::vector<JobId> uploads) override { co_return uploads; }
  Task<Result<std::optional<Timestamp>>> kept_until(JobId, jobs::UploadRetention) override {
    co_return Error(Errc::not_found, "none");
  }
  Task<Result<std::vector<jobs::UsageStep>>> take_usage_steps(std::int64_t, std::optional<UserId>) override {
    co_return std::vector<jobs::UsageStep>();
  }
  Task<Result<std::optional<jobs::UsageStep>>> take_full_step(UserId) override { co_return std::nullopt; }
};

class HousekeeperTest : public ::testing::Test {
 protected:
  HousekeeperTest() {
    std::string name = testing::TempDir() + "rushes-house-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    root_ = name;
    folder_ = std::make_unique<DataFolder>(root_);
    folder_->prepare().value();
    quota_ = std::make_unique<DiskQuota>(storage_, *folder_, blocking_, clock_, QuotaOptions());
  }
  ~HousekeeperTest() override {
    blocking_.stop();
    std::filesystem::remove_all(root_);
  }

  void make(const std::string& name) {
    std::filesystem::create_directories(root_ / name);
    std::ofstream(root_ / name / "source") << "bytes";
  }
  bool there(const std::string& name) const { return std::filesystem::exists(root_ / name); }
  Housekeeper& keeper() {
    if (!keeper_) {
      keeper_ =
          std::make_unique<Housekeeper>(loop_.get_executor(), store_, *quota_, *folder_, blocking_, clock_, retention_);
    }
    return *keeper_;
  }
  void tidy() {
    bool done = false;
    asio::co_spawn(loop_, keeper().tidy(), [&done](std::exception_ptr failed) {
      EXPECT_FALSE(failed);
      done = true;
    });
    auto held = asio::make_work_guard(loop_);
    loop_.restart();
    while (!done) loop_.run_one();
  }

  const std::string audit_ = "01976b6d-0000-7000-8000-000000000001";
  asio::io_context loop_{1};
  std::filesystem::path root_;
  std::unique_ptr<DataFolder> folder_;
  BlockingPool blocking_{1};
  SystemClock system_;
  FakeClock clock_;
  FakeStore store_;
  NoStorage storage_;
  std::unique_ptr<DiskQuota> quota_;
  Retention retention_;
  std::unique_ptr<Housekeeper> keeper_;
};

TEST_F(HousekeeperTest, WhatAServerLeftBeforeAndNobodyNeedsGoesAtOnce) {
  make("uploads/wanted");
  make("uploads/unwanted");
  make("files/" + audit_ + "-key");
  make("files/junk");
  store_.needed = {"wanted", audit_};
  tidy();
  EXPECT_TRUE(there("uploads/wanted"));
  EXPECT_FALSE(there("uploads/unwanted"));
  EXPECT_TRUE(there("files/" + audit_ + "-key"));
  EXPECT_FALSE(there("files/junk"));
  EXPECT_EQ(keeper().counts().uploads.value(), 1U);
  EXPECT_EQ(keeper().counts().files.value(), 1U);
}

TEST_F(HousekeeperTest, WhatIsNewMayBeAboutToBeNeeded) {
  (void)keeper();
  make("uploads/new");
  make("files/" + audit_ + "-key");
  // The files are of now; the clock of the tests may be elsewhere.
  clock_.advance(std::chrono::duration_cast<std::chrono::milliseconds>(system_.now() - clock_.now()));
  tidy();
  clock_.advance(50min);
  tidy();
  EXPECT_TRUE(there("uploads/new"));
  clock_.advance(50min);
  tidy();
  EXPECT_FALSE(there("uploads/new"));
  EXPECT_FALSE(there("files/" + audit_ + "-key"));
}

TEST_F(HousekeeperTest, WhatWasNotNeededOnlyOnceStays) {
  (void)keeper();
  make("uploads/late");
  clock_.advance(std::chrono::duration_cast<std::chrono::milliseconds>(system_.now() - clock_.now()) + 2h);
  tidy();
  EXPECT_TRUE(there("uploads/late")) << "old, but seen for the first time";
  store_.needed = {"late"};
  tidy();
  store_.needed = {};
  tidy();
  EXPECT_TRUE(there("uploads/late")) << "needed by the round before";
}

TEST_F(HousekeeperTest, NothingGoesWhileTheStoreIsAway) {
  make("uploads/unknown");
  make("files/unknown");
  retention_.jobs = 24h;
  store_.away = true;
  tidy();
  EXPECT_TRUE(there("uploads/unknown"));
  EXPECT_TRUE(there("files/unknown"));
  store_.away = false;
  tidy();
  EXPECT_FALSE(there("uploads/unknown"));
}

TEST_F(HousekeeperTest, EachSweepGoesToItsEndWithWhatIsConfigured) {
  retention_.jobs = 48h;
  retention_.max_events = 1'000;
  make("uploads/one");
  tidy();
  EXPECT_EQ(store_.steps["jobs"], 3);
  EXPECT_EQ(store_.orders["jobs"].before, clock_.now() - 48h);
  EXPECT_EQ(store_.orders["jobs"].most, 0);
  EXPECT_EQ(store_.steps["events"], 3);
  EXPECT_EQ(store_.orders["events"].before, from_millis(0));
  EXPECT_EQ(store_.orders["events"].most, 1'000);
  EXPECT_EQ(store_.steps["positions"], 3);
  EXPECT_EQ(store_.orders["positions"].before, clock_.now() - 1h);
  EXPECT_EQ(store_.steps["analyses"], 0) << "kept for ever";
  EXPECT_EQ(keeper().counts().jobs.value(), 6U);
}

}  // namespace
}  // namespace rushes::queue
