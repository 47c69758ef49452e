#include "gateways/notification_gateway.h"

#include "base/text.h"

namespace rushes::gateways {
namespace {

constexpr int kGreeting = 100;  // unread notifications sent on connect

template <class... Handlers>
struct Overloaded : Handlers... {
  using Handlers::operator()...;
};
template <class... Handlers>
Overloaded(Handlers...) -> Overloaded<Handlers...>;

json::object counted(std::int64_t unread) { return {{"count", unread}}; }

/// A bad request, to whoever waits for it.
void refuse(const std::shared_ptr<socketio::Socket>& socket, const socketio::Ack& ack, const Error& error) {
  const json::object answer{{"success", false}, {"error", error.public_message()}, {"code", error.public_name()}};
  if (ack.requested()) {
    ack(answer);
  } else {
    socket->emit("exception", answer);
  }
}

void accept(const socketio::Ack& ack) {
  const json::object answer{{"success", true}};
  ack(answer);
}

Error bad_payload(std::string_view why) {
  return Error::for_user(Errc::invalid_argument, "PAYLOAD_INVALID", std::string(why));
}

json::object first_object(const json::array& arguments) {
  return !arguments.empty() && arguments[0].is_object() ? arguments[0].get_object() : json::object();
}

Result<notifications::ListQuery> read_query(const json::object& asked) {
  notifications::ListQuery query;
  if (const auto word = string_member(asked, "type")) {
    const auto type = notifications::parse_type(*word);
    if (!type) return bad_payload(type.error().what());
    query.type = *type;
  }
  if (const auto* read = asked.if_contains("read"); read != nullptr && read->is_bool()) query.read = read->get_bool();
  const auto limit = int_member(asked, "limit").value_or(query.limit);
  const auto offset = int_member(asked, "offset").value_or(0);
  if (limit < 1 || limit > 100) return bad_payload("limit is not a number from 1 to 100.");
  if (offset < 0 || offset > 1'000'000) return bad_payload("offset is not a number from 0 to 1000000.");
  query.limit = static_cast<int>(limit);
  query.offset = static_cast<int>(offset);
  return query;
}

json::array list_json(const std::vector<notifications::Notification>& notifications) {
  json::array all;
  for (const auto& notification : notifications) all.push_back(notifications::to_json(notification));
  return all;
}

}  // namespace

NotificationGateway::NotificationGateway(socketio::Server& server, TokenGuard& guard, notifications::Service& service)
    : nsp_(server.of("/notifications")), service_(service) {
  guard.install(nsp_);
  nsp_.on_connection(
      [this](const SocketPtr& socket) { spawn_detached(socket->executor(), "notifications", greet(socket)); });
  const auto on = [this](const char* event, auto method) {
    nsp_.on(event, [this, method](SocketPtr socket, json::array arguments, socketio::Ack ack) {
      return (this->*method)(std::move(socket), std::move(arguments), std::move(ack));
    });
  };
  on("subscribe-notifications", &NotificationGateway::send_unread_count);
  on("mark-as-read", &NotificationGateway::mark_read);
  on("mark-all-as-read", &NotificationGateway::mark_all_read);
  on("get-notifications", &NotificationGateway::list);
}

void NotificationGateway::tell(const notifications::Change& change) {
  const auto to = [this](const UserId& user) { return nsp_.to(TokenGuard::room_of(user)); };
  std::visit(Overloaded{[&](const notifications::Added& added) {
                          const auto owner = to(added.notification.content.user);
                          owner.emit("new-notification", notifications::to_json(added.notification));
                          owner.emit("unread-count", counted(added.unread));
                        },
                        [&](const notifications::MarkedRead& read) {
                          const json::object which{{"notificationId", read.id.value()}};
                          to(read.user).emit("unread-count", counted(read.unread));
                          to(read.user).emit("marked-as-read", which);
                        },
                        [&](const notifications::AllRead& read) {
                          to(read.user).emit("unread-count", counted(0));
                          to(read.user).emit("all-marked-as-read", json::object());
                        },
                        [&](const notifications::Announced& announced) {
                          nsp_.emit_all("system-notification",
                                        notifications::announcement_json(announced.announcement));
                        }},
             change);
}

Task<> NotificationGateway::greet(SocketPtr socket) {
  const auto user = identity_of(*socket).user;
  const auto unread = co_await service_.store().unread_count(user);
  notifications::ListQuery query;
  query.read = false;
  query.limit = kGreeting;
  const auto page = co_await service_.store().list(user, query);
  if (!unread || !page) {
    const auto& error = unread ? page.error() : unread.error();
    refuse(socket, socketio::Ack(), error);
    co_return;
  }
  socket->emit("unread-count", counted(*unread));
  const json::object initial{{"notifications", list_json(page->notifications)}, {"count", *unread}};
  socket->emit("initial-notifications", initial);
}

Task<> NotificationGateway::send_unread_count(SocketPtr socket, json::array arguments, socketio::Ack ack) {
  (void)arguments;
  const auto unread = co_await service_.store().unread_count(identity_of(*socket).user);
  if (!unread) {
    refuse(socket, ack, unread.error());
    co_return;
  }
  socket->emit("unread-count", counted(*unread));
  const json::object answer{{"success", true}, {"count", *unread}};
  ack(answer);
}

Task<> NotificationGateway::mark_read(SocketPtr socket, json::array arguments, socketio::Ack ack) {
  const auto id = string_member(first_object(arguments), "notificationId");
  if (!id || id->empty()) {
    refuse(socket, ack, bad_payload("notificationId is missing."));
    co_return;
  }
  // The answer for all the user's sockets comes by way of `tell`.
  const auto marked = co_await service_.mark_read(identity_of(*socket).user, notifications::NotificationId(*id));
  if (!marked) {
    refuse(socket, ack, marked.error());
    co_return;
  }
  accept(ack);
}

Task<> NotificationGateway::mark_all_read(SocketPtr socket, json::array arguments, socketio::Ack ack) {
  (void)arguments;
  const auto marked = co_await service_.mark_all_read(identity_of(*socket).user);
  if (!marked) {
    refuse(socket, ack, marked.error());
    co_return;
  }
  accept(ack);
}

Task<> NotificationGateway::list(SocketPtr socket, json::array arguments, socketio::Ack ack) {
  const auto query = read_query(first_object(arguments));
  if (!query) {
    refuse(socket, ack, query.error());
    co_return;
  }
  const auto page = co_await service_.store().list(identity_of(*socket).user, *query);
  if (!page) {
    refuse(socket, ack, page.error());
    co_return;
  }
  json::object answer{{"notifications", list_json(page->notifications)}, {"total", page->total}};
  socket->emit("notifications-list", answer);
  answer["success"] = true;
  ack(answer);
}

}  // namespace rushes::gateways
