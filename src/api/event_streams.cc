#include "api/event_streams.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

namespace rushes::api {
namespace {

constexpr std::size_t kMergeFrom = 16;  // events that wait, from which on newer progress replaces older
// What waits for one reader. An end's event, which holds a whole result, may be larger by itself.
constexpr std::size_t kMostEvents = 128;
constexpr std::size_t kMostBytes = std::size_t{256} << 10U;

}  // namespace

Follower::Follower(EventStreams& streams, JobId job, const Executor& executor)
    : streams_(streams),
      job_(std::move(job)),
      executor_(executor),
      timer_(std::make_shared<asio::steady_timer>(executor)) {
  streams_.add(*this);
}

Follower::~Follower() { streams_.remove(*this); }

Follower::Taken Follower::take() {
  const std::lock_guard lock(mutex_);
  bytes_ = 0;
  wake_posted_ = false;
  return std::exchange(waiting_, {});
}

Task<> Follower::wait(TimePoint until) {
  {
    const std::lock_guard lock(mutex_);
    if (!waiting_.events.empty() || waiting_.missed) co_return;
  }
  // What comes from now on posts its wake-up behind this turn.
  timer_->expires_at(until);
  boost::system::error_code woken;
  co_await timer_->async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

void Follower::put(const std::shared_ptr<const jobs::Event>& event) {
  const std::lock_guard lock(mutex_);
  auto& events = waiting_.events;
  const auto is_progress = [](const jobs::Event& one) { return one.type == jobs::EventType::progress; };
  if (waiting_.missed) return;
  if (events.size() >= kMergeFrom && is_progress(*event) && is_progress(*events.back())) {
    bytes_ -= events.back()->payload.size();
    events.pop_back();
  } else if (events.size() >= kMostEvents || bytes_ >= kMostBytes) {
    waiting_ = {{}, true};
    bytes_ = 0;
    return;
  }
  bytes_ += event->payload.size();
  events.push_back(event);
  if (std::exchange(wake_posted_, true)) return;
  asio::post(executor_, [timer = timer_] { timer->cancel(); });
}

void EventStreams::add(Follower& follower) {
  const std::lock_guard lock(mutex_);
  followers_[follower.job_].push_back(&follower);
  ++count_;
}

void EventStreams::remove(Follower& follower) {
  const std::lock_guard lock(mutex_);
  const auto found = followers_.find(follower.job_);
  std::erase(found->second, &follower);
  if (found->second.empty()) followers_.erase(found);
  --count_;
}

void EventStreams::wake_all() {
  const std::lock_guard lock(mutex_);
  for (const auto& [job, followers] : followers_) {
    for (auto* follower : followers) {
      asio::post(follower->executor_, [timer = follower->timer_] { timer->cancel(); });
    }
  }
}

void EventStreams::publish(std::span<const jobs::Event> events) {
  if (count_ == 0) return;
  const std::lock_guard lock(mutex_);
  for (const auto& event : events) {
    const auto found = followers_.find(event.job);
    if (found == followers_.end()) continue;
    const auto shared = std::make_shared<const jobs::Event>(event);
    for (auto* follower : found->second) follower->put(shared);
  }
}

}  // namespace rushes::api
