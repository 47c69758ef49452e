#pragma once
#include "async/task.h"

#include <boost/asio/io_context.hpp>

#include <optional>
#include <stdexcept>

namespace rushes {

/// Runs one task to its end on an event loop of its own and returns its result: for `main`
/// and for tests. An exception inside comes out here.
template <class T>
T run_to_end(Task<T> task) {
  asio::io_context loop(1);
  std::optional<T> result;
  std::exception_ptr failed;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr error, T value) {
    failed = std::move(error);
    result = std::move(value);
  });
  loop.run();
  if (failed) std::rethrow_exception(failed);
  return std::move(*result);
}

inline void run_to_end(Task<> task) {
  asio::io_context loop(1);
  std::exception_ptr failed;
  asio::co_spawn(loop, std::move(task), [&](std::exception_ptr error) { failed = std::move(error); });
  loop.run();
  if (failed) std::rethrow_exception(failed);
}

}  // namespace rushes
