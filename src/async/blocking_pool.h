#pragma once
#include "async/task.h"

#include <boost/asio/async_result.hpp>
#include <boost/asio/thread_pool.hpp>

#include <cstddef>
#include <type_traits>
#include <utility>

namespace rushes {

/// Threads for what blocks: SQLite, libav, file I/O. A coroutine hands over a function and
/// resumes, on its own executor, with the result.
///
/// Threads:   thread-safe.
/// Lifetime:  outlives its callers; `stop()` waits for what runs.
class BlockingPool {
 public:
  explicit BlockingPool(std::size_t threads) : pool_(threads) {}

  /// Runs `work()` on the pool. An exception inside comes out of the `co_await`. Named first, then
  /// moved in: `auto work = […]{…}; co_await pool.run(std::move(work));` (STYLE: coroutines, 3).
  template <class Work>
  Task<std::invoke_result_t<Work>> run(Work work) {
    // A coroutine on the pool's own executor; `co_spawn` brings the result back to the caller's.
    co_return co_await asio::co_spawn(pool_.get_executor(), invoke(std::move(work)), asio::use_awaitable);
  }

  void stop() { pool_.join(); }

 private:
  template <class Work>
  static Task<std::invoke_result_t<Work>> invoke(Work work) {
    co_return work();
  }

  asio::thread_pool pool_;
};

}  // namespace rushes
