#include "engineio/engine.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <utility>

namespace rushes::engineio {
namespace {

constexpr std::string_view kSidAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::size_t kSidBytes = 15;
constexpr std::size_t kSidSize = 20;

/// Its characters: the prefix of this server, two that name the shard, and 102 random bits or more.
std::string new_sid(Rng& rng, std::string_view prefix, std::size_t shard) {
  auto sid = rng.token(kSidBytes);
  sid.replace(0, prefix.size(), prefix);
  sid[prefix.size()] = kSidAlphabet[(shard >> 6U) & 63U];
  sid[prefix.size() + 1] = kSidAlphabet[shard & 63U];
  return sid;
}

/// Nothing for the id of another server's session.
std::optional<std::size_t> shard_of(std::string_view sid, std::string_view prefix, std::size_t shards) {
  if (sid.size() != kSidSize || !sid.starts_with(prefix)) return std::nullopt;
  const auto high = kSidAlphabet.find(sid[prefix.size()]);
  const auto low = kSidAlphabet.find(sid[prefix.size() + 1]);
  if (high == std::string_view::npos || low == std::string_view::npos) return std::nullopt;
  const auto shard = high * 64 + low;
  return shard < shards ? std::optional(shard) : std::nullopt;
}

net::Response refuse(RequestError error) {
  return net::Response(error_status(error), "application/json", error_body(error));
}

/// Why a session takes no message by POST; nothing where it does.
std::optional<net::Response> refusal_of(const Session* session) {
  if (session == nullptr || session->closed()) return refuse(RequestError::session_unknown);
  if (!session->is_polling()) return refuse(RequestError::bad_request);
  return std::nullopt;
}

net::Response text(std::string body) {
  net::Response response(200, "text/plain; charset=UTF-8", std::move(body));
  response.headers.add("Cache-Control", "no-store");
  return response;
}

}  // namespace

/// What every request says about itself.
struct Engine::Query {
  std::string transport;
  std::string version;
  std::string sid;
  std::optional<std::size_t> shard;
  bool base64;

  Query(const net::Request& request, std::string_view sid_prefix, std::size_t shards)
      : transport(request.query_param("transport").value_or("")),
        version(request.query_param("EIO").value_or("")),
        sid(request.query_param("sid").value_or("")),
        shard(shard_of(sid, sid_prefix, shards)),
        base64(!request.query_param("b64").value_or("").empty()) {}
};

Engine::Engine(Shards& shards, Options options, Rng& rng, HandlerFactory factory)
    : shards_(shards), options_(std::move(options)), rng_(rng), factory_(std::move(factory)) {
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    auto part = std::make_unique<Part>(options_, shards_.executor(i));
    part->sessions.loop = std::make_shared<net::Loop>(shards_.loop(i));
    part->sessions.websocket_options.limits.max_message = options_.max_payload;
    part->sessions.websocket_options.max_backlog = options_.max_backlog;
    part->sessions.websocket_options.merge_above = options_.merge_above;
    part->sessions.websocket_options.deflate = options_.per_message_deflate;
    part->sessions.ping = net::Frame::text("2");
    parts_.push_back(std::move(part));
  }
  for (auto& part : parts_) part->sessions.loop->start();
}

Engine::~Engine() = default;

std::size_t Engine::connections() const noexcept {
  std::uint64_t open = 0;
  for (const auto& part : parts_) {
    const auto& counts = part->sessions.counts;
    open += counts.opened_polling.value() + counts.opened_websocket.value() - counts.closed_polling.value() -
            counts.closed_websocket.value();
  }
  return open;
}

void Engine::answer_version_3(const std::vector<std::string>& messages) {
  // Each packet behind its length. Nobody is kept: the session's id is none, and the last packet closes it.
  const auto add = [this](std::string_view packet) {
    version_3_answer_.append(std::to_string(packet.size())).append(":").append(packet);
  };
  add(R"(0{"sid":"none","upgrades":[],"pingInterval":25000,"pingTimeout":20000})");
  for (const auto& message : messages) add("4" + message);
  add("1");
}

