// Every order in which claims, heartbeats, fences, cancels and ends of two schedulers can meet, up to eight attempts
// and two restarts; a worker that was thought dead and comes back is among them.
#include "jobs/testing/queue_model.h"

#include <gtest/gtest.h>

#include <deque>
#include <unordered_map>
#include <unordered_set>

namespace rushes::jobs {
namespace {

/// All states that can be reached, and from where.
struct Space {
  std::unordered_map<std::string, QueueModel> states;
  std::unordered_map<std::string, std::vector<std::string>> before;
};

/// What must hold of each step that is taken.
void check_step(const QueueModel& from, const QueueModel::Action& action, const std::string& answer,
                const QueueModel& to) {
  using Step = QueueModel::Step;
  const bool by_worker = action.step == Step::renew || action.step == Step::complete || action.step == Step::fail ||
                         action.step == Step::fail_final || action.step == Step::release ||
                         action.step == Step::confirm_cancelled;
  if (by_worker && !from.holds(action.scheduler)) {
    ASSERT_EQ(answer, "lease_lost");
    ASSERT_EQ(from.key(), to.key()) << "a stale worker changes nothing";
    ASSERT_EQ(from.told(), to.told());
  }
  if (is_end(from.state()) && action.step != Step::restart) {
    ASSERT_EQ(from.told(), to.told()) << "after its end a job tells nothing";
    ASSERT_EQ(from.state(), to.state());
  }
  if (action.step == Step::complete && answer == "ok") {
    ASSERT_FALSE(from.promised()) << "what its owner cancelled does not complete";
  }
}

/// What must hold of each state.
void check_state(const QueueModel& model) {
  ASSERT_LE(model.ends(), 1) << model.told();
  ASSERT_EQ(model.ends() == 1, is_end(model.state())) << model.told();
  ASSERT_FALSE(model.holds(0) && model.holds(1)) << "two workers on one job";
  if (is_end(model.state()) && model.promised()) {
    ASSERT_EQ(model.state(), JobState::cancelled) << model.told();
  }
}

Space explore() {
  Space space;
  std::deque<std::string> left;
  const QueueModel first;
  left.push_back(first.key());
  space.states.emplace(first.key(), first);
  while (!left.empty() && !::testing::Test::HasFatalFailure()) {
    const auto key = left.front();
    left.pop_front();
    const auto from = space.states.at(key);
    for (const auto& action : from.actions()) {
      auto to = from;
      const auto answer = to.apply(action);
      check_step(from, action, answer, to);
      check_state(to);
      if (::testing::Test::HasFatalFailure()) return space;
      const auto reached = to.key();
      space.before[reached].push_back(key);
      if (space.states.emplace(reached, std::move(to)).second) left.push_back(reached);
    }
  }
  return space;
}

TEST(QueueModel, HoldsItsPromisesInEveryOrderOfSteps) {
  const auto space = explore();
  ASSERT_FALSE(HasFatalFailure());
  EXPECT_GT(space.states.size(), 1'000U);
  std::size_t ended = 0;
  for (const auto& [key, model] : space.states) ended += is_end(model.state()) ? 1 : 0;
  EXPECT_GT(ended, 100U);
  RecordProperty("states", static_cast<int>(space.states.size()));
}

TEST(QueueModel, NeverGetsStuck) {
  const auto space = explore();
  ASSERT_FALSE(HasFatalFailure());
  std::deque<std::string> left;
  std::unordered_set<std::string> can_end;
  for (const auto& [key, model] : space.states) {
    if (is_end(model.state()) && can_end.insert(key).second) left.push_back(key);
  }
  while (!left.empty()) {
    const auto key = left.front();
    left.pop_front();
    const auto before = space.before.find(key);
    if (before == space.before.end()) continue;
    for (const auto& earlier : before->second) {
      if (can_end.insert(earlier).second) left.push_back(earlier);
    }
  }
  for (const auto& [key, model] : space.states) {
    ASSERT_TRUE(can_end.contains(key)) << "from here no end is reached: " << key << " " << model.told();
  }
}

}  // namespace
}  // namespace rushes::jobs
