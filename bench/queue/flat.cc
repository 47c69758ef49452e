#include "queue/flat.h"

#include "queue/fill.h"
#include "queue/store_driver.h"
#include "realtime/load/process.h"
#include "sqlite/connection.h"

#include <malloc.h>

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

namespace rushes::bench {
namespace {

struct Rates {
  std::vector<double> enqueue;
  std::vector<double> position;          // asked one at a time
  std::vector<double> position_batched;  // many at a time
  std::vector<double> claim;
};

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values.at(values.size() / 2);
}

json::object medians(const Rates& rates) {
  return {{"enqueue_per_s", median(rates.enqueue)},
          {"position_per_s", median(rates.position)},
          {"position_batched_per_s", median(rates.position_batched)},
          {"claim_per_s", median(rates.claim)}};
}

/// A filled database, opened, and what is done with it round by round.
class Side {
 public:
  Side(const std::filesystem::path& file, const FlatPlan& plan, std::int64_t jobs)
      : file_(file), plan_(plan), maker_(plan.users, plan.body_bytes) {
    FillPlan fill;
    fill.jobs = jobs;
    fill.waiting = jobs / plan.one_waits_of;
    fill.users = plan.users;
    fill.body_bytes = plan.body_bytes;
    fill_database(file, fill);
    ::malloc_trim(0);  // what the filling left is not the store's
    const auto resident = own_usage().resident_kib;
    const auto begun = monotonic_ns();
    store_.emplace(file);
    open_s_ = static_cast<double>(monotonic_ns() - begun) / 1e9;
    memory_mib_ = (own_usage().resident_kib - resident) / 1024;
  }

  void round(Rates& rates) {
    rates.enqueue.push_back(timed(&Side::enqueue, plan_.operations, plan_.in_flight));
    choose_waiting();
    rates.position.push_back(timed(&Side::ask, plan_.questions, 1));
    rates.position_batched.push_back(timed(&Side::ask, plan_.questions, plan_.in_flight));
    rates.claim.push_back(timed(&Side::claim, plan_.operations, plan_.in_flight));
    // So that the next round finds as many waiting as this one did.
    timed(&Side::complete, plan_.operations, plan_.in_flight);
    claimed_.clear();
  }

  double open_s() const { return open_s_; }
  double memory_mib() const { return memory_mib_; }

 private:
  using Lane = Task<> (Side::*)();

  /// Operations a second, all lanes together.
  double timed(Lane lane, int operations, int in_flight) {
    next_ = 0;
    std::vector<Task<>> lanes;
    for (int i = 0; i < in_flight; ++i) lanes.push_back((this->*lane)());
    const auto begun = monotonic_ns();
    run_together(std::move(lanes));
    return static_cast<double>(operations) * 1e9 / static_cast<double>(monotonic_ns() - begun);
  }

  Task<> enqueue() {
    while (next_++ < plan_.operations) {
      auto job = maker_.next();
      const auto submitted = co_await store_->jobs().submit(std::move(job), kAnyNumber);
      require(submitted, "submit");
    }
  }

  Task<> ask() {
    while (next_ < plan_.questions) {
      const auto& [user, job] = asked_.at(static_cast<std::size_t>(next_++));
      const auto position = co_await store_->queries().position(user, job);
      require(position, "position");
      if (!*position) throw std::runtime_error("a waiting job has no position");
    }
  }

  /// Two at a time, fifty jobs each; the other lanes have nothing to do.
  Task<> claim() {
    constexpr int kBatch = 50;
    if (++next_ > 2) co_return;
    while (static_cast<int>(claimed_.size()) + under_way_ < plan_.operations) {
      jobs::ClaimRequest request;
      request.limit = std::min(kBatch, plan_.operations - static_cast<int>(claimed_.size()) - under_way_);
      request.max_running_per_user = kAnyNumber;
      under_way_ += request.limit;
      const auto claimed = co_await store_->jobs().claim(request);
      under_way_ -= request.limit;
      require(claimed, "claim");
      if (static_cast<int>(claimed->size()) != request.limit) throw std::runtime_error("claim: too few");
      for (const auto& one : *claimed) claimed_.push_back(one.lease);
    }
  }

  Task<> complete() {
    while (next_ < plan_.operations) {
      const auto lease = claimed_.at(static_cast<std::size_t>(next_++));
      auto completion = nothing_much(clock_, rng_);
      const auto ended = co_await store_->jobs().complete(lease, std::move(completion));
      require(ended, "complete");
    }
  }

  /// Waiting jobs from all over the queue.
  void choose_waiting() {
    sqlite::Connection database(file_, sqlite::Access::read_only);
    auto& ends = database.statement("SELECT min(no), max(no) FROM unfinished_jobs");
    ends.next();
    std::uniform_int_distribution<std::int64_t> any(ends.integer(0), ends.integer(1));
    ends.reset();
    auto& from = database.statement(
        "SELECT user_id, id FROM unfinished_jobs CROSS JOIN jobs ON jobs.no = unfinished_jobs.no"
        " WHERE unfinished_jobs.no >= ? AND state = 0 ORDER BY unfinished_jobs.no LIMIT 1");
    asked_.clear();
    while (static_cast<int>(asked_.size()) < plan_.questions) {
      from.bind(any(random_)).next();
      asked_.emplace_back(UserId(from.text(0)), JobId(from.text(1)));
      from.reset();
    }
  }

  const std::filesystem::path file_;
  const FlatPlan& plan_;
  SystemClock clock_;
  SystemRng rng_;
  std::minstd_rand random_;
  JobMaker maker_;
  std::optional<StoreUnderTest> store_;
  double open_s_ = 0;
  double memory_mib_ = 0;
  int next_ = 0;  // operation of the step under way
  int under_way_ = 0;
  std::vector<std::pair<UserId, JobId>> asked_;
  std::vector<jobs::Lease> claimed_;
};

}  // namespace

json::object measure_flat(const std::filesystem::path& folder, const FlatPlan& plan) {
  Side few(folder / "few.db", plan, plan.few);
  Side many(folder / "many.db", plan, plan.many);
  Rates with_few;
  Rates with_many;
  for (int i = 0; i < plan.rounds; ++i) {
    few.round(with_few);
    many.round(with_many);
  }
  auto small = medians(with_few);
  auto large = medians(with_many);
  json::object slower;
  for (const auto* what : {"enqueue", "position", "position_batched", "claim"}) {
    const auto rate = std::string(what) + "_per_s";
    slower[what] = small.at(rate).as_double() / large.at(rate).as_double();
  }
  return {{"what", "flat"},
          {"few", plan.few},
          {"many", plan.many},
          {"with_few", std::move(small)},
          {"with_many", std::move(large)},
          {"times_slower", std::move(slower)},
          {"open_s", many.open_s()},
          {"memory_mib", many.memory_mib()},
          {"bytes_on_disk", std::filesystem::file_size(folder / "many.db")}};
}

}  // namespace rushes::bench
