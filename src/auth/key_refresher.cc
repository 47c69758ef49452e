#include "auth/key_refresher.h"

#include <boost/asio/redirect_error.hpp>

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
  auto urls_due = steady_clock::now() + (ring_.is_complete() ? options_.urls_every : options_.retry_after);
  while (running_) {
    if (!asked_) {
      wake_.expires_after(options_.files_every);
      boost::system::error_code woken;
      co_await wake_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    if (!running_) break;
    const bool urls = std::exchange(asked_, false) || steady_clock::now() >= urls_due;
    if (urls) ++rounds_begun_;
    auto work = [this, urls] { return ring_.reload(urls); };
    const bool answered = co_await blocking_.run(std::move(work));
    if (urls) {
      ++rounds_ended_;
      urls_due = steady_clock::now() + (answered ? options_.urls_every : options_.retry_after);
      ended_.cancel();
    }
  }
}

Task<> KeyRefresher::learn() { co_await run_on(executor_, wait_for_round()); }

Task<> KeyRefresher::wait_for_round() {
  const auto pass = gate_.try_enter();
  if (!pass || !running_) co_return;
  const auto now = steady_clock::now();
  if (now >= may_ask_) {
    may_ask_ = now + options_.asked_every;
    asked_ = true;
    wake_.cancel();
  }
  // A round under way may have fetched before the key was there; only one that begins from now on counts for who asked.
  const auto awaited = rounds_begun_ + (asked_ ? 1 : 0);
  while (running_ && rounds_ended_ < awaited) {
    boost::system::error_code woken;
    co_await ended_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
}

Task<> KeyRefresher::stop() {
  running_ = false;
  ring_.give_up();
  wake_.cancel();
  co_await gate_.close();
}

}  // namespace rushes::auth
