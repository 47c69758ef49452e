// The server that the protocols' own test suites talk to: short heartbeats, an Engine.IO echo at
// /engine.io/ and the prescribed Socket.IO handlers at /socket.io/. Our Node tests use it too; for them it
// knows some more events and namespaces, all below `add_test_handlers`.
#include "async/run.h"
#include "async/stop_signals.h"
#include "engineio/engine.h"
#include "net/http_server.h"
#include "socketio/server.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace rushes {
namespace {

using socketio::Ack;
using socketio::Event;
using socketio::SocketPtr;

/// Engine.IO: what comes in goes out.
class Echo final : public engineio::SessionHandler {
 public:
  Echo(engineio::Session& session, std::string greeting) : session_(&session), greeting_(std::move(greeting)) {
    if (!greeting_.empty()) session_->send(net::Frame::text("4before ", greeting_));
  }
  void on_open() override {
    if (!greeting_.empty()) session_->send(net::Frame::text("4", greeting_));
    if (greeting_ == "bye") session_->close(engineio::CloseReason::forced_close);
  }
  void on_message(std::string_view text) override { session_->send(net::Frame::text("4", text)); }
  void on_binary(std::string_view bytes) override { session_->send(net::Frame::binary(bytes)); }
  void on_close(engineio::CloseReason) override { session_ = nullptr; }

 private:
  engineio::Session* session_;
  const std::string greeting_;
};

Task<> message_back(SocketPtr socket, Event event, Ack) {
  socket->emit_arguments("message-back", socketio::Arguments::from_array(event.args, std::move(event.attachments)));
  co_return;
}

Task<> acknowledge(SocketPtr, Event event, Ack ack) {
  ack.answer(socketio::Arguments::from_array(event.args, std::move(event.attachments)));
  co_return;
}

std::string text_of(const json::array& args, std::size_t index) {
  return args.size() > index && args[index].is_string() ? std::string(std::string_view(args[index].get_string()))
                                                        : std::string();
}

Task<> join(SocketPtr socket, json::array args, Ack ack) {
  socket->join(text_of(args, 0));
  ack();
  co_return;
}

Task<> leave(SocketPtr socket, json::array args, Ack ack) {
  socket->leave(text_of(args, 0));
  ack();
  co_return;
}

Task<> rooms_of_mine(SocketPtr socket, json::array, Ack ack) {
  ack(to_json_array(socket->rooms()));
  co_return;
}

/// [room, text]: everybody in the room hears it.
Task<> say(SocketPtr socket, json::array args, Ack ack) {
  socket->nsp().to(text_of(args, 0)).emit("said", text_of(args, 1));
  ack();
  co_return;
}

/// [room, text]: all others in the room.
Task<> whisper(SocketPtr socket, json::array args, Ack ack) {
  socket->to(text_of(args, 0)).emit("said", text_of(args, 1));
  ack();
  co_return;
}

Task<> ask_me(SocketPtr socket, json::array args, Ack ack) {
  const std::chrono::milliseconds patience(args.empty() || !args[0].is_int64() ? 1000 : args[0].get_int64());
  const std::weak_ptr<socketio::Socket> weak = socket;
  socket->emit_with_ack("question", socketio::Arguments("why"), patience, [ack](Result<Event> answer) {
    if (answer) {
      ack("answered", json::value(answer->args));
    } else {
      ack("failed", answer.error().public_name());
    }
  });
  co_return;
}

Task<> kick_me(SocketPtr socket, json::array args, Ack) {
  socket->disconnect(!args.empty() && args[0].is_bool() && args[0].get_bool());
  co_return;
}

Task<> flood_me(SocketPtr socket, json::array args, Ack) {
  const auto count = args.empty() || !args[0].is_int64() ? 0 : args[0].get_int64();
  for (std::int64_t i = 0; i < count; ++i) socket->emit("drop", i);
  co_return;
}

/// Asks everybody in a room, and tells what came back.
Task<> survey(SocketPtr socket, json::array args, Ack ack) {
  const auto room = args.at(0).as_string();
  const std::chrono::milliseconds timeout(args.at(1).as_int64());
  auto asking = socket->nsp().to(std::string(room)).emit_with_ack("question", socketio::Arguments("?"), timeout);
  const auto got = co_await std::move(asking);
  json::array answers;
  for (const auto& answer : got.answers) answers.emplace_back(answer.args);
  const json::object told{{"answers", std::move(answers)}, {"missing", got.missing}};
  ack(told);
}

Task<> throw_up(SocketPtr, json::array, Ack) {
  throw std::runtime_error("on purpose");
  co_return;
}

Task<std::optional<socketio::ConnectError>> only_with_token(SocketPtr socket) {
  const auto& auth = socket->auth();
  const auto token = string_member(auth, "token");
  if (token == "sesame") co_return std::nullopt;
  json::object details;
  details["code"] = token ? "TOKEN_INVALID" : "TOKEN_MISSING";
  socketio::ConnectError refusal("not authorized", std::move(details));
  co_return refusal;
}

Task<std::optional<socketio::ConnectError>> take_its_time(SocketPtr socket) {
  asio::steady_timer timer(socket->executor(), std::chrono::milliseconds(100));
  boost::system::error_code failed;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, failed));
  co_return std::nullopt;
}

