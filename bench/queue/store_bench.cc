// The queue's own side of the benchmark: the store as the server uses it, each change durable before it is
// acknowledged.
//   store_bench MODE --folder DIR [--in-flight N] [--seconds S] [--size N] [--jobs N]
//   enqueue   submits, so many in flight          bulk      submits of so many jobs at once
//   noop      claims and completes a backlog      progress  reports of running jobs, so many in flight
//   flat      what a submit, a claim and a position cost in a table of so many jobs, a tenth of them waiting
#include "async/run.h"
#include "base/id.h"
#include "store_sqlite/store.h"

#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <filesystem>
#include <stdexcept>

namespace rushes {
namespace {

using std::chrono::steady_clock;

constexpr int kNoLimit = 1'000'000'000;
constexpr int kUsers = 1'000;

struct Options {
  std::string mode;
  std::filesystem::path folder;
  int in_flight = 100;
  double seconds = 3;
  int size = 1000;
  int jobs = 20'000;
  int users = 10'000;
};

double since(steady_clock::time_point start) {
  return std::chrono::duration<double>(steady_clock::now() - start).count();
}

std::int64_t resident_kib() {
  std::int64_t pages = 0;
  if (auto* file = std::fopen("/proc/self/statm", "r")) {
    long total = 0;
    long resident = 0;
    if (std::fscanf(file, "%ld %ld", &total, &resident) == 2) pages = resident;
    (void)std::fclose(file);
  }
  return pages * 4;
}

/// One store and what the modes do with it. Coroutines of one loop stand for the server's callers.
class Bench {
 public:
  explicit Bench(const Options& options) : options_(options) { open(); }

  void run();

 private:
  void open() {
    const auto start = steady_clock::now();
    store_sqlite::StoreOptions as_the_server_does;
    as_the_server_does.reserve_log = true;
    store_ =
        std::move(store_sqlite::Store::open(options_.folder / "rushes.db", as_the_server_does, clock_, rng_).value());
    store_->events().on_committed([this](std::span<const jobs::Event> events) { heard_ += events.size(); });
    opened_in_ = since(start);
  }
  jobs::NewJob new_job(int user) {
    jobs::NewJob job;
    job.id = JobId(new_uuid(clock_, rng_));
    job.user = UserId("user-" + std::to_string(user));
    job.input = R"({"configuration":{"language":"en","tone":"dry"},"size":960})";
    job.body = std::string(960, 'x');
    return job;
  }
  void must(bool well, const Error* error) {
    if (!well) throw std::runtime_error(error->what());
  }
  /// Runs `workers` of `task` at once until all have ended; gives the seconds.
  double together(int workers, const std::function<Task<>()>& task) {
    asio::io_context loop(1);
    const auto start = steady_clock::now();
    for (int i = 0; i < workers; ++i) {
      asio::co_spawn(loop, task(), [](const std::exception_ptr& failed) {
        if (failed) std::rethrow_exception(failed);
      });
    }
    loop.run();
    return since(start);
  }
  void say(const std::string& what, double value, const std::string& unit) {
    fmt::print("{{\"what\":\"{}\",\"value\":{:.6g},\"unit\":\"{}\"}}\n", what, value, unit);
    std::fflush(stdout);
  }

