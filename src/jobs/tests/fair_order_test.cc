#include "jobs/fair_order.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <random>
#include <set>
#include <vector>

namespace rushes::jobs {
namespace {

const FairOrder::Types kAll(0b111);
const Timestamp kStart = from_millis(1'767'225'600'000);

/// The order by its definition, with no thought of cost.
class PlainOrder {
 public:
  struct Slot {
    int rank;
    int turn;
    std::uint64_t came;
    std::string user;
  };

  void add(const std::string& user, const Waiting& job) {
    auto& line = waiting_[{user, -job.priority}];
    line.jobs.push_back(job);
    std::sort(line.jobs.begin(), line.jobs.end(), [](const auto& a, const auto& b) { return a.place < b.place; });
    line.came.push_back(++comings_);
  }
  void remove(const std::string& user, int priority, std::int64_t place) {
    auto& line = waiting_.at({user, -priority});
    erase(line, place);
    line.came.pop_back();
  }
  void start(const std::string& user, int priority, std::int64_t place, JobType type) {
    auto& line = waiting_.at({user, -priority});
    erase(line, place);
    line.came.erase(line.came.begin());
    for (auto& [key, other] : waiting_) {
      if (key.first != user || &other == &line || other.jobs.empty()) continue;
      other.came.erase(other.came.begin());
      other.came.push_back(++comings_);
    }
    ++running_[user][static_cast<std::size_t>(type)];
  }
  void stop(const std::string& user, JobType type, Timestamp now) {
    // As FairOrder does it: by rising priority.
    for (auto line = waiting_.rbegin(); line != waiting_.rend(); ++line) {
      if (line->first.first != user || line->second.jobs.empty()) continue;
      auto& came = line->second.came;
      came.insert(came.begin(), ++comings_);
      came.pop_back();
    }
    --running_[user][static_cast<std::size_t>(type)];
    ran_[user] = now;
  }

  struct Place {
    std::string user;
    Waiting job;
  };
  std::vector<Place> all() const {
    std::vector<std::pair<Slot, Waiting>> slots;
    for (const auto& [key, line] : waiting_) {
      const auto runs = running_of(key.first);
      for (std::size_t i = 0; i < line.jobs.size(); ++i) {
        slots.push_back({{key.second, runs + 1 + static_cast<int>(i), line.came[i], key.first}, line.jobs[i]});
      }
    }
    std::sort(slots.begin(), slots.end(), [](const auto& a, const auto& b) {
      return std::tie(a.first.rank, a.first.turn, a.first.came) < std::tie(b.first.rank, b.first.turn, b.first.came);
    });
    std::vector<Place> places;
    for (const auto& [slot, job] : slots) places.push_back({slot.user, job});
    return places;
  }
  /// Lines in their order, each of which starts its first job of an allowed type that its user and the workers allow.
  std::optional<std::int64_t> next(FairOrder::Types types, const Sharing& sharing, Timestamp now) const {
    std::set<std::string> there;
    int media = 0;
    for (const auto& [user, running] : running_) {
      if (running_of(user) > 0) there.insert(user);
      media += running[0] + running[1];
    }
    for (const auto& [key, line] : waiting_) {
      if (!line.jobs.empty()) there.insert(key.first);
    }
    for (const auto& [user, until] : ran_) {
      if (until + std::chrono::hours(1) > now) there.insert(user);
    }
    const int each = there.size() > 1 ? std::max(1, sharing.workers - 1) : sharing.workers;
    const auto may_start = [&](const std::string& user, JobType type) {
      if (!types[static_cast<std::size_t>(type)]) return false;
      if (sharing.max_running_per_user > 0 && running_of(user) >= sharing.max_running_per_user) return false;
      if (running_of(user) >= each + sharing.transcript_slots) return false;
      return type == JobType::transcript || (media_of(user) < each && media < sharing.workers);
    };
    for (const auto& [user, front] : all()) {
      for (const auto& job : waiting_.at({user, -front.priority}).jobs) {
        if (may_start(user, job.type)) return job.number;
      }
    }
    return std::nullopt;
  }
  int running_of(const std::string& user) const {
    const auto found = running_.find(user);
    return found == running_.end() ? 0 : found->second[0] + found->second[1] + found->second[2];
  }

