#pragma once
#include "async/blocking_pool.h"
#include "sqlite/connection.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

namespace rushes::store_sqlite {

/// Read-only connections, on threads of their own beside the writer.
///
/// Threads:  `read` from any executor; it resumes there.
/// Errors:   those of the question; `unavailable` where the database refuses.
class Readers {
 public:
  /// `page_cache`: bytes for each.
  Readers(std::filesystem::path file, std::size_t count, std::size_t page_cache = sqlite::Connection::kPageCache)
      : file_(std::move(file)), page_cache_(page_cache), pool_(count) {}
  ~Readers() { pool_.stop(); }
  Readers(const Readers&) = delete;
  Readers& operator=(const Readers&) = delete;

  template <class T>
  Task<Result<T>> read(std::function<Result<T>(sqlite::Connection&)> question) {
    auto work = [this, question = std::move(question)]() -> Result<T> {
      try {
        auto connection = take();
        auto answer = question(*connection);
        connection->end_reads();
        give_back(std::move(connection));
        return answer;
      } catch (const sqlite::Failure& error) {  // the connection is dropped with its statements
        return error.to_error();
      }
    };
    return pool_.run(std::move(work));
  }

 private:
  std::unique_ptr<sqlite::Connection> take() {
    {
      const std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
      }
    }
    auto connection = std::make_unique<sqlite::Connection>(file_, sqlite::Access::read_only);
    connection->set_page_cache(page_cache_);
    return connection;
  }
  void give_back(std::unique_ptr<sqlite::Connection> connection) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
  }

  const std::filesystem::path file_;
  const std::size_t page_cache_;
  BlockingPool pool_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<sqlite::Connection>> idle_;  // under mutex_
};

}  // namespace rushes::store_sqlite
