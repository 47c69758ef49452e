#include "jobs/fair_order.h"

#include <algorithm>
#include <chrono>
#include <numeric>
#include <stdexcept>

namespace rushes::jobs {
namespace {

constexpr std::chrono::hours kRemembered{1};

constexpr bool needs_worker(JobType type) { return type != JobType::transcript; }

/// Gives where. What comes is most often the last, and a search would look at memory that nothing else needs.
template <class T, class Before>
std::size_t insert_in_order(Line<T>& line, const T& item, Before before) {
  const bool behind = line.empty() || before(line[line.size() - 1], item);
  const auto at = behind ? line.end() : std::upper_bound(line.begin(), line.end(), item, before);
  const auto rank = static_cast<std::size_t>(at - line.begin());
  if (behind) {
    line.push_back(item);
  } else {
    line.insert(at, item);
  }
  return rank;
}

}  // namespace

void FairOrder::clear() {
  slots_.clear();
  for (auto& heads : heads_) heads.clear();
  users_.clear();
  spots_.clear();
  waiting_ = {};
  since_ = {};
  running_ = {};
}

FairOrder::User& FairOrder::user_of(const UserId& id) {
  auto& user = users_[id];
  if (!user) user = std::make_unique<User>(User{id, 0, 0, {}});
  return *user;
}

FairOrder::Lane& FairOrder::lane_of(const UserId& user, int priority) const {
  return const_cast<Lane&>(users_.at(user)->lanes.at(priority));
}

std::size_t FairOrder::rank_in(const Lane& lane, std::int64_t place) {
  if (!lane.jobs.empty() && lane.jobs.front().place == place) return 0;  // most often
  const auto by_place = [](const Waiting& job, std::int64_t wanted) { return job.place < wanted; };
  const auto found = std::lower_bound(lane.jobs.begin(), lane.jobs.end(), place, by_place);
  if (found == lane.jobs.end() || found->place != place) throw std::out_of_range("no job waits at this place");
  return static_cast<std::size_t>(found - lane.jobs.begin());
}

FairOrder::Slot FairOrder::slot(const Lane& lane, std::size_t index) {
  const auto turn = lane.user->running + 1 + static_cast<int>(index);
  return {-lane.priority, turn, lane.came[index], const_cast<Lane*>(&lane)};
}

void FairOrder::unhead(Lane& lane) {
  if (lane.headed.none()) return;
  const auto first = slot(lane, 0);
  for (std::size_t type = 0; type < kJobTypes; ++type) {
    if (lane.headed[type]) heads_[type].erase(first);
  }
  lane.headed.reset();
}

void FairOrder::head(Lane& lane) {
  if (lane.jobs.empty()) return;
  const auto first = slot(lane, 0);
  for (std::size_t type = 0; type < kJobTypes; ++type) {
    if (lane.places[type].empty() || lane.headed[type]) continue;
    if (!may_start(*lane.user, static_cast<JobType>(type))) continue;
    heads_[type].insert(first);
    lane.headed.set(type);
  }
}

void FairOrder::add_slot_behind(Lane& lane) {
  lane.came.push_back(++comings_);
  slots_.insert(slot(lane, lane.came.size() - 1));
}

void FairOrder::take_slot_behind(Lane& lane) {
  slots_.erase(slot(lane, lane.came.size() - 1));
  lane.came.pop_back();
}

FairOrder::Put FairOrder::put(const UserId& id, const Waiting& job) {
  auto& user = user_of(id);
  auto& lane = user.lanes[job.priority];
  lane.user = &user;
  lane.priority = job.priority;
  const auto rank =
      insert_in_order(lane.jobs, job, [](const auto& left, const auto& right) { return left.place < right.place; });
  insert_in_order(lane.places[static_cast<std::size_t>(job.type)], job.place, std::less());
  if (job.id != Uuid()) spots_[job.id] = {&lane, job.place};
  ++waiting_[static_cast<std::size_t>(job.type)];
  auto& since = since_[static_cast<std::size_t>(job.type)];
  ++since.try_emplace(since.end(), job.since, 0)->second;  // it is the newest, most often
  add_slot_behind(lane);
  head(lane);
  return {lane, rank};
}

void FairOrder::add(const UserId& id, const Waiting& job) { put(id, job); }

int FairOrder::add_and_tell(const UserId& id, const Waiting& job) {
  const auto [lane, rank] = put(id, job);
  const auto position = static_cast<int>(slots_.rank(slot(lane, rank))) + 1;
  lane.jobs[rank].told_position = position;
  return position;
}

/// Out of the lane's lists; its slots, and what of them is in heads_, are the caller's.
Waiting FairOrder::take(Lane& lane, std::int64_t place) {
  const auto found = lane.jobs.begin() + static_cast<std::ptrdiff_t>(rank_in(lane, place));
  const auto job = *found;
  lane.jobs.erase(found);
  spots_.erase(job.id);
  auto& places = lane.places[static_cast<std::size_t>(job.type)];
  places.erase(std::lower_bound(places.begin(), places.end(), place));
  --waiting_[static_cast<std::size_t>(job.type)];
  auto& since = since_[static_cast<std::size_t>(job.type)];
  const auto second = since.find(job.since);
  if (--second->second == 0) since.erase(second);
  return job;
}

Waiting FairOrder::remove(const UserId& user, int priority, std::int64_t place) {
  auto& lane = lane_of(user, priority);
  rank_in(lane, place);  // throws before anything changes
  unhead(lane);
  take_slot_behind(lane);
  const auto job = take(lane, place);
  head(lane);
  forget_if_idle(*lane.user);
  return job;
}

Waiting FairOrder::start(const UserId& id, int priority, std::int64_t place) {
  auto& lane = lane_of(id, priority);
  rank_in(lane, place);
  auto& user = *lane.user;
  unhead(lane);
  // Its slots' turns stay what they are: one more runs, and the first of them is gone.
  slots_.erase(slot(lane, 0));
  lane.came.pop_front();
  const auto job = take(lane, place);
  for (auto& [other_priority, other] : user.lanes) {
    if (&other == &lane || other.jobs.empty()) continue;
    unhead(other);
    slots_.erase(slot(other, 0));
    other.came.pop_front();
  }
  count_running(user, job.type, 1);
  for (auto& [other_priority, other] : user.lanes) {
    if (&other != &lane && !other.jobs.empty()) add_slot_behind(other);
    head(other);
  }
  return job;
}

void FairOrder::add_running(const UserId& id, JobType type) {
  auto& user = user_of(id);
  if (!user.lanes.empty()) throw std::out_of_range("what runs is added before what waits");
  count_running(user, type, 1);
}

void FairOrder::count_running(User& user, JobType type, int more) {
  user.running += more;
  if (needs_worker(type)) user.running_media += more;
  running_[static_cast<std::size_t>(type)] += more;
}

void FairOrder::stop(const UserId& id, JobType type, Timestamp now) {
  auto& user = *users_.at(id);
  for (auto& [priority, lane] : user.lanes) {
    if (lane.jobs.empty()) continue;
    unhead(lane);
    take_slot_behind(lane);
  }
  count_running(user, type, -1);
  add_ran(id, now);
  for (auto& [priority, lane] : user.lanes) {
    if (lane.jobs.empty()) continue;
    lane.came.push_front(++comings_);  // behind the others that have this turn
    slots_.insert(slot(lane, 0));
    head(lane);
  }
  forget_if_idle(user);
}

void FairOrder::add_ran(const UserId& user, Timestamp at) {
  const auto known = std::find_if(ran_.begin(), ran_.end(), [&user](const Ran& ran) { return ran.user == user; });
  if (known != ran_.end()) {
    known->until = std::max(known->until, at);
  } else {
    ran_.push_back({user, at});
  }
  std::stable_sort(ran_.begin(), ran_.end(),
                   [](const Ran& left, const Ran& right) { return left.until > right.until; });
  if (ran_.size() > 2) ran_.pop_back();
}

bool FairOrder::is_shared(Timestamp now) const {
  if (users_.size() > 1) return true;
  const auto is_another = [&](const Ran& ran) { return ran.until + kRemembered > now && !users_.contains(ran.user); };
  const auto others = std::count_if(ran_.begin(), ran_.end(), is_another);
  return users_.size() + static_cast<std::size_t>(others) > 1;
}

bool FairOrder::may_start(const User& user, JobType type) const {
  return user.running < limits_.all && (!needs_worker(type) || user.running_media < limits_.media);
}

bool FairOrder::is_at_limit(const UserId& user, JobType type) const {
  const auto found = users_.find(user);
  return found != users_.end() && !may_start(*found->second, type);
}

void FairOrder::share(const Sharing& sharing, Timestamp now) {
  workers_ = sharing.workers;
  const int each = is_shared(now) ? std::max(1, sharing.workers - 1) : sharing.workers;
  Limits limits{each + sharing.transcript_slots, each};
  if (sharing.max_running_per_user > 0) limits.all = std::min(limits.all, sharing.max_running_per_user);
  if (limits == limits_) return;
  limits_ = limits;
  for (auto& [id, user] : users_) {
    for (auto& [priority, lane] : user->lanes) {
      unhead(lane);
      head(lane);
    }
  }
}

std::optional<FairOrder::Next> FairOrder::next(Types types) const {
  if (running(JobType::youtube) + running(JobType::upload) >= workers_) {
    for (const auto type : {JobType::youtube, JobType::upload}) types.reset(static_cast<std::size_t>(type));
  }
  std::optional<Slot> first;
  for (std::size_t type = 0; type < kJobTypes; ++type) {
    if (!types[type] || heads_[type].empty()) continue;
    const auto& head = *heads_[type].begin();
    if (!first || head < *first) first = head;
  }
  if (!first) return std::nullopt;
  const auto& lane = *first->lane;
  auto place = std::numeric_limits<std::int64_t>::max();
  for (std::size_t type = 0; type < kJobTypes; ++type) {
    if (types[type] && lane.headed[type]) place = std::min(place, lane.places[type].front());
  }
  return Next{lane.user->id, lane.jobs[rank_in(lane, place)]};
}

int FairOrder::position(const UserId& user, int priority, std::int64_t place) const {
  const auto& lane = lane_of(user, priority);
  return static_cast<int>(slots_.rank(slot(lane, rank_in(lane, place)))) + 1;
}

std::optional<int> FairOrder::position(const UserId& user, const Uuid& id) const {
  const auto found = spots_.find(id);
  if (found == spots_.end()) return std::nullopt;
  const auto& [lane, place] = found->second;
  if (lane->user->id != user) return std::nullopt;
  return static_cast<int>(slots_.rank(slot(*lane, rank_in(*lane, place)))) + 1;
}

void FairOrder::each(int from, const std::function<bool(const UserId&, Waiting&, int)>& visit) {
  if (from < 1) return;
  int position = from;
  slots_.each(static_cast<std::size_t>(from - 1), [&](const Slot& slot) {
    auto& lane = *slot.lane;
    const auto index = static_cast<std::size_t>(slot.turn - lane.user->running - 1);
    return visit(lane.user->id, lane.jobs[index], position++);
  });
}

std::size_t FairOrder::waiting_of(const UserId& user) const {
  const auto found = users_.find(user);
  if (found == users_.end()) return 0;
  std::size_t count = 0;
  for (const auto& [priority, lane] : found->second->lanes) count += lane.jobs.size();
  return count;
}

void FairOrder::each_user(const std::function<void(const UserId&, std::size_t, int)>& visit) const {
  for (const auto& [id, user] : users_) visit(id, waiting_of(id), user->running);
}

std::optional<Timestamp> FairOrder::oldest(JobType type) const {
  const auto& since = since_[static_cast<std::size_t>(type)];
  if (since.empty()) return std::nullopt;
  return from_millis(std::int64_t{since.begin()->first} * 1000);
}

int FairOrder::running() const noexcept { return std::accumulate(running_.begin(), running_.end(), 0); }

int FairOrder::running_of(const UserId& user) const {
  const auto found = users_.find(user);
  return found == users_.end() ? 0 : found->second->running;
}

void FairOrder::forget_if_idle(User& user) {
  std::erase_if(user.lanes, [](const auto& entry) { return entry.second.jobs.empty(); });
  if (user.running == 0 && user.lanes.empty()) users_.erase(UserId(user.id));
}

}  // namespace rushes::jobs
