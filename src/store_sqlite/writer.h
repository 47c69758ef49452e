#pragma once
#include "async/task.h"
#include "jobs/event.h"
#include "sqlite/connection.h"
#include "store_sqlite/checkpointer.h"
#include "store_sqlite/log_syncer.h"
#include "store_sqlite/transaction.h"

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <chrono>
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

/// What a Writer is given by those who write with it. All are called on its thread, but `told`.
struct WriterHooks {
  // Events, in their order, one call at a time: once their commit is durable, or at once (`pass`).
  std::function<void(std::span<const jobs::Event>)> told;
  // What is kept in memory of the database, anew; true: within a transaction that goes on.
  std::function<void(sqlite::Connection&, bool)> reload;
  std::function<void(Transaction&)> begun;  // a transaction
  std::function<void()> committed;
  // What passing units left in memory is filed within a second, with the commit that is next when it must be.
  std::function<bool()> has_unfiled;
  std::function<bool()> must_file;
  std::function<void(Transaction&)> file;  // all of it; not filed unless `committed` follows
};

struct WriterOptions {
  bool reserve_log = false;  // see Connection::reserve_log
  std::chrono::milliseconds patience = LogSyncer::kPatience;
  std::size_t page_cache = sqlite::Connection::kPageCache;  // bytes
};

/// The one thread that writes to the database. All units that wait at one moment share one
/// transaction and one sync of the disk (group commit). One's failure undoes nothing of the others': where a unit
/// fails after it has changed something, the batch begins again with a savepoint for each. So units may run twice.
///
/// Where many come at once, the next batch is written while a second thread syncs the last. What is committed and not
/// durable yet is seen by units and readers; nobody is answered, and no event told, before it is durable.
///
/// What units keep in memory of the database is read anew whenever a transaction did not come about. While the disk
/// refuses, it is tried again each second, whether somebody wants to write or not.
///
/// Threads:  `write` and `pass` from any executor; they resume there when the unit is durable, or is not to be.
///           The executor's context lives until it has run out of work, which is a moment later.
/// Lifetime: no unit is under way when it is destroyed.
/// Errors:   those of the unit; `unavailable` where the database refuses: with nothing changed, unless the disk would
///           not sync what was written for WriterOptions::patience: then the change stands if the server lives.
class Writer {
 public:
  Writer(const std::filesystem::path& file, WriterHooks hooks, WriterOptions options = {});
  ~Writer();
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  template <class T>
  Task<Result<T>> write(std::function<Result<T>(Transaction&)> work) {
    return enqueue<T>(std::move(work), Kind::writes);
  }
  /// Runs a unit that writes nothing, in no transaction, before those that do, and tells its events behind those that
  /// were committed. Where it has none, its caller does not wait for them.
  template <class T>
  Task<Result<T>> pass(std::function<Result<T>(Transaction&)> work) {
    return enqueue<T>(std::move(work), Kind::passes);
  }

  /// Files what passing units left in memory, until now, with a unit that writes nothing and sees it filed.
  template <class T>
  Task<Result<T>> file(std::function<Result<T>(Transaction&)> work) {
    return enqueue<T>(std::move(work), Kind::files);
  }
  Task<Result<void>> file();

  /// Why the last transaction did not come about; nothing where it did. Threads: any.
  std::optional<Error> refusal() const;
  /// How many units wait for their turn. Threads: any.
  std::size_t waiting() const;

 private:
  enum class Kind : std::uint8_t { writes, passes, files };