  Task<> submit_until(steady_clock::time_point end) {
    while (steady_clock::now() < end) {
      const auto submitted = co_await store_->jobs().submit(new_job(made_ % kUsers), kNoLimit);
      if (!submitted) throw std::runtime_error(submitted.error().what());
      ++made_;
    }
  }
  /// Of one user each, as a request is, or of all users in turn.
  Task<> submit_bulks(steady_clock::time_point end, int size, bool mixed) {
    while (steady_clock::now() < end && made_ < options_.jobs) {
      std::vector<jobs::NewJob> all;
      for (int i = 0; i < size; ++i) all.push_back(new_job((mixed ? made_ + i : made_ / size) % kUsers));
      made_ += size;
      const auto submitted = co_await store_->jobs().submit_all(std::move(all), kNoLimit);
      if (!submitted) throw std::runtime_error(submitted.error().what());
    }
  }
  jobs::Completion completion() {
    jobs::Completion completion;
    completion.audit = AuditId(new_uuid(clock_, rng_));
    completion.result = {{"ok", true}};
    return completion;
  }
  /// As a scheduler with `in_flight` places does.
  Task<> work(int& running, int& done, int jobs) {
    while (done < jobs) {
      jobs::ClaimRequest request;
      request.max_running_per_user = kNoLimit;
      request.limit = options_.in_flight - running;
      if (request.limit > 0) {
        auto claimed = co_await store_->jobs().claim(request);
        if (!claimed) throw std::runtime_error(claimed.error().what());
        running += static_cast<int>(claimed->size());
        for (auto& one : *claimed) spawn(finish(std::move(one.lease), running, done));
      }
      if (running >= options_.in_flight || request.limit <= 0) co_await pause();
    }
  }
  Task<> finish(jobs::Lease lease, int& running, int& done) {
    const auto completed = co_await store_->jobs().complete(std::move(lease), completion());
    if (!completed) throw std::runtime_error(completed.error().what());
    --running;
    ++done;
    free_->cancel();
  }
  Task<> pause() {
    boost::system::error_code woken;
    co_await free_->async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
  void spawn(Task<> task) {
    asio::co_spawn(*executor_, std::move(task), [](const std::exception_ptr& failed) {
      if (failed) std::rethrow_exception(failed);
    });
  }
  Task<> report_until(jobs::Lease lease, steady_clock::time_point end) {
    for (int step = 0; steady_clock::now() < end; ++step) {
      const jobs::ProgressReport report{10 + step % 80, "Transcribing audio",
                                        "Transcribing audio: " + std::to_string(step), ""};
      const auto reported = co_await store_->jobs().report(lease, report);
      if (!reported) throw std::runtime_error(reported.error().what());
      ++made_;
    }
  }

  void enqueue();
  void bulk();
  void noop();
  void progress();
  void flat();
  void fill(int jobs);
  void measure_at(int jobs);

  const Options options_;
  SystemClock clock_;
  SystemRng rng_;
  std::atomic<std::size_t> heard_{0};
  std::unique_ptr<store_sqlite::Store> store_;
  double opened_in_ = 0;
  int made_ = 0;
  std::optional<asio::any_io_executor> executor_;
  std::optional<asio::steady_timer> free_;
};

void Bench::enqueue() {
  const auto end = steady_clock::now() +
                   std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(options_.seconds));
  const auto took = together(options_.in_flight, [&] { return submit_until(end); });
  say("enqueue", made_ / took, "jobs/s");
}

void Bench::bulk() {
  const auto end = steady_clock::now() +
                   std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(options_.seconds));
  auto took = together(1, [&] { return submit_bulks(end, options_.size, false); });
  say("bulk", made_ / took, "jobs/s");
}

void Bench::noop() {
  together(1, [&] { return submit_bulks(steady_clock::time_point::max(), 1000, true); });
  asio::io_context loop(1);
  executor_ = loop.get_executor();
  free_.emplace(loop, steady_clock::time_point::max());
  int running = 0;
  int done = 0;
  const auto start = steady_clock::now();
  spawn(work(running, done, made_));
  loop.run();
  say("noop", done / since(start), "jobs/s");
}

void Bench::progress() {
  std::vector<jobs::NewJob> all;
  for (int i = 0; i < options_.in_flight; ++i) all.push_back(new_job(i));
  (void)run_to_end(store_->jobs().submit_all(std::move(all), kNoLimit)).value();
  jobs::ClaimRequest request;
  request.limit = options_.in_flight;
  const auto claimed = run_to_end(store_->jobs().claim(request)).value();
  const auto end = steady_clock::now() +
                   std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(options_.seconds));
  const auto heard = heard_.load();
  std::size_t next = 0;
  const auto took = together(options_.in_flight, [&] { return report_until(claimed.at(next++).lease, end); });
  if (heard_.load() - heard != static_cast<std::size_t>(made_)) throw std::runtime_error("progress was not heard");
  say("progress", made_ / took, "reports/s");
}

