// How long a user waits for what happens to a job, at a socket of that user: one line of JSON.
//   queue_latency started   `rushes serve`: from the answer of POST /analyze/transcript to `job-started`
//   queue_latency commits   event_server: from the commit to `queue-update`
#include "auth/jwt.h"
#include "queue/socket_watcher.h"
#include "realtime/load/histogram.h"
#include "realtime/load/process.h"
#include "realtime/load/trigger.h"

#include <CLI/CLI.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <exception>
#include <thread>

namespace rushes::bench {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;

struct Plan {
  std::uint16_t port = 3000;
  std::string secret;
  int count = 200;
  int warm_up = 10;
  int rate = 200;  // of commits a second
};

std::string token_of(const Plan& plan) {
  constexpr std::int64_t kHour = 3600;
  return auth::sign_token(plan.secret, {{"sub", "bench"}, {"exp", std::time(nullptr) + kHour}});
}

json::object quantiles(const Histogram& times) {
  return {{"p50_ms", times.quantile(0.5) / 1e6}, {"p99_ms", times.quantile(0.99) / 1e6}, {"counted", times.count()}};
}

/// One connection that submits transcripts.
class Submitter {
 public:
  Submitter(std::uint16_t port, const std::string& token) : socket_(io_) {
    socket_.connect({asio::ip::address_v4::loopback(), port});
    socket_.set_option(asio::ip::tcp::no_delay(true));
    request_.method(http::verb::post);
    request_.target("/analyze/transcript");
    request_.version(11);
    request_.set(http::field::host, "127.0.0.1");
    request_.set(http::field::authorization, "Bearer " + token);
    request_.set(http::field::content_type, "application/json");
    request_.body() = R"({"transcript":"A queue that people can watch: each job says where it stands."})";
    request_.prepare_payload();
  }

  /// The new job's id; `answered`: when its answer was there.
  std::string submit(std::uint64_t& answered) {
    http::write(socket_, request_);
    http::response<http::string_body> answer;
    http::read(socket_, buffer_, answer);
    answered = monotonic_ns();
    const auto body = parse_json(answer.body());
    if (answer.result() != http::status::created || !body) throw std::runtime_error(answer.body());
    return string_member(body->as_object(), "jobId").value_or("");
  }

 private:
  asio::io_context io_;
  asio::ip::tcp::socket socket_;
  boost::beast::flat_buffer buffer_;
  http::request<http::string_body> request_;
};

/// One job after the other, so that the server is idle when each comes.
json::object started(const Plan& plan) {
  const auto token = token_of(plan);
  SocketWatcher watcher(plan.port, token);
  Submitter submitter(plan.port, token);
  Histogram from_answer;
  Histogram from_send;
  for (int i = 0; i < plan.count + plan.warm_up; ++i) {
    const auto sent = monotonic_ns();
    std::uint64_t answered = 0;
    const auto job = submitter.submit(answered);
    const auto came = watcher.arrival(job, "job-started");
    watcher.arrival(job, "job-completed");
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    if (i < plan.warm_up) continue;
    from_answer.add(came > answered ? came - answered : 0);
    from_send.add(came - sent);
  }
  auto report = quantiles(from_answer);
  report["what"] = "started";
  report["from_send"] = quantiles(from_send);
  return report;
}

json::object commits(const Plan& plan) {
  SocketWatcher watcher(plan.port, token_of(plan));
  const auto answer = trigger(plan.port, "/drive?user=bench&rate=" + std::to_string(plan.rate) +
                                             "&count=" + std::to_string(plan.count + plan.warm_up))
                          .get();
  const auto committed = parse_json(answer);
  if (!committed || !committed->is_array()) throw std::runtime_error(answer);
  Histogram times;
  int skipped = 0;
  for (const auto& one : committed->as_array()) {
    if (++skipped <= plan.warm_up) continue;
    const auto& pair = one.as_array();
    const auto came = watcher.arrival(std::string(pair.at(0).as_string()), "job-queued");
    times.add(came - pair.at(1).to_number<std::uint64_t>());
  }
  auto report = quantiles(times);
  report["what"] = "commits";
  report["rate"] = plan.rate;
  return report;
}

int run(int argc, char** argv) {
  CLI::App app("How long a user waits for what happens to a job");
  Plan plan;
  app.add_option("--port", plan.port, "The server's port on 127.0.0.1")->required();
  app.add_option("--secret", plan.secret, "Signs the token, HS256")->required();
  app.add_option("--count", plan.count, "Jobs")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--rate", plan.rate, "Commits a second")->capture_default_str()->check(CLI::PositiveNumber);
  app.require_subcommand(1);
  app.fallthrough();
  auto* started_mode = app.add_subcommand("started", "From the answer of a submit to job-started");
  app.add_subcommand("commits", "From the commit to queue-update");
  CLI11_PARSE(app, argc, argv);
  const auto report = *started_mode ? started(plan) : commits(plan);
  std::puts(json::serialize(report).c_str());
  return 0;
}

}  // namespace
}  // namespace rushes::bench

int main(int argc, char** argv) {
  try {
    return rushes::bench::run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "queue_latency: %s\n", error.what());
    return 2;
  }
}
