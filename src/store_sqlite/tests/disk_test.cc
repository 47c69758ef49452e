// The store over a disk that fails.
#include "async/run.h"
#include "base/id.h"
#include "sqlite/testing/faulty_vfs.h"
#include "store_sqlite/tests/temporary_store.h"

#include <gtest/gtest.h>

#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace rushes::store_sqlite {
namespace {

using namespace std::chrono_literals;
using sqlite::DiskError;
using sqlite::DiskOperation;

class DiskTest : public ::testing::Test {
 protected:
  DiskTest() { listen(); }

  void listen() {
    store_->events().on_committed([this](std::span<const jobs::Event> events) {
      const std::lock_guard lock(mutex_);
      heard_.insert(heard_.end(), events.begin(), events.end());
    });
  }
  void reopen() {
    store_.reopen();
    listen();
  }

  jobs::NewJob request(const std::string& user = "ann") {
    jobs::NewJob job;
    job.id = JobId(new_uuid(clock_, rng_));
    job.user = UserId(user);
    job.body = std::string(2'000, 'x');
    return job;
  }
  Result<jobs::Submission> submit(const std::string& user = "ann") {
    return run_to_end(store_->jobs().submit(request(user), 1'000));
  }
  jobs::Claimed claim() { return run_to_end(store_->jobs().claim(jobs::ClaimRequest())).value().at(0); }
  Result<void> report(const jobs::Lease& lease, int percent, const std::string& stage = "Saving results") {
    return run_to_end(store_->jobs().report(lease, jobs::ProgressReport{percent, stage, "m", ""}));
  }
  Result<void> complete(const jobs::Lease& lease) {
    jobs::Completion completion;
    completion.audit = AuditId(new_uuid(clock_, rng_));
    return run_to_end(store_->jobs().complete(lease, completion));
  }
  std::vector<jobs::Job> jobs_of(const std::string& user) {
    jobs::JobFilter filter;
    filter.limit = 200;
    return run_to_end(store_->queries().list(UserId(user), filter)).value().jobs;
  }
  std::vector<jobs::Event> log_of(const std::string& user) {
    return run_to_end(store_->events().of_user_after(UserId(user), 0, 100'000)).value();
  }
  std::vector<jobs::Event> heard() {
    const std::lock_guard lock(mutex_);
    return heard_;
  }
  void wait_until_healthy() {
    const auto end = std::chrono::steady_clock::now() + 20s;
    while (store_->refusal() && std::chrono::steady_clock::now() < end) std::this_thread::sleep_for(5ms);
    EXPECT_FALSE(store_->refusal());
  }

  FakeClock clock_;
  SeededRng rng_{3};
  sqlite::Faults faults_;
  const sqlite::FaultyVfs vfs_{faults_};
  TemporaryStore store_{clock_};
  std::mutex mutex_;
  std::vector<jobs::Event> heard_;  // under mutex_
};

TEST_F(DiskTest, WhoeverStartsOnAFullDiskIsToldWhichFileItIs) {
  const TemporaryFolder folder;
  FakeClock clock;
  SeededRng rng{3};
  faults_.fail_all(DiskError::full);
  const auto refused = Store::open(folder.database(), StoreOptions(), clock, rng);
  faults_.heal();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::unavailable);
  const std::string words = refused.error().what();
  EXPECT_NE(words.find(folder.database().string()), std::string::npos) << words;
  EXPECT_NE(words.find("full"), std::string::npos) << words;
}

TEST_F(DiskTest, WhatCannotBeSyncedIsRefusedAndNotThere) {
  for (const bool lose : {false, true}) {
    faults_.lose_unsynced(lose ? sqlite::Lost::all : sqlite::Lost::nothing);
    const auto before = jobs_of("ann").size();
    const auto told = heard().size();
    faults_.fail_nth(DiskOperation::sync, 1, DiskError::full);

    const auto refused = submit();

    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::unavailable);
    EXPECT_EQ(refused.error().public_name(), "DISK_FULL");
    EXPECT_EQ(jobs_of("ann").size(), before);
    EXPECT_EQ(heard().size(), told);
    EXPECT_EQ(submit().value().job.queue_position, static_cast<int>(before) + 1);
    reopen();
    EXPECT_EQ(jobs_of("ann").size(), before + 1);
  }
}

TEST_F(DiskTest, ItSaysWhyItRefusesAndGoesOnByItself) {
  EXPECT_FALSE(store_->refusal());
  for (const auto& [error, name] :
       {std::pair(DiskError::full, "DISK_FULL"), std::pair(DiskError::read_only, "DISK_READ_ONLY")}) {
    faults_.fail_all(error);
    EXPECT_FALSE(submit());
    ASSERT_TRUE(store_->refusal());
    EXPECT_EQ(store_->refusal()->public_name(), name);
    faults_.heal();
    wait_until_healthy();  // though nobody writes
  }
  EXPECT_TRUE(submit());
}

TEST_F(DiskTest, ReadingGoesOn) {
  const auto job = submit().value().job;
  const auto running = claim();
  ASSERT_TRUE(report(running.lease, 30));
  faults_.fail_all(DiskError::full);
  EXPECT_FALSE(submit());
  ASSERT_TRUE(report(running.lease, 40));
  EXPECT_EQ(run_to_end(store_->queries().find(job.user, job.id)).value().progress, 40);
  EXPECT_EQ(jobs_of("ann").size(), 1U);
  // What cannot be filed is told from memory: those who come back find all of it.
  const auto log = log_of("ann");
  ASSERT_EQ(log.size(), 4U);
  EXPECT_EQ(log.back().type, jobs::EventType::progress);
  EXPECT_EQ(run_to_end(store_->events().of_user_after(UserId("ann"), log[2].seq, 10)).value().size(), 1U);
  EXPECT_EQ(run_to_end(store_->events().of_user_after(UserId("ann"), 0, 3)).value().size(), 3U);
  EXPECT_TRUE(run_to_end(store_->events().of_user_after(UserId("bob"), 0, 3)).value().empty());
}

TEST_F(DiskTest, AWorkerThatIsAliveKeepsItsJobHoweverLongTheDiskIsFull) {
  (void)submit().value();
  auto lease = claim().lease;
  faults_.fail_all(DiskError::full);
  for (int i = 1; i <= 12; ++i) {  // four leases
    clock_.advance(10s);
    lease = run_to_end(store_->jobs().renew(lease, 30s)).value();
    EXPECT_TRUE(report(lease, 20 + i));
    EXPECT_FALSE(complete(lease));
    const auto taken = run_to_end(store_->jobs().take_over(false));
    EXPECT_TRUE(!taken || *taken == 0);
  }
  faults_.heal();
  EXPECT_EQ(run_to_end(store_->jobs().take_over(false)).value(), 0);
  EXPECT_TRUE(complete(lease));
  EXPECT_EQ(jobs_of("ann").at(0).state, jobs::JobState::completed);
  EXPECT_EQ(jobs_of("ann").at(0).attempt, 1);
}

TEST_F(DiskTest, ProgressThatCannotBeFiledIsToldNoMoreBeforeItsNumbersRunOut) {
  (void)submit().value();
  const auto lease = claim().lease;
  faults_.fail_all(DiskError::full);
  int told = 0;
  while (told < 10'000 && report(lease, 20)) ++told;
  EXPECT_LT(told, 4'096) << "after a crash, these numbers would be given again";
  EXPECT_GT(told, 3'000);
  faults_.heal();
  wait_until_healthy();
  EXPECT_TRUE(run_to_end(store_->events().of_user_after(UserId("ann"), 0, 1)));  // files
  EXPECT_TRUE(report(lease, 30));
}

/// What must be the same in memory and in the database.
struct Picture {
  std::map<std::string, std::string> jobs;  // by id
  std::int64_t waiting = 0;
  std::int64_t running = 0;
  bool operator==(const Picture&) const = default;
};
void PrintTo(const Picture& picture, std::ostream* out) {
  *out << picture.waiting << " waiting, " << picture.running << " running";
  for (const auto& [id, state] : picture.jobs) *out << "\n  " << id << ": " << state;
}

class RandomDiskTest : public DiskTest, public ::testing::WithParamInterface<std::uint64_t> {
 protected:
  Picture picture() {
    Picture all;
    std::set<int> positions;
    for (const auto* user : {"ann", "bob"}) {
      for (const auto& job : jobs_of(user)) {
        all.jobs[job.id.value()] =
            std::string(to_string(job.state)) + (job.cancel_requested ? ", to be cancelled" : "");
        const auto position = run_to_end(store_->queries().position(UserId(user), job.id)).value();
        if (position) positions.insert(*position);
      }
    }
    const auto counts = run_to_end(store_->queries().counts()).value();
    all.waiting = counts.pending;
    all.running = counts.processing;
    EXPECT_EQ(static_cast<std::int64_t>(positions.size()), all.waiting);
    EXPECT_TRUE(positions.empty() || *positions.rbegin() == all.waiting);
    return all;
  }

  JobId any_job() {
    const auto all = jobs_of(rng_.next_u64() % 2 == 0 ? "ann" : "bob");
    return all.empty() ? JobId("none") : all[rng_.next_u64() % all.size()].id;
  }
  UserId owner_of(const JobId& id) {
    return run_to_end(store_->queries().find(UserId("ann"), id)) ? UserId("ann") : UserId("bob");
  }
  void note(const Result<void>& written, const JobId& job, const std::string& state) {
    if (written) acknowledged_[job.value()] = state;
  }

  void step() {
    const auto dice = rng_.next_u64() % 10;
    auto& store = store_->jobs();
    if (dice < 3) {
      const auto job = submit(dice == 0 ? "ann" : "bob");
      if (job) acknowledged_[job->job.id.value()] = "";
      return;
    }
    if (dice < 5) {
      const auto claimed = run_to_end(store.claim(jobs::ClaimRequest()));
      if (claimed && !claimed->empty()) leases_.push_back(claimed->front().lease);
      return;
    }
    if (dice == 5) {
      const auto id = any_job();
      const auto outcome = run_to_end(store.cancel(owner_of(id), id));
      if (outcome && *outcome == jobs::CancelOutcome::cancelled) acknowledged_[id.value()] = "cancelled";
      return;
    }
    if (dice == 6) {
      const auto id = any_job();
      if (run_to_end(store.restart(owner_of(id), id, 1'000))) acknowledged_[id.value()] = "";
      return;
    }
    if (leases_.empty()) return;
    const auto at = rng_.next_u64() % leases_.size();
    const auto lease = leases_[at];
    if (dice == 7) {
      (void)report(lease, static_cast<int>(rng_.next_u64() % 90));
      return;
    }
    const auto ended = dice == 8 ? complete(lease) : run_to_end(store.confirm_cancelled(lease));
    if (ended) {
      acknowledged_[lease.job.value()] = dice == 8 ? "completed" : "cancelled";
    } else if (ended.error().code() == Errc::cancelled) {
      acknowledged_[lease.job.value()] = "cancelled";
    } else if (ended.error().code() == Errc::unavailable) {
      return;  // still held
    }
    leases_.erase(leases_.begin() + static_cast<std::ptrdiff_t>(at));
  }

  std::vector<jobs::Lease> leases_;
  std::map<std::string, std::string> acknowledged_;  // each job's end; empty: none
};

TEST_P(RandomDiskTest, MemoryAndDatabaseAgreeWhateverFails) {
  const auto seed = GetParam();
  rng_ = SeededRng(seed);
  faults_.lose_unsynced(seed % 2 == 0 ? sqlite::Lost::logs : sqlite::Lost::nothing);
  for (int round = 0; round < 10; ++round) {
    const auto error = std::array{DiskError::io, DiskError::full, DiskError::read_only}[rng_.next_u64() % 3];
    faults_.fail_randomly(0.05, error, rng_.next_u64());
    for (int i = 0; i < 30; ++i) step();
    faults_.heal();
    EXPECT_TRUE(run_to_end(store_->jobs().take_over(false)));  // a write: the disk is found to be back
    EXPECT_FALSE(store_->refusal());
    const auto now = picture();
    for (const auto& [id, end] : acknowledged_) {
      ASSERT_TRUE(now.jobs.contains(id)) << id << " is lost";
      EXPECT_TRUE(end.empty() || now.jobs.at(id) == end) << id << " is " << now.jobs.at(id) << ", not " << end;
    }
    reopen();
    EXPECT_EQ(picture(), now) << "seed " << seed << ", round " << round;
  }
  std::set<std::int64_t> logged;
  for (const auto* user : {"ann", "bob"}) {
    std::int64_t seq = 0;
    for (const auto& event : log_of(user)) {
      EXPECT_GT(event.seq, seq);
      seq = event.seq;
      logged.insert(event.id);
    }
  }
  std::set<std::int64_t> ids;
  for (const auto& event : heard()) {
    EXPECT_TRUE(ids.insert(event.id).second) << "told twice";
    EXPECT_TRUE(event.type == jobs::EventType::progress || logged.contains(event.id)) << "told and not logged";
  }
  EXPECT_GT(faults_.failed(), 5);
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomDiskTest, ::testing::Range<std::uint64_t>(1, 9));

}  // namespace
}  // namespace rushes::store_sqlite