void Engine::attach(net::Router& router) {
  const net::Handler handler = [this](net::Request& request) { return handle(request); };
  const net::UpgradeHandler upgrade = [this](net::Request& request) { return handle_upgrade(request); };
  net::RouteOptions route_options;
  route_options.max_body = options_.max_payload;
  std::string without_slash = options_.path;
  if (without_slash.ends_with('/')) without_slash.pop_back();
  for (const auto& path : {without_slash, without_slash + "/"}) {
    for (const char* method : {"GET", "POST", "PUT", "PATCH", "DELETE"})
      router.add(method, path, handler, route_options);
    if (options_.websocket) router.add_upgrade(path, upgrade);
  }
}

Session* Engine::find(std::size_t shard, std::string_view sid) { return parts_[shard]->sessions.sessions.find(sid); }

Session& Engine::add_session(std::size_t shard) {
  auto& sessions = parts_[shard]->sessions;
  auto session = std::make_unique<Session>(sessions, new_sid(rng_, options_.sid_prefix, shard));
  sessions.sessions.insert(*session);
  return *session.release();
}

Task<net::Response> Engine::handle(net::Request& request) {
  const Query query(request, options_.sid_prefix, parts_.size());
  if (!(query.transport == "polling" && options_.polling) && !(query.transport == "websocket" && options_.websocket)) {
    co_return refuse(RequestError::transport_unknown);
  }
  if (!query.sid.empty()) {
    if (!query.shard) co_return refuse(RequestError::session_unknown);
    if (query.transport != "polling") co_return refuse(RequestError::bad_request);
    if (query.version != "4") co_return refuse(RequestError::unsupported_version);
    const auto shard = *query.shard;
    if (request.method == "POST") {
      if (request.headers.get("Content-Type") == "application/octet-stream")
        co_return refuse(RequestError::bad_request);
      if (!request.take_body()) {
        // Nobody waits for a body that nobody would take.
        auto look = refuse_message(shard, query.sid);
        auto refusal = co_await run_on(shards_.executor(shard), std::move(look));
        if (refusal) co_return std::move(*refusal);
        const auto read = co_await request.read_body();
        if (!read) co_return net::problem(read.error());
      }
      auto task = receive(shard, query.sid, std::move(request.body));
      co_return co_await run_on(shards_.executor(shard), std::move(task));
    }
    if (request.method != "GET") co_return refuse(RequestError::bad_method);
    request.when_gone([this, shard, sid = query.sid] {
      parts_[shard]->sessions.loop->run([this, shard, sid] {
        if (auto* session = find(shard, sid); session != nullptr && session->has_waiting_poll()) session->lose_poll();
      });
    });
    auto task = poll(shard, query.sid);
    co_return co_await run_on(shards_.executor(shard), std::move(task));
  }
  if (request.method != "GET") co_return refuse(RequestError::bad_method);
  if (query.transport != "polling") co_return refuse(RequestError::bad_request);
  if (query.version == "3" && !version_3_answer_.empty()) co_return text(version_3_answer_);
  if (query.version != "4") co_return refuse(RequestError::unsupported_version);
  co_return open(request);
}

net::Response Engine::open(net::Request& request) {
  const auto shard = Shards::current().value_or(0);
  if (parts_[shard]->sessions.stopping) return net::problem(Error(Errc::unavailable, "stopping"));
  auto& session = add_session(shard);
  session.open_polling(factory_(session, request));
  return text(session.take_payload());
}

Task<net::Response> Engine::poll(std::size_t shard, std::string sid) {
  auto& part = *parts_[shard];
  const auto pass = part.gate.try_enter();
  auto* session = find(shard, sid);
  if (session == nullptr || !pass) co_return refuse(RequestError::session_unknown);
  if (!session->is_polling() && !session->closed()) co_return refuse(RequestError::bad_request);
  if (session->has_waiting_poll()) {
    session->refuse_second_poll();
    co_return refuse(RequestError::bad_request);
  }
  if (auto payload = session->take_payload(); !payload.empty()) co_return text(std::move(payload));
  WaitingPoll waiting(shards_.executor(shard));
  session->wait(waiting);
  boost::system::error_code woken;
  co_await waiting.wake.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  co_return text(std::move(waiting.payload));
}

Task<std::optional<net::Response>> Engine::refuse_message(std::size_t shard, std::string sid) {
  co_return refusal_of(find(shard, sid));
}

