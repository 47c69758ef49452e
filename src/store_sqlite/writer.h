#pragma once
#include "async/task.h"
#include "jobs/event.h"
#include "sqlite/connection.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <condition_variable>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace rushes::store_sqlite {

/// What a unit of work writes with.
class Transaction {
 public:
  explicit Transaction(sqlite::Connection& connection) : connection_(connection) {}

  sqlite::Connection& database() { return connection_; }
  /// Told to the listener once the whole batch is durable.
  void tell(jobs::Event event) { events_.push_back(std::move(event)); }
  /// What was written stays although the unit returns an error: the error tells how it went on.
  void keep_despite_error() { keep_ = true; }

 private:
  friend class Writer;
  sqlite::Connection& connection_;
  std::vector<jobs::Event> events_;
  bool keep_ = false;
};

/// The one thread that writes to the database. All units that wait at one moment share one
/// transaction and one sync of the disk (group commit); each stands in a savepoint of its own, so
/// that one's failure undoes nothing of the others'.
///
/// Threads:  `write` from any executor; it resumes there when its unit is durable, or is not to be.
/// Lifetime: no `write` is under way when it is destroyed.
/// Errors:   those of the unit; `unavailable` where the database refuses, with nothing changed.
class Writer {
 public:
  Writer(const std::filesystem::path& file, std::function<void(std::span<const jobs::Event>)> on_committed);
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  template <class T>
  Task<Result<T>> write(std::function<Result<T>(Transaction&)> work) {
    auto start = [this, work = std::move(work)](auto handler) mutable {
      auto executor = asio::get_associated_executor(handler);
      auto unit = std::make_unique<TypedUnit<T, decltype(handler)>>(std::move(work), std::move(handler), executor);
      push(std::move(unit));
    };
    co_return co_await asio::async_initiate<const asio::use_awaitable_t<>, void(Result<T>)>(std::move(start),
                                                                                            asio::use_awaitable);
  }

 private:
  struct Unit {
    virtual ~Unit() = default;
    /// True where what it wrote is to stay.
    virtual bool run(Transaction& transaction) = 0;
    virtual void fail(Error error) = 0;
    virtual void finish() = 0;
  };

  template <class T, class Handler>
  struct TypedUnit final : Unit {
    using Guard = asio::executor_work_guard<asio::associated_executor_t<Handler>>;

    TypedUnit(std::function<Result<T>(Transaction&)> unit_work, Handler unit_handler,
              const asio::associated_executor_t<Handler>& executor)
        : work(std::move(unit_work)), handler(std::move(unit_handler)), guard(executor) {}

    bool run(Transaction& transaction) override {
      result.emplace(work(transaction));
      return result->has_value();
    }
    void fail(Error error) override { result.emplace(std::move(error)); }
    void finish() override {
      auto executor = guard.get_executor();
      asio::post(executor, [held = std::move(handler), value = std::move(*result)]() mutable {
        std::move(held)(std::move(value));
      });
      guard.reset();
    }

    std::function<Result<T>(Transaction&)> work;
    Handler handler;
    Guard guard;
    std::optional<Result<T>> result;
  };
  using Batch = std::vector<std::unique_ptr<Unit>>;

  void push(std::unique_ptr<Unit> unit);
  void run();
  void commit(Batch& batch);
  std::vector<jobs::Event> run_units(Batch& batch);
  void tell(std::span<const jobs::Event> events);
  void restart_log();
  void checkpoint_loop(const std::filesystem::path& file);

  sqlite::Connection connection_;  // on thread_ only
  const std::function<void(std::span<const jobs::Event>)> on_committed_;

  std::mutex mutex_;  // guards what follows
  std::condition_variable arrived_;
  Batch waiting_;
  bool stopping_ = false;
  bool checkpoint_due_ = false;
  std::condition_variable checkpoint_wanted_;

  std::thread thread_;
  std::thread checkpointer_;
};

}  // namespace rushes::store_sqlite
