#include "auth/key_refresher.h"

#include <boost/asio/redirect_error.hpp>

#include <algorithm>
#include <utility>

namespace rushes::auth {

using std::chrono::steady_clock;

KeyRefresher::KeyRefresher(Executor executor, BlockingPool& blocking, KeyRing& ring, RefreshOptions options)
    : executor_(executor),
      blocking_(blocking),
      ring_(ring),
      options_(options),
      gate_(executor),
      wake_(executor),
      ended_(executor, TimePoint::max()) {}

/// However the rounds end, nobody waits for one any more.
struct KeyRefresher::End {
  KeyRefresher& self;
  ~End() {
    self.running_ = false;
    self.ended_.cancel();
  }
};

void KeyRefresher::start() {
  auto pass = ring_.can_change() ? gate_.try_enter() : std::nullopt;
  if (!pass) return;
  running_ = true;
  spawn_detached(executor_, "auth", run(std::move(*pass)));
}

Task<> KeyRefresher::run(Gate::Pass pass) {
  const auto held = std::move(pass);
  const End end{*this};
  auto retry = options_.retry_after;
  // Keys that `load` took out of the archive are as old as the last server: their source is asked soon.
  urls_due_ = steady_clock::now() + (ring_.is_fresh() ? options_.urls_every : retry);
  while (running_) {
    if (!asked_) {
      wake_.expires_at(std::min(urls_due_, steady_clock::now() + options_.files_every));
      boost::system::error_code woken;
      co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    if (!running_) break;
    const bool urls = std::exchange(asked_, false) || steady_clock::now() >= urls_due_;
    if (urls) ++rounds_begun_;
    auto work = [this, urls] { return ring_.reload(urls); };
    const bool answered = co_await blocking_.run(std::move(work));
    if (urls) {
      ++rounds_ended_;
      answered_ = answered;
      urls_due_ = steady_clock::now() + (answered ? options_.urls_every : retry);
      retry = answered ? options_.retry_after : std::min(retry * 2, options_.retry_most);
      ended_.cancel();
    }
  }
}

Task<KeyRefresher::Answer> KeyRefresher::learn() { co_return co_await run_on(executor_, wait_for_round()); }

Task<KeyRefresher::Answer> KeyRefresher::wait_for_round() {
  const auto pass = gate_.try_enter();
  if (!pass || !running_) co_return Answer();
  const auto now = steady_clock::now();
  if (now >= may_ask_) {
    if (ring_.has_url()) may_ask_ = now + options_.asked_every;
    asked_ = true;
    wake_.cancel();
  }
  // A round under way may have fetched before the key was there; only one that begins from now on counts for who asked.
  const bool begins = asked_;
  const auto awaited = rounds_begun_ + (begins ? 1 : 0);
  while (running_ && rounds_ended_ < awaited) {
    boost::system::error_code woken;
    co_await ended_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  Answer answer;
  answer.fresh = begins && answered_ && rounds_ended_ >= awaited;
  const auto next = std::min(may_ask_, urls_due_) - steady_clock::now();
  answer.again = std::max(std::chrono::duration_cast<std::chrono::milliseconds>(next), std::chrono::milliseconds(0));
  co_return answer;
}

Task<> KeyRefresher::stop() {
  running_ = false;
  ring_.give_up();
  wake_.cancel();
  co_await gate_.close();
}

}  // namespace rushes::auth
