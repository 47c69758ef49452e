#include "async/shards.h"

#include <pthread.h>

#include <algorithm>
#include <string>

namespace rushes {
namespace {
thread_local std::optional<std::size_t> current_shard;
}

Shards::Shards(std::size_t count) {
  if (count == 0) count = std::max(1U, std::thread::hardware_concurrency());
  for (std::size_t i = 0; i < count; ++i) {
    loops_.push_back(std::make_unique<asio::io_context>(1));
    guards_.emplace_back(loops_.back()->get_executor());
  }
}

Shards::~Shards() { stop(); }

Executor Shards::executor(std::size_t shard) const { return loops_[shard]->get_executor(); }

std::optional<std::size_t> Shards::current() noexcept { return current_shard; }

void Shards::start() {
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    threads_.emplace_back([this, i] {
      ::pthread_setname_np(::pthread_self(), ("shard-" + std::to_string(i)).c_str());
      current_shard = i;
      for (;;) {
        try {
          loops_[i]->run();
          return;
        } catch (const std::exception& error) {
          log::error("async", "shard {}: a handler threw: {}", i, error.what());
        }
      }
    });
  }
}

void Shards::stop() {
  for (auto& loop : loops_) loop->stop();
  for (auto& thread : threads_) thread.join();
  threads_.clear();
}

}  // namespace rushes
