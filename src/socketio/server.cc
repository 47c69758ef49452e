#include "socketio/server.h"

#include "base/text.h"
#include "engineio/engine.h"
#include "socketio/detail/connection.h"

#include <utility>

namespace rushes::socketio {
namespace {

engineio::Options engine_options(const ServerOptions& options) {
  engineio::Options engine;
  engine.path = options.path;
  engine.sid_prefix = options.sid_prefix;
  engine.ping_interval = options.ping_interval;
  engine.ping_timeout = options.ping_timeout;
  engine.upgrade_timeout = options.upgrade_timeout;
  engine.max_payload = options.max_payload;
  engine.max_backlog = options.max_backlog;
  engine.merge_above = options.merge_above;
  engine.per_message_deflate = options.per_message_deflate;
  engine.polling = options.polling;
  engine.websocket = options.websocket;
  return engine;
}

}  // namespace

class Server::Impl {
 public:
  Impl(Shards& shards, ServerOptions options, const Clock& clock, Rng& rng)
      : shards_(shards),
        core_(options, clock, rng),
        engine_(shards, engine_options(options), rng,
                [this](engineio::Session& session, net::Request& request) { return accept(session, request); }) {
    for (std::size_t i = 0; i < engine_.shards(); ++i) {
      loops_.push_back(engine_.loop(i));
      core_.shards.push_back(std::make_unique<detail::ServerShard>(i, engine_.loop(i)));
    }
    of("/");
  }

  Namespace& of(std::string_view name) {
    std::string full = name.starts_with('/') ? "" : "/";
    full += name;
    auto& entry = core_.namespaces[full];
    if (!entry) entry.reset(new Namespace(full, loops_));
    return *entry;
  }

  Task<> stop() {
    co_await engine_.stop();
    for (std::size_t i = 0; i < core_.shards.size(); ++i) {
      co_await run_on(shards_.executor(i), core_.shards[i]->gate.close());
    }
  }

  engineio::Engine& engine() noexcept { return engine_; }
  const detail::ServerCore& core() const noexcept { return core_; }

 private:
  std::shared_ptr<engineio::SessionHandler> accept(engineio::Session& session, net::Request& request) {
    Handshake handshake(request, core_.clock.now());
    return std::make_shared<detail::Connection>(core_, Shards::current().value_or(0), session, std::move(handshake));
  }

  Shards& shards_;
  detail::ServerCore core_;
  std::vector<std::shared_ptr<net::Loop>> loops_;
  engineio::Engine engine_;  // last: its sessions go first
};

Server::Server(Shards& shards, ServerOptions options, const Clock& clock, Rng& rng)
    : path_(options.path), impl_(std::make_unique<Impl>(shards, std::move(options), clock, rng)) {}

Server::~Server() = default;

Namespace& Server::of(std::string_view name) { return impl_->of(name); }

void Server::attach(net::Router& router) {
  // An ERROR of Socket.IO 2, then a DISCONNECT of each namespace, so that the client does not come back.
  std::vector<std::string> farewell{
      R"(4"This server speaks Socket.IO 3 and 4, and the client is older: update socket.io-client.")", "1"};
  for (const auto& [name, nsp] : impl_->core().namespaces) {
    if (name != "/") farewell.push_back("1" + name + ",");
  }
  impl_->engine().answer_version_3(farewell);
  impl_->engine().attach(router);
  const auto folder = path_.ends_with('/') ? path_ : path_ + "/";
  for (const auto* bundle : {"socket.io.js", "socket.io.min.js", "socket.io.esm.min.js", "socket.io.msgpack.min.js"}) {
    router.add("GET", folder + bundle, [](net::Request&) -> Task<net::Response> {
      co_return net::problem(Error::for_user(Errc::not_found, "CLIENT_NOT_SERVED",
                                             "The client is not served here. Take it from npm (socket.io-client), or "
                                             "from https://cdn.socket.io (4.x)."));
    });
  }
}

Task<> Server::stop() { return impl_->stop(); }

std::size_t Server::shards() const noexcept { return impl_->engine().shards(); }

const ConnectionCounts& Server::connection_counts(std::size_t shard) const {
  return impl_->core().shards[shard]->counts;
}

const engineio::SessionCounts& Server::session_counts(std::size_t shard) const { return impl_->engine().counts(shard); }

const net::WebSocketCounts& Server::websocket_counts(std::size_t shard) const {
  return impl_->engine().loop(shard)->counts();
}

std::vector<const Namespace*> Server::namespaces() const {
  std::vector<const Namespace*> all;
  for (const auto& [name, nsp] : impl_->core().namespaces) all.push_back(nsp.get());
  return all;
}

std::size_t Server::connections() const noexcept { return impl_->engine().connections(); }

}  // namespace rushes::socketio
