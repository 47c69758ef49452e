#pragma once
#include "base/log.h"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>

#include <chrono>
#include <exception>
#include <string_view>
#include <utility>

namespace rushes {

namespace asio = boost::asio;

/// What every asynchronous function returns. It runs on the executor it was spawned on, and
/// resumes there after each `co_await`. `T` must be default-constructible (Boost 1.81).
template <class T = void>
using Task = asio::awaitable<T>;

using Executor = asio::any_io_executor;

/// Starts `task` on `executor` and forgets it: for work whose end is watched another way (a
/// Gate's Pass inside it, a connection that owns itself). An exception that leaves it is a bug:
/// it is logged under `area`, and nothing else stops.
template <class T>
void spawn_detached(const Executor& executor, std::string_view area, Task<T> task) {
  asio::co_spawn(executor, std::move(task), [area](const std::exception_ptr& failed, auto&&...) {
    if (!failed) return;
    try {
      std::rethrow_exception(failed);
    } catch (const std::exception& error) {
      log::error(area, "a task ended by exception: {}", error.what());
    }
  });
}

/// Runs `task` on `executor` (another shard, say) and resumes here with what it returned.
template <class T>
Task<T> run_on(Executor executor, Task<T> task) {
  co_return co_await asio::co_spawn(executor, std::move(task), asio::use_awaitable);
}

/// Sleeps; ends early, without an error, when the coroutine is cancelled.
Task<> sleep_for(std::chrono::milliseconds length);

}  // namespace rushes
