#include "async/gate.h"

#include <boost/asio/redirect_error.hpp>

#include <cassert>

namespace rushes {

Gate::Gate(const Executor& executor) : emptied_(executor, asio::steady_timer::time_point::max()) {}

Gate::~Gate() { assert(in_flight_ == 0 && "a Gate outlives its Passes"); }

std::optional<Gate::Pass> Gate::try_enter() {
  if (closed_) return std::nullopt;
  ++in_flight_;
  return Pass(this);
}

Task<> Gate::close() {
  closed_ = true;
  while (in_flight_ > 0) {
    boost::system::error_code woken;
    co_await emptied_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
}

void Gate::leave() noexcept {
  if (--in_flight_ == 0 && closed_) emptied_.cancel();
}

Task<> sleep_for(std::chrono::milliseconds length) {
  asio::steady_timer timer(co_await asio::this_coro::executor, length);
  boost::system::error_code woken;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

}  // namespace rushes
