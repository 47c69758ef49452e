// A server whose users' jobs do nothing but happen: the real store, event log, gateways and sockets, without workers.
//   soak_server --data DIR --secret S [--port N]
//   GET /drive?users=U&rate=R   begins R jobs a second for users u0…, until /rest
//   GET /rest                   ends that and answers once all of it is in the database
//   GET /last?users=U           the last sequence number of each user: [12, 40, …]
#include "async/run.h"
#include "async/stop_signals.h"
#include "auth/authenticator.h"
#include "gateways/queue_gateway.h"
#include "net/http_server.h"
#include "socketio/server.h"
#include "store_sqlite/store.h"

#include <boost/asio/steady_timer.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace rushes {
namespace {

constexpr int kLanes = 32;  // jobs under way at once
constexpr int kReports = 4;

class Driver {
 public:
  Driver(Executor executor, store_sqlite::Store& store, const Clock& clock, Rng& rng)
      : executor_(std::move(executor)), store_(store), clock_(clock), rng_(rng) {}

  Task<net::Response> drive(net::Request& request) {
    users_ = number(request, "users");
    rate_ = number(request, "rate");
    going_ = true;
    for (int i = 0; i < kLanes; ++i) spawn_detached(executor_, "soak", lane());
    co_return net::Response(204);
  }

  Task<net::Response> rest(net::Request&) {
    going_ = false;
    while (lanes_ > 0) co_await sleep_for(std::chrono::milliseconds(5));
    // What a killed server left waiting.
    for (bool more = true; more;) {
      auto working = work();
      more = co_await std::move(working);
    }
    co_return net::Response(204);
  }

  Task<net::Response> last(net::Request& request) {
    json::array numbers;
    for (std::uint64_t i = 0; i < number(request, "users"); ++i) {
      auto asked = store_.events().seq_at(user(i), std::numeric_limits<std::int64_t>::max());
      const auto seq = co_await std::move(asked);
      numbers.emplace_back(seq.value());
    }
    co_return net::json_response(200, numbers);
  }

 private:
  static std::uint64_t number(const net::Request& request, const char* name) {
    return std::strtoull(request.query_param(name).value_or("0").c_str(), nullptr, 10);
  }
  static UserId user(std::uint64_t i) { return UserId("u" + std::to_string(i)); }

  Task<> lane() {
    ++lanes_;
    const std::chrono::milliseconds pace(1000 * kLanes / std::max<std::uint64_t>(rate_, 1));
    while (going_) {
      const auto began = std::chrono::steady_clock::now();
      auto job = one_job();
      co_await std::move(job);
      const auto took = std::chrono::steady_clock::now() - began;
      const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(pace - took);
      if (left.count() > 0) co_await sleep_for(left);
    }
    --lanes_;
  }

  Task<> one_job() {
    jobs::NewJob job;
    job.id = JobId(new_uuid(clock_, rng_));
    job.user = user(rng_.next_u64() % users_);
    job.title = "A soaked job";
    auto submitting = store_.jobs().submit(std::move(job), std::numeric_limits<int>::max());
    (void)co_await std::move(submitting);
    auto working = work();
    (void)co_await std::move(working);
  }

  /// Does the next job; false where none waits.
  Task<bool> work() {
    jobs::ClaimRequest request;
    auto claiming = store_.jobs().claim(request);
    const auto claimed = co_await std::move(claiming);
    if (!claimed || claimed->empty()) co_return false;
    const auto lease = claimed->front().lease;
    for (int i = 1; i <= kReports; ++i) {
      jobs::ProgressReport report;
      report.percent = 10 + 15 * i;
      report.stage = "Summarizing transcript";
      report.message = "Part " + std::to_string(i) + " of " + std::to_string(kReports);
      auto reporting = store_.jobs().report(lease, std::move(report));
      (void)co_await std::move(reporting);
    }
    jobs::Completion completion;
    completion.audit = AuditId(new_uuid(clock_, rng_));
    completion.title = "A soaked job";
    completion.result = {{"summary", "nothing"}};
    auto completing = store_.jobs().complete(lease, std::move(completion));
    (void)co_await std::move(completing);
    co_return true;
  }

  const Executor executor_;
  store_sqlite::Store& store_;
  const Clock& clock_;
  Rng& rng_;
  std::uint64_t users_ = 1;
  std::uint64_t rate_ = 1;
  int lanes_ = 0;
  bool going_ = false;
};

int serve(int argc, char** argv) {
  const auto option = [&](const char* name, const char* otherwise) {
    for (int i = 1; i + 1 < argc; ++i) {
      if (std::strcmp(argv[i], name) == 0) return std::string(argv[i + 1]);
    }
    return std::string(otherwise);
  };
  SystemClock clock;
  SystemRng rng;
  const std::filesystem::path data = option("--data", ".");
  store_sqlite::StoreOptions kept;
  // Full once it is warm: what grows then is neither cache nor what waits to be listed.
  kept.page_cache = std::size_t{1} << 20U;
  kept.list_batch = 2'000;
  auto store = store_sqlite::Store::open(data / "soak.db", kept, clock, rng);
  if (!store) {
    std::fprintf(stderr, "%s\n", store.error().what().c_str());
    return 1;
  }
  const auth::TokenVerifier tokens(option("--secret", ""), clock);
  Shards shards(2);
  {
    socketio::ServerOptions options;
    options.ping_interval = std::chrono::milliseconds(5'000);
    options.ping_timeout = std::chrono::milliseconds(4'000);
    socketio::Server sockets(shards, options, clock, rng);
    auth::Authenticator credentials(shards.executor(0), tokens, (*store)->credentials(), rng.token(32), clock, rng);
    gateways::TokenGuard guard(shards.executor(0), credentials, clock);
    gateways::QueueGateway gateway(sockets, guard, (*store)->queries(), (*store)->events());
    (*store)->events().on_committed([&](std::span<const jobs::Event> events) { gateway.publish(events); });
    Driver driver(shards.executor(0), **store, clock, rng);
    const auto on_shard_0 = [&](Task<net::Response> (Driver::*method)(net::Request&)) {
      return [&driver, &shards, method](net::Request& request) {
        return run_on(shards.executor(0), (driver.*method)(request));
      };
    };
    net::Router router;
    sockets.attach(router);
    router.add("GET", "/drive", on_shard_0(&Driver::drive));
    router.add("GET", "/rest", on_shard_0(&Driver::rest));
    router.add("GET", "/last", on_shard_0(&Driver::last));
    net::HttpOptions http_options;
    http_options.port = static_cast<std::uint16_t>(std::atoi(option("--port", "0").c_str()));
    net::HttpServer http(shards, router, http_options);

    const StopSignals signals;
    shards.start();
    auto recovery = gateway.start();
    const auto known = run_to_end(run_on(shards.executor(0), std::move(recovery)));
    (void)run_to_end((*store)->jobs().take_over(true));
    const auto port = http.start();
    if (!known || !port) return 1;
    std::printf("port %d\n", static_cast<int>(*port));
    std::fflush(stdout);
    signals.wait();
    run_to_end(sockets.stop());
    run_to_end(http.stop());
    shards.stop();
  }
  return 0;
}

}  // namespace
}  // namespace rushes

int main(int argc, char** argv) { return rushes::serve(argc, argv); }
