#pragma once
#include "async/task.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>

#include <future>
#include <thread>
#include <utility>

namespace rushes::store_sqlite {

/// One thread on which all callers go on.
class Callers {
 public:
  Callers() = default;
  Callers(const Callers&) = delete;
  Callers& operator=(const Callers&) = delete;
  ~Callers() {
    guard_.reset();
    thread_.join();
  }
  template <class T>
  std::future<Result<T>> call(Task<Result<T>> task) {
    return asio::co_spawn(loop_, std::move(task), asio::use_future);
  }
  /// Those that were called so far wait for their answer.
  void await_calls() { asio::post(loop_, asio::use_future).get(); }

 private:
  asio::io_context loop_;
  asio::executor_work_guard<asio::io_context::executor_type> guard_{loop_.get_executor()};
  std::thread thread_{[this] { loop_.run(); }};
};

}  // namespace rushes::store_sqlite
