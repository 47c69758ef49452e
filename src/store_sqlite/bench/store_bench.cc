#include "base/id.h"
#include "store_sqlite/store.h"

#include <benchmark/benchmark.h>
#include <boost/asio/io_context.hpp>

#include <cstdlib>
#include <filesystem>
#include <stdexcept>

namespace rushes::store_sqlite {
namespace {

/// A store on the disk of the system's temporary folder, with `waiting` jobs of 20 each user in it.
class BenchStore {
 public:
  explicit BenchStore(int waiting) {
    auto name = (std::filesystem::temp_directory_path() / "rushes-bench-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    folder_ = name;
    store_ = std::move(Store::open(folder_ / "rushes.db", StoreOptions(), clock_, rng_).value());
    submit_all(waiting, 200);
  }
  BenchStore(const BenchStore&) = delete;
  BenchStore& operator=(const BenchStore&) = delete;
  ~BenchStore() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  /// Submits `count` jobs, `in_flight` at a time.
  void submit_all(int count, int in_flight) {
    asio::io_context loop(1);
    left_ = count;
    for (int i = 0; i < in_flight; ++i) spawn_detached(loop.get_executor(), "bench", submit_some());
    loop.run();
  }

 private:
  Task<> submit_some() {
    while (left_ > 0) {
      --left_;
      jobs::NewJob job;
      job.id = JobId(new_uuid(clock_, rng_));
      job.user = UserId("user" + std::to_string(made_++ / 20));
      job.input = R"({"configuration":{"tone":"dry"}})";
      const auto submitted = co_await store_->jobs().submit(std::move(job), 1'000'000);
      if (!submitted) throw std::runtime_error(submitted.error().what());
    }
  }

  SystemClock clock_;
  SystemRng rng_;
  std::filesystem::path folder_;
  std::unique_ptr<Store> store_;
  int left_ = 0;
  int made_ = 0;
};

/// Durable enqueues: each job is synced to the disk before its submit returns.
void durable_enqueues(benchmark::State& state) {
  constexpr int kJobs = 500;
  BenchStore store(static_cast<int>(state.range(1)));
  for (auto step : state) {
    (void)step;
    store.submit_all(kJobs, static_cast<int>(state.range(0)));
  }
  state.SetItemsProcessed(state.iterations() * kJobs);
}
BENCHMARK(durable_enqueues)
    ->ArgNames({"in_flight", "waiting"})
    ->ArgsProduct({{1, 100}, {0, 5'000}})
    ->Iterations(2)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace rushes::store_sqlite
