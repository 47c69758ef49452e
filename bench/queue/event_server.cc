// The server's way from a commit to a socket, with the real store, gateway and sockets, that says when each commit was:
//   event_server --folder DIR --port P --secret S
//   GET /drive?user=U&rate=R&count=N   submits N jobs at that pace; answers [[jobId, nanoseconds of CLOCK_MONOTONIC],
//   …]
#include "async/run.h"
#include "async/stop_signals.h"
#include "auth/authenticator.h"
#include "gateways/queue_gateway.h"
#include "net/http_server.h"
#include "realtime/load/process.h"
#include "socketio/server.h"
#include "store_sqlite/store.h"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <utility>
#include <vector>

namespace rushes::bench {
namespace {

/// Notes when events were committed: first thing in the listener, which the writer calls as soon as the commit returns.
class Commits {
 public:
  void note(std::span<const jobs::Event> events) {
    const auto now = monotonic_ns();
    const std::lock_guard lock(mutex_);
    for (const auto& event : events) noted_.emplace_back(event.job.value(), now);
  }
  json::array take() {
    const std::lock_guard lock(mutex_);
    json::array all;
    for (auto& [job, at] : std::exchange(noted_, {})) all.push_back(json::array{job, at});
    return all;
  }

 private:
  std::mutex mutex_;
  std::vector<std::pair<std::string, std::uint64_t>> noted_;
};

class Driver {
 public:
  Driver(store_sqlite::Store& store, Commits& commits, const Clock& clock, Rng& rng)
      : store_(store), commits_(commits), clock_(clock), rng_(rng) {}

  Task<net::Response> drive(net::Request& request) {
    const auto number = [&request](const char* name) {
      return std::strtoull(request.query_param(name).value_or("1").c_str(), nullptr, 10);
    };
    const UserId user(request.query_param("user").value_or("bench"));
    const auto count = number("count");
    const std::chrono::milliseconds pause(1000 / number("rate"));
    (void)commits_.take();
    for (std::uint64_t i = 0; i < count; ++i) {
      jobs::NewJob job;
      job.id = JobId(new_uuid(clock_, rng_));
      job.user = user;
      job.body = "A queue that people can watch.";
      const auto submitted = co_await store_.jobs().submit(std::move(job), std::numeric_limits<int>::max());
      if (!submitted) co_return net::problem(submitted.error());
      co_await sleep_for(pause);
    }
    co_return net::json_response(200, commits_.take());
  }

 private:
  store_sqlite::Store& store_;
  Commits& commits_;
  const Clock& clock_;
  Rng& rng_;
};

int serve(const std::filesystem::path& folder, int port, const std::string& secret) {
  SystemClock clock;
  SystemRng rng;
  auto store =
      store_sqlite::Store::open(folder / "rushes.db", store_sqlite::StoreOptions{.reserve_log = true}, clock, rng);
  if (!store) {
    std::fprintf(stderr, "event_server: %s\n", store.error().what().c_str());
    return 1;
  }
  const auth::TokenVerifier tokens(secret, clock);
  Shards shards(0);
  socketio::Server sockets(shards, socketio::ServerOptions(), clock, rng);
  auth::Authenticator credentials(shards.executor(0), tokens, (*store)->credentials(), rng.token(32), clock, rng);
  gateways::TokenGuard guard(shards.executor(0), credentials, clock);
  gateways::QueueGateway gateway(sockets, guard, (*store)->queries(), (*store)->events());
  Commits commits;
  (*store)->events().on_committed([&](std::span<const jobs::Event> events) {
    commits.note(events);
    gateway.publish(events);
  });
  Driver driver(**store, commits, clock, rng);
  net::Router router;
  sockets.attach(router);
  router.add("GET", "/drive", [&driver](net::Request& request) { return driver.drive(request); });
  net::HttpOptions options;
  options.port = static_cast<std::uint16_t>(port);
  net::HttpServer http(shards, router, options);

  const StopSignals signals;
  shards.start();
  auto recovery = gateway.start();
  const auto recovered = run_to_end(run_on(shards.executor(0), std::move(recovery)));
  const auto listening = http.start();
  if (!recovered || !listening) {
    std::fprintf(stderr, "event_server: cannot listen on port %d\n", port);
    return 1;
  }
  std::puts("ready");
  std::fflush(stdout);
  signals.wait();
  run_to_end(sockets.stop());
  run_to_end(http.stop());
  shards.stop();
  return 0;
}

int run(int argc, char** argv) {
  CLI::App app("The way from a commit to a socket");
  std::string folder;
  int port = 0;
  std::string secret;
  app.add_option("--folder", folder, "For the database")->required()->check(CLI::ExistingDirectory);
  app.add_option("--port", port, "On 127.0.0.1")->required();
  app.add_option("--secret", secret, "Of the tokens")->required();
  CLI11_PARSE(app, argc, argv);
  return serve(folder, port, secret);
}

}  // namespace
}  // namespace rushes::bench

int main(int argc, char** argv) { return rushes::bench::run(argc, argv); }