void add_test_handlers(socketio::Server& io) {
  auto& root = io.of("/");
  root.on("join", join);
  root.on("leave", leave);
  root.on("my-rooms", rooms_of_mine);
  root.on("say", say);
  root.on("whisper", whisper);
  root.on("ask-me", ask_me);
  root.on("kick-me", kick_me);
  root.on("flood-me", flood_me);
  root.on("survey", survey);
  root.on("throw", throw_up);
  auto& closed = io.of("/closed");
  closed.use(only_with_token);
  closed.on_raw("message", message_back);
  auto& slow = io.of("/slow");
  slow.use(take_its_time);
  slow.on_raw("message", message_back);
  auto& watched = io.of("/watched");
  watched.on_disconnect([&io](const SocketPtr& socket, std::string_view reason) {
    io.of("/").emit_all("departed", socket->id(), reason);
  });
  watched.on("kick-me", kick_me);
}

/// GET /connections: how many are open, so that a test can see that none was forgotten. GET /limits: who ran into one.
void add_counts(net::Router& router, const socketio::Server& io, const engineio::Engine& engine) {
  router.add("GET", "/connections", [&io, &engine](net::Request&) -> Task<net::Response> {
    json::object counts;
    counts["socketio"] = io.connections();
    counts["engineio"] = engine.connections();
    co_return net::json_response(200, counts);
  });
  router.add("GET", "/limits", [&io](net::Request&) -> Task<net::Response> {
    std::uint64_t namespaces = 0;
    std::uint64_t rooms = 0;
    for (std::size_t i = 0; i < io.shards(); ++i) {
      namespaces += io.connection_counts(i).too_many_namespaces.value();
      rooms += io.connection_counts(i).too_many_rooms.value();
    }
    json::object counts;
    counts["tooManyNamespaces"] = namespaces;
    counts["tooManyRooms"] = rooms;
    co_return net::json_response(200, counts);
  });
}

template <class Number>
Number option(int argc, char** argv, const char* name, Number otherwise) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], name) == 0) return static_cast<Number>(std::atoi(argv[i + 1]));
  }
  return otherwise;
}

std::string text_option(int argc, char** argv, const char* name) {
  for (int i = 1; i + 1 < argc; ++i) {
    if (std::strcmp(argv[i], name) == 0) return argv[i + 1];
  }
  return {};
}

int serve(int argc, char** argv) {
  SystemClock clock;
  SystemRng rng;
  Shards shards(option<std::size_t>(argc, argv, "--shards", 2));

  socketio::ServerOptions options;
  options.ping_interval = std::chrono::milliseconds(option(argc, argv, "--ping-interval", 300));
  options.ping_timeout = std::chrono::milliseconds(option(argc, argv, "--ping-timeout", 200));
  options.connect_timeout = std::chrono::milliseconds(option(argc, argv, "--connect-timeout", 1000));
  options.upgrade_timeout = std::chrono::milliseconds(option(argc, argv, "--upgrade-timeout", 10'000));
  options.attachment_timeout = std::chrono::milliseconds(option(argc, argv, "--attachment-timeout", 10'000));
  options.sid_prefix = text_option(argc, argv, "--sid-prefix");
  options.max_namespaces = option<std::size_t>(argc, argv, "--max-namespaces", 16);
  options.max_rooms = option<std::size_t>(argc, argv, "--max-rooms", 1'000);
  options.per_message_deflate = option(argc, argv, "--deflate", 0) != 0;
  socketio::Server io(shards, options, clock, rng);
  io.of("/").on_connection([](const SocketPtr& socket) { socket->emit("auth", socket->auth()); });
  io.of("/").on_raw("message", message_back);
  io.of("/").on_raw("message-with-ack", acknowledge);
  io.of("/custom").on_connection([](const SocketPtr& socket) { socket->emit("auth", socket->auth()); });
  add_test_handlers(io);

  engineio::Options engine_options;
  engine_options.ping_interval = options.ping_interval;
  engine_options.ping_timeout = options.ping_timeout;
  engine_options.upgrade_timeout = options.upgrade_timeout;
  engine_options.sid_prefix = options.sid_prefix;
  engine_options.per_message_deflate = options.per_message_deflate;
  engineio::Engine engine(shards, engine_options, rng, [](engineio::Session& session, net::Request& request) {
    return std::make_shared<Echo>(session, request.query_param("greeting").value_or(""));
  });

  net::Router router;
  io.attach(router);
  engine.attach(router);
  add_counts(router, io, engine);
  net::HttpOptions http_options;
  http_options.port = option<std::uint16_t>(argc, argv, "--port", 3000);
  http_options.entry.cors.allowed_origins = {"*"};
  net::HttpServer http(shards, router, http_options);

  const StopSignals signals;
  shards.start();
  const auto port = http.start();
  if (!port) {
    std::fprintf(stderr, "%s\n", port.error().what().c_str());
    return 1;
  }
  std::printf("listening on port %d\n", *port);
  std::fflush(stdout);
  signals.wait();
  run_to_end(io.stop());
  run_to_end(engine.stop());
  run_to_end(http.stop());
  shards.stop();
  return 0;
}

}  // namespace
}  // namespace rushes

int main(int argc, char** argv) { return rushes::serve(argc, argv); }