 private:
  struct Line {
    std::vector<Waiting> jobs;
    std::vector<std::uint64_t> came;
  };
  int media_of(const std::string& user) const {
    const auto found = running_.find(user);
    return found == running_.end() ? 0 : found->second[0] + found->second[1];
  }
  static void erase(Line& line, std::int64_t place) {
    std::erase_if(line.jobs, [place](const Waiting& job) { return job.place == place; });
  }
  std::map<std::pair<std::string, int>, Line> waiting_;
  std::map<std::string, std::array<int, kJobTypes>> running_;
  std::map<std::string, Timestamp> ran_;
  std::uint64_t comings_ = 0;
};

Waiting job(std::int64_t place, int priority = 0, JobType type = JobType::transcript) {
  Waiting waiting;
  waiting.number = place;
  waiting.id = {7, static_cast<std::uint64_t>(place)};
  waiting.place = place;
  waiting.priority = priority;
  waiting.type = type;
  return waiting;
}

std::vector<std::int64_t> numbers(FairOrder& order) {
  std::vector<std::int64_t> all;
  order.each(1, [&](const UserId&, Waiting& waiting, int position) {
    EXPECT_EQ(position, static_cast<int>(all.size()) + 1);
    all.push_back(waiting.number);
    return true;
  });
  return all;
}

TEST(FairOrderTest, UsersTakeTurns) {
  FairOrder order;
  for (const int place : {1, 2, 3}) order.add(UserId("ann"), job(place));
  for (const int place : {4, 5}) order.add(UserId("bob"), job(place));
  EXPECT_EQ(numbers(order), (std::vector<std::int64_t>{1, 4, 2, 5, 3}));
  EXPECT_EQ(order.position(UserId("bob"), 0, 5), 4);
}

TEST(FairOrderTest, APositionIsFoundByIdAndToldToItsOwnerOnly) {
  FairOrder order;
  for (const int place : {1, 2, 3}) order.add(UserId("ann"), job(place));
  auto nameless = job(4);
  nameless.id = {};
  order.add(UserId("ann"), nameless);
  EXPECT_EQ(order.position(UserId("ann"), Uuid{7, 2}), 2);
  EXPECT_EQ(order.position(UserId("bob"), Uuid{7, 2}), std::nullopt);
  EXPECT_EQ(order.position(UserId("ann"), Uuid{7, 4}), std::nullopt);
  EXPECT_EQ(order.position(UserId("ann"), Uuid()), std::nullopt);
  order.remove(UserId("ann"), 0, 1);
  EXPECT_EQ(order.position(UserId("ann"), Uuid{7, 1}), std::nullopt);
  EXPECT_EQ(order.position(UserId("ann"), Uuid{7, 2}), 1);
  order.start(UserId("ann"), 0, 2);
  EXPECT_EQ(order.position(UserId("ann"), Uuid{7, 2}), std::nullopt);
}

TEST(FairOrderTest, TheOldestOfATypeIsKnown) {
  FairOrder order;
  EXPECT_FALSE(order.oldest(JobType::transcript));
  const std::array<std::uint32_t, 4> since{30, 10, 20, 10};
  for (std::size_t i = 0; i < since.size(); ++i) {
    auto waiting = job(static_cast<std::int64_t>(i) + 1);
    waiting.since = since[i];
    order.add(UserId("ann"), waiting);
  }
  EXPECT_EQ(order.oldest(JobType::transcript), from_millis(10'000));
  order.remove(UserId("ann"), 0, 2);
  EXPECT_EQ(order.oldest(JobType::transcript), from_millis(10'000));
  order.start(UserId("ann"), 0, 1);
  order.remove(UserId("ann"), 0, 4);
  EXPECT_EQ(order.oldest(JobType::transcript), from_millis(20'000));
  EXPECT_FALSE(order.oldest(JobType::upload));
  order.clear();
  EXPECT_FALSE(order.oldest(JobType::transcript));
}

TEST(FairOrderTest, AHigherPriorityGoesFirstAndIsFairInItself) {
  FairOrder order;
  order.add(UserId("ann"), job(1));
  order.add(UserId("bob"), job(2, 5));
  order.add(UserId("bob"), job(3, 5));
  order.add(UserId("cid"), job(4, 5));
  EXPECT_EQ(numbers(order), (std::vector<std::int64_t>{2, 4, 3, 1}));
}

TEST(FairOrderTest, WhoHasFewerRunningIsNext) {
  FairOrder order;
  for (const int place : {1, 2, 3}) order.add(UserId("ann"), job(place));
  order.start(UserId("ann"), 0, 1);
  order.start(UserId("ann"), 0, 2);
  order.add(UserId("bob"), job(4));
  EXPECT_EQ(order.next(kAll)->job.number, 4);
  order.stop(UserId("ann"), JobType::transcript, kStart);
  order.stop(UserId("ann"), JobType::transcript, kStart);
  EXPECT_EQ(order.next(kAll)->job.number, 4);  // it has had this turn for longer
  EXPECT_EQ(order.running(), 0);
}

TEST(FairOrderTest, AUserAtTheLimitStartsNothingAndKeepsItsPlaces) {
  FairOrder order;
  order.share({10, 0, 1}, kStart);
  order.add(UserId("ann"), job(1));
  order.add(UserId("ann"), job(2));
  order.start(UserId("ann"), 0, 1);
  EXPECT_FALSE(order.next(kAll));
  EXPECT_EQ(order.position(UserId("ann"), 0, 2), 1);
  order.share({10, 0, 2}, kStart);
  EXPECT_EQ(order.next(kAll)->job.number, 2);
}

/// Starts what may start, and gives whose jobs those are, as "ann ann bob ".
std::string start_all(FairOrder& order, const Sharing& sharing, Timestamp now) {
  std::string started;
  order.share(sharing, now);
  while (const auto next = order.next(kAll)) {
    if (order.running() >= sharing.workers + sharing.transcript_slots) break;
    order.start(next->user, next->job.priority, next->job.place);
    started += next->user.value() + " ";
  }
  return started;
}

void add_uploads(FairOrder& order, const std::string& user, int first, int last) {
  for (int place = first; place <= last; ++place) order.add(UserId(user), job(place, 0, JobType::upload));
}

TEST(FairOrderTest, AUserWhoIsAloneHasAllWorkers) {
  FairOrder order;
  add_uploads(order, "ann", 1, 5);
  EXPECT_EQ(start_all(order, {3}, kStart), "ann ann ann ");
  EXPECT_TRUE(order.is_at_limit(UserId("ann"), JobType::upload));
}

TEST(FairOrderTest, OneWorkerIsLeftWhileAnotherUserWaits) {
  FairOrder order;
  add_uploads(order, "ann", 1, 5);
  order.add(UserId("bob"), job(6, -1, JobType::upload));  // behind all of ann's
  EXPECT_EQ(start_all(order, {3}, kStart), "ann ann bob ");
  // Also where all that wait are of a type that does not start now: bob is there.
  FairOrder single;
  add_uploads(single, "ann", 1, 2);
  single.add(UserId("bob"), job(3, -1, JobType::upload));
  EXPECT_EQ(start_all(single, {1}, kStart), "ann ");  // at least one
}

TEST(FairOrderTest, OneWorkerIsLeftForAnHourAfterAnotherUserRan) {
  FairOrder order;
  order.add(UserId("bob"), job(1));
  EXPECT_EQ(start_all(order, {3}, kStart), "bob ");
  add_uploads(order, "ann", 2, 6);
  EXPECT_EQ(start_all(order, {3}, kStart), "ann ann ");  // bob runs
  order.stop(UserId("bob"), JobType::transcript, kStart);
  using std::chrono::minutes;
  EXPECT_EQ(start_all(order, {3}, kStart + minutes(59)), "");
  EXPECT_EQ(start_all(order, {3}, kStart + minutes(60)), "ann ");
  // Ann's own end is no other user's, and what is found at the beginning counts as well.
  order.stop(UserId("ann"), JobType::upload, kStart + minutes(61));
  EXPECT_EQ(start_all(order, {3}, kStart + minutes(61)), "ann ");
  order.stop(UserId("ann"), JobType::upload, kStart + minutes(61));
  order.add_ran(UserId("cid"), kStart + minutes(50));
  order.add_ran(UserId("cid"), kStart + minutes(10));
  EXPECT_EQ(start_all(order, {3}, kStart + minutes(61)), "");
}

TEST(FairOrderTest, TranscriptsAloneUseTheirSlotAndAUserCannotUseItToHoldAllWorkers) {
  FairOrder order;
  add_uploads(order, "ann", 1, 5);
  EXPECT_EQ(start_all(order, {3, 1}, kStart), "ann ann ann ");
  order.add(UserId("bob"), job(6, 0, JobType::upload));
  EXPECT_EQ(start_all(order, {3, 1}, kStart), "");
  order.add(UserId("bob"), job(7));
  EXPECT_EQ(start_all(order, {3, 1}, kStart), "bob ");
  order.stop(UserId("ann"), JobType::upload, kStart);
  EXPECT_EQ(start_all(order, {3, 1}, kStart), "bob ");

  FairOrder other;
  add_uploads(other, "ann", 1, 2);
  for (const int place : {3, 4}) other.add(UserId("ann"), job(place));
  other.add(UserId("bob"), job(5, -1, JobType::upload));
  EXPECT_EQ(start_all(other, {3, 1}, kStart), "ann ann ann bob ");
}

TEST(FairOrderTest, ATypeThatMayNotStartIsPassedOver) {
  FairOrder order;
  order.add(UserId("ann"), job(1, 0, JobType::youtube));
  order.add(UserId("ann"), job(2, 0, JobType::upload));
  order.add(UserId("bob"), job(3, 0, JobType::youtube));
  EXPECT_EQ(order.next(FairOrder::Types(0b010))->job.number, 2);
  EXPECT_FALSE(order.next(FairOrder::Types(0b100)));
  EXPECT_FALSE(order.next(FairOrder::Types()));
}

TEST(FairOrderTest, WhatIsNotThereIsABug) {
  FairOrder order;
  order.add(UserId("ann"), job(1));
  EXPECT_THROW(order.remove(UserId("bob"), 0, 1), std::out_of_range);
  EXPECT_THROW(order.remove(UserId("ann"), 1, 1), std::out_of_range);
  EXPECT_THROW(order.remove(UserId("ann"), 0, 2), std::out_of_range);
  EXPECT_THROW(order.start(UserId("ann"), 0, 2), std::out_of_range);
  EXPECT_EQ(numbers(order), (std::vector<std::int64_t>{1}));
  EXPECT_EQ(order.remove(UserId("ann"), 0, 1).number, 1);
  EXPECT_EQ(order.waiting(), 0U);
}

/// Random steps, each followed by a comparison with the definition.
TEST(FairOrderTest, IsWhatItsDefinitionSays) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    std::mt19937 dice(seed);
    const auto roll = [&dice](std::size_t n) { return static_cast<std::size_t>(dice() % n); };
    FairOrder order;
    PlainOrder plain;
    struct Running {
      std::string user;
      JobType type;
    };
    std::vector<Running> running;
    std::int64_t places = 0;
    auto now = kStart;
    // Few users in every other run, so that now and then one is alone.
    const std::size_t users = seed % 2 == 0 ? 6 : 2;
    for (int step = 0; step < 600; ++step) {
      const auto waiting = plain.all();
      const auto what = roll(10);
      if (what < 4 || waiting.empty()) {
        const auto user = "u" + std::to_string(roll(users));
        const auto made = job(++places, static_cast<int>(roll(3)) - 1, static_cast<JobType>(roll(3)));
        order.add(UserId(user), made);
        plain.add(user, made);
      } else if (what < 5) {
        const auto& [user, gone] = waiting[roll(waiting.size())];
        EXPECT_EQ(order.remove(UserId(user), gone.priority, gone.place).number, gone.number);
        plain.remove(user, gone.priority, gone.place);
      } else if (what < 8) {
        const FairOrder::Types types(roll(8));
        const Sharing sharing{1 + static_cast<int>(roll(5)), static_cast<int>(roll(2)), static_cast<int>(roll(5))};
        now += std::chrono::minutes(roll(10));
        order.share(sharing, now);
        const auto next = order.next(types);
        ASSERT_EQ(next ? std::optional(next->job.number) : std::nullopt, plain.next(types, sharing, now))
            << "seed " << seed << " step " << step;
        if (next) {
          order.start(next->user, next->job.priority, next->job.place);
          plain.start(next->user.value(), next->job.priority, next->job.place, next->job.type);
          running.push_back({next->user.value(), next->job.type});
        }
      } else if (!running.empty()) {
        const auto ended = running.begin() + static_cast<std::ptrdiff_t>(roll(running.size()));
        order.stop(UserId(ended->user), ended->type, now);
        plain.stop(ended->user, ended->type, now);
        running.erase(ended);
      }
      const auto expected = plain.all();
      ASSERT_EQ(order.waiting(), expected.size());
      std::vector<std::int64_t> wanted;
      int position = 0;
      for (const auto& [user, one] : expected) {
        wanted.push_back(one.number);
        ASSERT_EQ(order.position(UserId(user), one.priority, one.place), ++position);
        ASSERT_EQ(order.position(UserId(user), one.id), position);
      }
      ASSERT_EQ(numbers(order), wanted) << "seed " << seed << " step " << step;
    }
    EXPECT_EQ(order.running(), static_cast<int>(running.size()));
  }
}

}  // namespace
}  // namespace rushes::jobs
