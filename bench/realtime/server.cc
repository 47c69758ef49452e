// The server of the real-time benchmark, with the peers' command line and trigger:
//   realtime_server --port P --secret S [--shards N]
//   GET http://127.0.0.1:P+1/start?users=U&rate=R&secs=S&batch=B
//   GET /health (small JSON), POST /swallow (a streamed upload)
// Clients join /queue with an HS256 token and get `queue-update`, about 300 bytes, encoded for each emit.
#include "socketio/server.h"

#include "async/run.h"
#include "async/stop_signals.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "net/http_server.h"

#include <boost/static_string/static_string.hpp>
#include <openssl/crypto.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <unordered_map>

namespace rushes {
namespace {

using socketio::SocketPtr;

std::uint64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

/// The subject of a token with our signature that has not expired; empty for any other.
std::string subject_of(std::string_view token, std::string_view secret) {
  const auto dot = token.rfind('.');
  const auto first = token.find('.');
  if (dot == std::string_view::npos || first == dot) return {};
  const auto header = base64url_decode(token.substr(0, first));
  const auto claims = base64url_decode(token.substr(first + 1, dot - first - 1));
  const auto signature = base64url_decode(token.substr(dot + 1));
  if (!header || !claims || !signature || signature->size() != 32) return {};
  unsigned char expected[32];
  unsigned size = sizeof expected;
  ::HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(token.data()), dot, expected, &size);
  if (::CRYPTO_memcmp(expected, signature->data(), sizeof expected) != 0) return {};
  const auto head = parse_json(*header);
  const auto body = parse_json(*claims);
  if (!head || !body || !head->is_object() || !body->is_object()) return {};
  if (string_member(head->get_object(), "alg") != "HS256") return {};
  if (int_member(body->get_object(), "exp").value_or(0) < std::time(nullptr)) return {};
  return string_member(body->get_object(), "sub").value_or("");
}

constexpr std::size_t kPauseAbove = 64UL << 10U;  // bytes queued for one client, as the peers' programs do

/// Emits at a rate, or as fast as its clients take it, on shard 0.
class Emitter {
 public:
  Emitter(socketio::Namespace& nsp, Executor executor) : nsp_(nsp), executor_(std::move(executor)) {}

  SocketPtr sample;  // slow-down when this one cannot take more

  Task<net::Response> start(net::Request& request) {
    const auto number = [&request](const char* name, double otherwise) {
      const auto text = request.query_param(name);
      return text ? std::atof(text->c_str()) : otherwise;
    };
    users_ = static_cast<std::size_t>(number("users", 1000));
    const double rate = number("rate", 0);
    const auto secs = number("secs", 3);
    const auto batch = static_cast<std::size_t>(number("batch", 1000));
    auto work = run(rate, secs, batch);
    const auto emits = co_await run_on(executor_, std::move(work));
    co_return net::json_response(200, json::object{{"emits", emits}, {"secs", secs}});
  }

 private:
  Task<std::uint64_t> run(double rate, double secs, std::size_t batch) {
    const auto begin = monotonic_ns();
    const auto end = begin + static_cast<std::uint64_t>(secs * 1e9);
    std::uint64_t emits = 0;
    for (auto now = begin; now < end; now = monotonic_ns()) {
      if (rate > 0) {
        const auto due = static_cast<std::uint64_t>(static_cast<double>(now - begin) / 1e9 * rate);
        for (; emits < due; ++emits) emit();
        co_await sleep_for(std::chrono::milliseconds(1));
      } else {
        if (!sample || sample->backlog() <= kPauseAbove) {
          for (std::size_t i = 0; i < batch; ++i, ++emits) emit();
        }
        co_await asio::post(executor_, asio::use_awaitable);
      }
    }
    co_return emits;
  }

