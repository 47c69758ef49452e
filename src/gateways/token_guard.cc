#include "gateways/token_guard.h"

#include <boost/asio/post.hpp>

#include <algorithm>
#include <any>

namespace rushes::gateways {
namespace {

std::string token_of(const socketio::Socket& socket) {
  auto token = string_member(socket.auth(), "token");
  if (token && !token->empty()) return std::move(*token);
  return std::string(socket.handshake().header("authorization"));
}

/// Where clients of other libraries put their token, which is not read there; empty where they did not.
std::string_view wrong_place(const socketio::Socket& socket) {
  if (!socket.handshake().header("token").empty()) return " It came in the header `token`.";
  const std::string query = "&" + std::string(socket.handshake().query());
  return query.find("&token=") == std::string::npos ? "" : " It came in the query, which servers and proxies log.";
}

/// The token's error; one that stands elsewhere is missing, and the words say where it stands and where it is read.
Error refusal_of(const socketio::Socket& socket, const Error& error) {
  const auto place = error.public_name() == "TOKEN_MISSING" ? wrong_place(socket) : std::string_view();
  if (place.empty()) return error;
  return Error::for_user(Errc::unauthenticated, "TOKEN_MISSING",
                         "There is no token." + std::string(place) +
                             " Send it as `auth: {token}`, or in the header `Authorization: Bearer`.");
}

json::object code_of(const Error& error) { return {{"code", error.public_name()}}; }

json::object words_of(const Error& error) {
  return {{"code", error.public_name()}, {"message", error.public_message()}};
}

// Sockets that came with an API key are in two rooms more, so that they can be ended, and spared, by themselves.
std::string room_of_key(const auth::KeyId& key) { return "key:" + key.value(); }
std::string room_of_keys(const UserId& user) { return "keys:" + user.value(); }

void enter_rooms(socketio::Socket& socket) {
  const auto& identity = identity_of(socket);
  socket.join(TokenGuard::room_of(identity.user));
  if (identity.key.value().empty()) return;
  socket.join(room_of_key(identity.key));
  socket.join(room_of_keys(identity.user));
}

void leave_key_rooms(socketio::Socket& socket) {
  const auto& identity = identity_of(socket);
  if (identity.key.value().empty()) return;
  socket.leave(room_of_key(identity.key));
  socket.leave(room_of_keys(identity.user));
}

}  // namespace

const auth::Identity& identity_of(const socketio::Socket& socket) {
  return std::any_cast<const auth::Identity&>(socket.data);
}

TokenGuard::TokenGuard(Executor executor, auth::Authenticator& credentials, const Clock& clock)
    : executor_(executor), credentials_(credentials), clock_(clock), timer_(executor) {}

void TokenGuard::install(socketio::Namespace& nsp) {
  namespaces_.push_back(&nsp);
  nsp.use([this](SocketPtr socket) { return check(std::move(socket)); });
  nsp.on_connection([this](const SocketPtr& socket) {
    enter_rooms(*socket);
    watch(socket);
    // Credentials that ended between the check and the rooms.
    if (auto stands = credentials_.check(identity_of(*socket)); !stands) {
      socket->emit("auth-error", words_of(stands.error()));
      socket->disconnect();
    }
  });
  // Else what is known of a socket that is gone would stay for as long as its token could have been used.
  nsp.on_disconnect([this](const SocketPtr& socket, std::string_view) { forget(socket); });
  nsp.on("auth-refresh", [this](SocketPtr socket, json::array arguments, socketio::Ack ack) {
    return refresh(std::move(socket), std::move(arguments), std::move(ack));
  });
}

Task<std::optional<socketio::ConnectError>> TokenGuard::check(SocketPtr socket) {
  const auto token = token_of(*socket);
  auto outcome = co_await credentials_.authenticate(token);
  auto identity = admit(*socket, token, std::move(outcome));
  if (!identity) {
    const auto error = refusal_of(*socket, identity.error());
    socketio::ConnectError refusal(std::string(error.public_message()), code_of(error));
    refusal.try_later = error.retryable();
    co_return refusal;
  }
  socket->data = std::move(*identity);
  socket->forget_auth();
  co_return std::nullopt;
}

Result<auth::Identity> TokenGuard::admit(const socketio::Socket& socket, std::string_view token,
                                         Result<auth::Identity> outcome) {
  const auto& handshake = socket.handshake();
  credentials_.witness(token, outcome, handshake.address(), handshake.header("user-agent"));
  if (!outcome) return outcome;
  if (auto allowed = auth::check_scope(*outcome, auth::Scope::read); !allowed) return allowed.error();
  return outcome;
}

Task<> TokenGuard::refresh(SocketPtr socket, json::array arguments, socketio::Ack ack) {
  std::string token;
  if (!arguments.empty() && arguments[0].is_object()) {
    token = string_member(arguments[0].get_object(), "token").value_or("");
  } else if (!arguments.empty() && arguments[0].is_string()) {
    token = arguments[0].get_string();
  }
  auto outcome = co_await credentials_.authenticate(token);
  auto identity = admit(*socket, token, std::move(outcome));
  if (identity && identity->user != identity_of(*socket).user) {
    identity = Error::for_user(Errc::unauthenticated, "TOKEN_INVALID", "The fresh token is another user's.");
  }
  if (!identity) {
    const auto& error = identity.error();
    if (error.retryable()) {
      asio::post(executor_, [this, key = Key(identity_of(*socket).expires_at, socket.get())] {
        if (expiries_.contains(key)) unjudged_.insert(key.second);
      });
    }
    const json::object answer{{"success", false}, {"error", error.public_message()}, {"code", error.public_name()}};
    ack(answer);
    if (!ack.requested()) socket->emit("auth-error", answer);
    co_return;
  }
  const auto expires_at = identity->expires_at;
  if (socket->connected()) {
    forget(socket);
    leave_key_rooms(*socket);
    socket->data = std::move(*identity);
    enter_rooms(*socket);
    watch(socket);
  }
  const json::object answer{{"success", true}, {"expiresAt", to_rfc3339(expires_at)}};
  ack(answer);
}

void TokenGuard::end(const auth::EndedCredentials& ended) {
  const bool one_key = !ended.key.value().empty();
  const json::object why{
      {"code", "TOKEN_INVALID"},
      {"message", one_key ? "The API key was revoked." : "The user has signed out everywhere; sign in again."}};
  for (auto* nsp : namespaces_) {
    auto whose = nsp->to(one_key ? room_of_key(ended.key) : room_of(ended.user));
    if (!one_key && !ended.all_keys) whose = whose.except(room_of_keys(ended.user));
    whose.emit("auth-error", why);
    whose.disconnect();
  }
}

void TokenGuard::watch(const SocketPtr& socket) {
  asio::post(executor_, [this, held = std::weak_ptr(socket), key = Key(identity_of(*socket).expires_at, socket.get())] {
    if (stopped_) return;
    const bool first = expiries_.empty() || key < expiries_.begin()->first;
    expiries_.emplace(key, held);
    watched_ = expiries_.size();
    if (first) schedule();
  });
}

void TokenGuard::forget(const SocketPtr& socket) {
  asio::post(executor_, [this, key = Key(identity_of(*socket).expires_at, socket.get())] {
    expiries_.erase(key);
    unjudged_.erase(key.second);
    watched_ = expiries_.size();
  });
}

void TokenGuard::schedule() {
  if (stopped_ || expiries_.empty()) return;
  // Looked at again at least hourly, for a wall clock that was set.
  const auto left = expiries_.begin()->first.first - clock_.now();
  timer_.expires_after(
      std::clamp<std::chrono::milliseconds>(left, std::chrono::milliseconds(1), std::chrono::hours(1)));
  timer_.async_wait([this](boost::system::error_code cancelled) {
    if (!cancelled) sweep();
  });
}

void TokenGuard::sweep() {
  const auto now = clock_.now();
  while (!expiries_.empty() && expiries_.begin()->first.first <= now) {
    const auto socket = expiries_.begin()->second.lock();
    const bool unjudged = unjudged_.erase(expiries_.begin()->first.second) > 0;
    expiries_.erase(expiries_.begin());
    if (!socket) continue;
    // On the socket's own shard: its token may have been refreshed since.
    asio::post(socket->executor(), [socket, now, unjudged] {
      if (!socket->connected() || identity_of(*socket).expires_at > now) return;
      if (unjudged) return socket->drop_connection();
      const json::object why{{"code", "TOKEN_EXPIRED"}, {"message", "The token has expired; sign in again."}};
      socket->emit("auth-error", why);
      socket->disconnect();
    });
  }
  watched_ = expiries_.size();
  schedule();
}

void TokenGuard::stop() {
  stopped_ = true;
  expiries_.clear();
  unjudged_.clear();
  watched_ = 0;
  timer_.cancel();
}

}  // namespace rushes::gateways
