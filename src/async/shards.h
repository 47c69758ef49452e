#pragma once
#include "async/task.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include <cstddef>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

namespace rushes {

/// One event loop a core, each on a thread of its own; nothing is shared between them but
/// messages. What belongs to a shard (a connection, a room's members) is touched on its thread only.
///
/// Threads:   `executor`, `size` and `current` are thread-safe; `start` and `stop` are for the owner.
/// Lifetime:  everything that runs on the shards must be stopped before `stop()`.
class Shards {
 public:
  /// `count` 0 means one a processor.
  explicit Shards(std::size_t count = 0);
  Shards(const Shards&) = delete;
  Shards& operator=(const Shards&) = delete;
  ~Shards();

  std::size_t size() const noexcept { return loops_.size(); }
  Executor executor(std::size_t shard) const;
  asio::io_context& loop(std::size_t shard) { return *loops_[shard]; }
  /// The shard that the calling thread runs; nothing on any other thread.
  static std::optional<std::size_t> current() noexcept;

  void start();
  /// Ends the loops after their running handlers and joins the threads. Safe to call twice.
  void stop();

 private:
  std::vector<std::unique_ptr<asio::io_context>> loops_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards_;
  std::vector<std::thread> threads_;
};

}  // namespace rushes