  void emit() {
    const auto user = next_++ % users_;
    const auto digits = std::to_string(user);
    boost::static_strings::static_string<36> id("8f14e45f-ceea-467f-a8d2-000000000000");
    std::copy(digits.begin(), digits.end(), id.end() - digits.size());
    const auto progress = sequence_++ % 100;
    JsonWriter payload;
    payload.add("jobId", std::string_view(id.data(), id.size()))
        .add("eventType", "job-progress")
        .add("progress", progress)
        .add("stage", "transcribing");
    boost::static_strings::static_string<64> message("Transcribing audio segment ");
    message.append(std::to_string(progress)).append(" of 100");
    payload.add("message", std::string_view(message.data(), message.size()));
    payload.begin("metadata")
        .add("videoTitle", "How to build a real-time queue")
        .add("channel", "UCx5XG1OV2P6uZZ5FSM9Ttw");
    payload.add("durationSec", 1834).add("etaSec", 96).end().add("sentAt", monotonic_ns());
    const auto text = payload.take();
    nsp_.to("user:u" + digits).emit("queue-update", socketio::RawJson{text});
  }

  socketio::Namespace& nsp_;
  const Executor executor_;
  std::size_t users_ = 1;
  std::size_t next_ = 0;
  std::uint64_t sequence_ = 0;
};

Task<std::optional<socketio::ConnectError>> authorize(SocketPtr socket, const std::string& secret) {
  const auto token = string_member(socket->auth(), "token").value_or("");
  auto subject = subject_of(token, secret);
  if (subject.empty()) {
    socketio::ConnectError refusal("unauthorized");
    co_return refusal;
  }
  socket->data = std::move(subject);
  socket->forget_auth();
  co_return std::nullopt;
}

Task<net::Response> small_json(net::Request&) {
  JsonWriter body(64);
  body.add("status", "ok").add("uptime", 1);
  net::Response response(200, "application/json", body.take());
  response.headers.add("Cache-Control", "no-store");
  co_return response;
}

/// Reads an upload and throws it away: what a streamed body costs.
Task<net::Response> swallow(net::Request& request) {
  std::string buffer(256UL << 10U, '\0');
  for (;;) {
    const auto got = co_await request.stream->read(buffer);
    if (!got) co_return net::problem(got.error());
    if (*got == 0) break;
  }
  co_return net::Response(204);
}

int serve(int argc, char** argv) {
  int port = 3000;
  std::size_t count = 1;
  std::string secret = "s3cret";
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--port") == 0) port = std::atoi(argv[i + 1]);
    if (std::strcmp(argv[i], "--secret") == 0) secret = argv[i + 1];
    if (std::strcmp(argv[i], "--shards") == 0) count = static_cast<std::size_t>(std::atoi(argv[i + 1]));
  }
  SystemClock clock;
  SystemRng rng;
  Shards shards(count);
  socketio::Server io(shards, socketio::ServerOptions(), clock, rng);
  auto& nsp = io.of("/queue");
  Emitter emitter(nsp, shards.executor(0));
  nsp.use([&secret](SocketPtr socket) { return authorize(std::move(socket), secret); });
  nsp.on_connection([&](const SocketPtr& socket) {
    socket->join("user:" + std::any_cast<std::string&>(socket->data));
    if (!emitter.sample && Shards::current() == 0U) emitter.sample = socket;
  });

  net::Router router;
  io.attach(router);
  router.add("GET", "/health", small_json);
  net::RouteOptions streaming;
  streaming.streaming = true;
  streaming.max_body = 16ULL << 30U;
  router.add("POST", "/swallow", swallow, streaming);
  net::Router control;
  control.add("GET", "/start", [&emitter](net::Request& request) { return emitter.start(request); });
  net::HttpOptions options;
  options.port = static_cast<std::uint16_t>(port);
  net::HttpServer http(shards, router, options);
  options.port = static_cast<std::uint16_t>(port + 1);
  net::HttpServer control_http(shards, control, options);

  const StopSignals signals;
  shards.start();
  for (auto* server : {&http, &control_http}) {
    if (const auto listening = server->start(); !listening) {
      std::fprintf(stderr, "%s\n", listening.error().what().c_str());
      return 1;
    }
  }
  std::puts("ready");
  std::fflush(stdout);
  signals.wait();
  run_to_end(io.stop());
  run_to_end(http.stop());
  run_to_end(control_http.stop());
  shards.stop();
  return 0;
}

}  // namespace
}  // namespace rushes

int main(int argc, char** argv) { return rushes::serve(argc, argv); }