Task<net::Response> Engine::receive(std::size_t shard, std::string sid, std::string payload) {
  auto* session = find(shard, sid);
  if (auto refusal = refusal_of(session)) co_return std::move(*refusal);
  if (!session->receive(payload)) co_return refuse(RequestError::bad_request);
  co_return text("ok");
}

Task<Engine::Found> Engine::look_up(std::size_t shard, std::string sid) {
  auto* session = find(shard, sid);
  if (session == nullptr || session->closed()) co_return Found::unknown;
  co_return session->can_upgrade() ? Found::upgradable : Found::taken;
}

Task<net::UpgradeAnswer> Engine::handle_upgrade(net::Request& request) {
  const Query query(request, options_.sid_prefix, parts_.size());
  if (query.transport != "websocket") {
    co_return net::UpgradeAnswer(
        refuse(query.transport == "polling" ? RequestError::bad_request : RequestError::transport_unknown));
  }
  if (query.version != "4") co_return net::UpgradeAnswer(refuse(RequestError::unsupported_version));
  auto handshake = net::websocket_handshake(request, parts_.front()->sessions.websocket_options);
  if (!handshake) {
    auto refusal = refuse(RequestError::bad_request);
    refusal.headers.add("Sec-WebSocket-Version", "13");  // RFC 6455, 4.2.2
    co_return net::UpgradeAnswer(std::move(refusal));
  }

  if (query.sid.empty()) {
    const auto shard = Shards::current().value_or(0);
    if (parts_[shard]->sessions.stopping) {
      co_return net::UpgradeAnswer(net::problem(Error(Errc::unavailable, "stopping")));
    }
    std::function<void(net::DetachedSocket)> owner = [this, shard, &request, answer = std::move(*handshake),
                                                      base64 = query.base64](net::DetachedSocket socket) {
      auto& session = add_session(shard);
      session.open_websocket({std::move(socket), answer, base64}, factory_(session, request));
    };
    co_return net::UpgradeAnswer(std::move(owner));
  }

  if (!query.shard) co_return net::UpgradeAnswer(refuse(RequestError::session_unknown));
  const auto shard = *query.shard;
  auto look = look_up(shard, query.sid);
  const auto found = co_await run_on(shards_.executor(shard), std::move(look));
  if (found == Found::unknown) co_return net::UpgradeAnswer(refuse(RequestError::session_unknown));
  std::function<void(net::DetachedSocket)> owner = [this, shard, sid = query.sid, answer = std::move(*handshake),
                                                    base64 = query.base64](net::DetachedSocket socket) {
    const auto held = std::make_shared<net::DetachedSocket>(std::move(socket));
    // The socket moves to the session's shard.
    parts_[shard]->sessions.loop->run([this, shard, sid, answer, base64, held] {
      auto* session = find(shard, sid);
      if (session != nullptr && session->can_upgrade()) {
        session->start_probe({std::move(*held), answer, base64});
        return;
      }
      // A second one for a session that has its WebSocket: let in, then closed, as clients expect it.
      struct Nobody final : net::WebSocket::Listener {
        void on_message(bool, std::string_view) override {}
        void on_end(net::WebSocketEnd) override {}
      };
      static Nobody nobody;
      auto& sessions = parts_[shard]->sessions;
      auto refused = std::make_unique<net::WebSocket>(*sessions.loop, std::move(held->fd), std::move(held->lease),
                                                      sessions.websocket_options, nobody);
      refused->accept(answer);
      net::WebSocket::finish(std::move(refused), net::WsCloseCode::normal, {});
    });
  };
  co_return net::UpgradeAnswer(std::move(owner));
}

Task<> Engine::stop_shard(std::size_t shard) {
  auto& part = *parts_[shard];
  part.sessions.stopping = true;
  std::vector<std::string> sids;
  for (const auto* session : part.sessions.sessions) sids.emplace_back(session->sid());
  for (const auto& sid : sids) {
    if (auto* session = find(shard, sid)) session->close(CloseReason::server_shutting_down);
  }
  co_await part.gate.close();
  part.sessions.loop->flush();  // the goodbyes
}

Task<> Engine::stop() {
  if (std::exchange(stopped_, true)) co_return;
  for (std::size_t i = 0; i < parts_.size(); ++i) co_await run_on(shards_.executor(i), stop_shard(i));
}

}  // namespace rushes::engineio