/// Jobs that waited, most of which have been done since.
void Bench::fill(int jobs) {
  constexpr int kPiece = 1000;
  for (int filled = made_; filled < jobs; filled += kPiece) {
    std::vector<jobs::NewJob> all;
    for (int i = 0; i < kPiece; ++i) all.push_back(new_job((filled + i) % options_.users));
    (void)run_to_end(store_->jobs().submit_all(std::move(all), kNoLimit)).value();
    made_ += kPiece;
    if (filled * 10 % jobs < kPiece * 10) fmt::print(stderr, "\r{} of {} jobs", filled, jobs);
    jobs::ClaimRequest request;
    request.max_running_per_user = kNoLimit;
    request.limit = kPiece * 9 / 10;
    auto claimed = run_to_end(store_->jobs().claim(request)).value();
    asio::io_context loop(1);
    executor_ = loop.get_executor();
    free_.emplace(loop, steady_clock::time_point::max());
    int running = 0;
    int done = 0;
    for (auto& one : claimed) spawn(finish(std::move(one.lease), running, done));
    loop.run();
  }
  fmt::print(stderr, "\r");
}

void Bench::measure_at(int jobs) {
  const auto at = " at " + std::to_string(jobs);
  const auto end = steady_clock::now() +
                   std::chrono::duration_cast<steady_clock::duration>(std::chrono::duration<double>(options_.seconds));
  const auto before = made_;
  const auto took = together(options_.in_flight, [&] { return submit_until(end); });
  say("enqueue" + at, (made_ - before) / took, "jobs/s");

  constexpr int kQuestions = 2'000;
  jobs::JobFilter filter;
  std::vector<jobs::Job> asked;
  for (int user = 0; asked.size() < 50; user += 97) {
    filter.state = jobs::JobState::pending;
    filter.limit = 5;
    auto page = run_to_end(store_->queries().list(UserId("user-" + std::to_string(user % kUsers)), filter)).value();
    for (auto& job : page.jobs) asked.push_back(std::move(job));
  }
  auto start = steady_clock::now();
  for (int i = 0; i < kQuestions; ++i) {
    const auto& job = asked[static_cast<std::size_t>(i) % asked.size()];
    (void)run_to_end(store_->queries().position(job.user, job.id)).value();
  }
  say("position" + at, kQuestions / since(start), "questions/s");

  constexpr int kClaims = 3'000;
  jobs::ClaimRequest request;
  request.max_running_per_user = kNoLimit;
  request.limit = 100;
  std::deque<jobs::Lease> leases;
  start = steady_clock::now();
  for (int i = 0; i < kClaims / 100; ++i) {
    for (auto& one : run_to_end(store_->jobs().claim(request)).value()) leases.push_back(one.lease);
  }
  say("claim" + at, kClaims / since(start), "jobs/s");
  for (auto& lease : leases) (void)run_to_end(store_->jobs().release(std::move(lease)));
}

void Bench::flat() {
  fill(options_.jobs);
  // As after a restart of the server: nothing is left of what the filling did.
  store_.reset();
  open();
  say("open at " + std::to_string(options_.jobs), opened_in_ * 1000, "ms");
  measure_at(options_.jobs);
  say("resident at " + std::to_string(options_.jobs), static_cast<double>(resident_kib()), "KiB");
}

void Bench::run() {
  if (options_.mode == "enqueue") enqueue();
  if (options_.mode == "bulk") bulk();
  if (options_.mode == "noop") noop();
  if (options_.mode == "progress") progress();
  if (options_.mode == "flat") flat();
}

}  // namespace
}  // namespace rushes

int main(int argc, char** argv) {
  rushes::Options options;
  CLI::App app("What the queue's store does in a second");
  app.add_option("MODE", options.mode)
      ->required()
      ->check(CLI::IsMember({"enqueue", "bulk", "noop", "progress", "flat"}));
  app.add_option("--folder", options.folder, "Where the database is made")->required();
  app.add_option("--in-flight", options.in_flight)->check(CLI::Range(1, 10'000));
  app.add_option("--seconds", options.seconds)->check(CLI::Range(0.1, 600.0));
  app.add_option("--size", options.size)->check(CLI::Range(1, 10'000));
  app.add_option("--jobs", options.jobs)->check(CLI::Range(1'000, 100'000'000));
  CLI11_PARSE(app, argc, argv);
  if (options.mode == "bulk") options.jobs = rushes::kNoLimit;
  try {
    rushes::Bench(options).run();
  } catch (const std::exception& error) {
    fmt::print(stderr, "store_bench: {}\n", error.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}