  template <class T>
  Task<Result<T>> enqueue(std::function<Result<T>(Transaction&)> work, Kind kind) {
    std::optional<Result<T>> result;
    auto start = [&](auto handler) {
      auto executor = asio::get_associated_executor(handler);
      auto unit =
          std::make_unique<TypedUnit<T, decltype(handler)>>(std::move(work), result, std::move(handler), executor);
      unit->kind = kind;
      push(std::move(unit));
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(start, asio::use_awaitable);
    co_return std::move(*result);
  }

  struct Unit {
    Kind kind = Kind::writes;
    virtual ~Unit() = default;
    /// True where what it wrote is to stay.
    virtual bool run(Transaction& transaction) = 0;
    virtual void fail(Error error) = 0;
    /// Where its caller waits.
    virtual asio::any_io_executor executor() const = 0;
    /// There: its caller goes on.
    virtual void resume() = 0;
  };

  template <class T, class Handler>
  struct TypedUnit final : Unit {
    using Guard = asio::executor_work_guard<asio::associated_executor_t<Handler>>;

    TypedUnit(std::function<Result<T>(Transaction&)> unit_work, std::optional<Result<T>>& unit_result,
              Handler unit_handler, const asio::associated_executor_t<Handler>& executor)
        : work(std::move(unit_work)), result(unit_result), handler(std::move(unit_handler)), guard(executor) {}

    bool run(Transaction& transaction) override {
      result.emplace(work(transaction));
      return result->has_value();
    }
    void fail(Error error) override { result.emplace(std::move(error)); }
    asio::any_io_executor executor() const override { return guard.get_executor(); }
    void resume() override { std::move(handler)(); }

    std::function<Result<T>(Transaction&)> work;
    std::optional<Result<T>>& result;  // its caller's, who waits for the handler
    Handler handler;
    Guard guard;
  };
  using Batch = std::vector<std::unique_ptr<Unit>>;
  /// What is to be told, and who waits.
  class Written;

  void push(std::unique_ptr<Unit> unit);
  void run();
  /// Runs those that write nothing and takes them out of the batch.
  void run_passing(Batch& batch);
  /// Has those who wait for the units go on, with one post to each executor.
  static void finish(Batch batch);
  void commit(Batch batch);
  void write(Batch& batch);
  void begin(bool filing, std::vector<jobs::Event>& events);
  /// Tells the events and has the callers go on: at once, or after those who wait for a sync.
  void conclude(Batch batch, std::vector<jobs::Event> events, std::optional<LogSyncer::Needs> needs);
  /// False where a unit failed after it had changed something: the transaction is to begin again, carefully.
  bool run_units(Batch& batch, std::vector<jobs::Event>& events);
  void run_carefully(Batch& batch, std::vector<jobs::Event>& events);
  enum class Outcome : std::uint8_t { kept, refused, threw };
  Outcome run_unit(Unit& unit, Transaction& transaction);
  /// What the unit added, of which it may fail alone. Throws where the whole transaction has ended with it.
  bool write_staged(Unit& unit, const std::vector<jobs::Event>& events);
  void roll_back() noexcept;
  /// Reads what is in memory anew where a transaction did not come about. Throws where the database cannot be read.
  void reload();
  /// Throws where the database still cannot be written.
  void probe();
  void refused(const sqlite::Failure& failure, Batch& batch);
  bool is_filing_due() const;
  bool is_probe_due() const;
  /// When there is something to do although nobody comes; nothing: never.
  std::optional<std::chrono::steady_clock::time_point> next_look() const;
  void tell(std::span<const jobs::Event> events) const;

  StagedRows staged_;              // on thread_ only
  sqlite::Connection connection_;  // on thread_ only
  const WriterHooks hooks_;
  // On thread_ only.
  bool stale_ = false;                              // what is in memory
  bool failed_ = false;                             // the last transaction
  std::chrono::steady_clock::time_point probe_at_;  // where it did
  std::chrono::steady_clock::time_point say_at_;
  std::size_t refused_ = 0;  // changes, since the disk last took one
  std::optional<std::chrono::steady_clock::time_point> file_at_;

  LogSyncer syncer_;
  Checkpointer checkpointer_;

  mutable std::mutex refusal_mutex_;
  std::optional<Error> refusal_;  // under refusal_mutex_

  mutable std::mutex mutex_;  // guards what follows
  std::condition_variable arrived_;
  Batch waiting_;
  bool stopping_ = false;

  std::thread thread_;
};

}  // namespace rushes::store_sqlite
