#include "queue/rates.h"

#include "realtime/load/histogram.h"
#include "realtime/load/process.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include <utility>

namespace rushes::bench {
namespace {

/// The time that is measured, behind a warm-up.
class Stopwatch {
 public:
  explicit Stopwatch(const RatePlan& plan)
      : from_(monotonic_ns() + static_cast<std::uint64_t>(plan.warmup_s * 1e9)),
        end_(from_ + static_cast<std::uint64_t>(plan.seconds * 1e9)) {}

  bool runs() const { return monotonic_ns() < end_; }
  /// `count` things, asked for at `begun`, are done.
  void done(std::uint64_t begun, std::uint64_t count = 1) {
    const auto now = monotonic_ns();
    if (now < from_ || now > end_) return;
    counted_ += count;
    latency_.add(now - begun);
  }
  json::object report(const char* what) const {
    return {{"what", what},
            {"per_s", static_cast<double>(counted_) * 1e9 / static_cast<double>(end_ - from_)},
            {"p50_ms", latency_.quantile(0.5) / 1e6},
            {"p99_ms", latency_.quantile(0.99) / 1e6},
            {"counted", counted_}};
  }

 private:
  const std::uint64_t from_;
  const std::uint64_t end_;
  std::uint64_t counted_ = 0;
  Histogram latency_;
};

Task<> submit_while(StoreUnderTest& store, JobMaker& maker, Stopwatch& watch) {
  while (watch.runs()) {
    auto job = maker.next();
    const auto begun = monotonic_ns();
    const auto submitted = co_await store.jobs().submit(std::move(job), kAnyNumber);
    require(submitted, "submit");
    watch.done(begun);
  }
}

Task<> submit_all_while(StoreUnderTest& store, JobMaker& maker, Stopwatch& watch, std::size_t bulk) {
  while (watch.runs()) {
    const auto begun = monotonic_ns();
    auto jobs = maker.next_request(bulk);
    const auto submitted = co_await store.jobs().submit_all(std::move(jobs), kAnyNumber);
    require(submitted, "submit_all");
    watch.done(begun, bulk);
  }
}

Task<> report_while(StoreUnderTest& store, jobs::Lease lease, Stopwatch& watch, std::uint64_t& told) {
  for (int i = 0; watch.runs(); ++i) {
    jobs::ProgressReport report;
    report.percent = 40;
    report.stage = "Summarizing transcript";
    report.message = "Read " + std::to_string(i) + " sentences";
    const auto begun = monotonic_ns();
    const auto reported = co_await store.jobs().report(lease, std::move(report));
    require(reported, "report");
    watch.done(begun);
    ++told;
  }
}

Task<> claim_into(StoreUnderTest& store, int limit, std::vector<jobs::Claimed>& claimed) {
  jobs::ClaimRequest request;
  request.limit = request.max_running_per_user = limit;
  auto got = co_await store.jobs().claim(request);
  require(got, "claim");
  claimed = std::move(*got);
}

/// Workers that claim some jobs, complete them all at once, and claim again when the last is done.
class NoopWorkers {
 public:
  NoopWorkers(StoreUnderTest& store, int batch) : store_(store), batch_(batch) {}

  Task<> work() {
    const auto executor = co_await asio::this_coro::executor;
    asio::steady_timer all_done(executor, asio::steady_timer::time_point::max());
    for (;;) {
      std::vector<jobs::Claimed> claimed;
      co_await claim_into(store_, batch_, claimed);
      if (claimed.empty()) co_return;
      auto left = claimed.size();
      for (auto& one : claimed) spawn_detached(executor, "bench", complete(std::move(one.lease), left, all_done));
      boost::system::error_code woken;
      co_await all_done.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
  }
  std::uint64_t completed() const { return completed_; }

 private:
  Task<> complete(jobs::Lease lease, std::size_t& left, asio::steady_timer& all_done) {
    auto completion = nothing_much(clock_, rng_);
    const auto ended = co_await store_.jobs().complete(std::move(lease), std::move(completion));
    if (ended) ++completed_;
    if (--left == 0) all_done.cancel();
  }

  StoreUnderTest& store_;
  const int batch_;
  SystemClock clock_;
  SystemRng rng_;
  std::uint64_t completed_ = 0;
};

}  // namespace

json::object measure_enqueue(const std::filesystem::path& folder, const RatePlan& plan) {
  StoreUnderTest store(folder / "rushes.db");
  JobMaker maker(plan.users, plan.body_bytes);
  Stopwatch watch(plan);
  std::vector<Task<>> lanes;
  for (int i = 0; i < plan.in_flight; ++i) lanes.push_back(submit_while(store, maker, watch));
  run_together(std::move(lanes));
  auto report = watch.report("enqueue");
  report["in_flight"] = plan.in_flight;
  return report;
}

json::object measure_bulk(const std::filesystem::path& folder, const RatePlan& plan) {
  StoreUnderTest store(folder / "rushes.db");
  JobMaker maker(plan.users, plan.body_bytes);
  Stopwatch watch(plan);
  std::vector<Task<>> one;
  one.push_back(submit_all_while(store, maker, watch, plan.bulk));
  run_together(std::move(one));
  auto report = watch.report("bulk");
  report["size"] = plan.bulk;
  return report;
}

json::object measure_noop(const std::filesystem::path& folder, const RatePlan& plan) {
  StoreUnderTest store(folder / "rushes.db");
  JobMaker maker(plan.users, plan.body_bytes);
  const auto first = monotonic_ns();
  fill_queue(store, maker, plan.backlog);
  const auto filled = monotonic_ns();
  NoopWorkers workers(store, plan.in_flight / plan.claimers);
  std::vector<Task<>> claimers;
  for (int i = 0; i < plan.claimers; ++i) claimers.push_back(workers.work());
  run_together(std::move(claimers));
  const auto ended = monotonic_ns();
  if (workers.completed() != static_cast<std::uint64_t>(plan.backlog)) {
    throw std::runtime_error("completed " + std::to_string(workers.completed()) + " of " +
                             std::to_string(plan.backlog) + " jobs");
  }
  const auto jobs = static_cast<double>(plan.backlog);
  return {{"what", "noop"},
          {"per_s", jobs * 1e9 / static_cast<double>(ended - filled)},
          {"with_enqueue_per_s", jobs * 1e9 / static_cast<double>(ended - first)},
          {"counted", workers.completed()},
          {"events", store.heard()},
          {"in_flight", plan.in_flight},
          {"claimers", plan.claimers}};
}

json::object measure_progress(const std::filesystem::path& folder, const RatePlan& plan) {
  StoreUnderTest store(folder / "rushes.db");
  JobMaker maker(plan.users, plan.body_bytes);
  fill_queue(store, maker, plan.in_flight);
  std::vector<jobs::Claimed> running;
  std::vector<Task<>> claim;
  claim.push_back(claim_into(store, plan.in_flight, running));
  run_together(std::move(claim));
  Stopwatch watch(plan);
  std::uint64_t told = 0;
  std::vector<Task<>> lanes;
  for (const auto& one : running) lanes.push_back(report_while(store, one.lease, watch, told));
  run_together(std::move(lanes));
  if (store.heard_progress() != told) {
    throw std::runtime_error("the listener heard " + std::to_string(store.heard_progress()) + " of " +
                             std::to_string(told) + " reports");
  }
  auto report = watch.report("progress");
  report["in_flight"] = running.size();
  report["heard"] = store.heard_progress();
  return report;
}

}  // namespace rushes::bench
