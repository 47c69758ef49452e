#include "gateways/notification_gateway.h"

#include "base/json_writer.h"
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

/// What came with the event: an object, or nothing.
Result<json::object> payload_of(const json::array& arguments) {
  if (arguments.empty() || arguments[0].is_null()) return json::object();
  if (const auto* const object = arguments[0].if_object()) return *object;
  return bad_payload("The payload is " + shorten(to_json_text(arguments[0]), 60) + ", and not an object.");
}

/// The member `name`; null where it is absent.
const json::value* member(const json::object& payload, std::string_view name) {
  const auto* const found = payload.if_contains(name);
  return found == nullptr || found->is_null() ? nullptr : found;
}

Error bad_member(std::string_view name, const json::value& value, std::string_view wanted) {
  return bad_payload(std::string(name) + " is " + shorten(to_json_text(value), 60) + ", and not " +
                     std::string(wanted) + ".");
}

Result<int> number_of(const json::object& payload, std::string_view name, int otherwise, int least, int most) {
  const auto* const found = member(payload, name);
  if (found == nullptr) return otherwise;
  const auto value = int_member(payload, name);
  if (value && *value >= least && *value <= most) return static_cast<int>(*value);
  return bad_member(name, *found, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
}

Result<notifications::ListQuery> read_query(const json::array& arguments) {
  const auto asked = payload_of(arguments);
  if (!asked) return asked.error();
  notifications::ListQuery query;
  if (const auto* const type = member(*asked, "type")) {
    if (!type->is_string()) return bad_member("type", *type, "the name of a type, such as processing");
    const auto known = notifications::parse_type(std::string_view(type->get_string()));
    if (!known) return bad_payload(known.error().what());
    query.type = *known;
  }
  if (const auto* const read = member(*asked, "read")) {
    if (!read->is_bool()) return bad_member("read", *read, "true or false");
    query.read = read->get_bool();
  }
  const auto limit = number_of(*asked, "limit", query.limit, 1, 100);
  if (!limit) return limit.error();
  const auto offset = number_of(*asked, "offset", 0, 0, 1'000'000);
  if (!offset) return offset.error();
  query.limit = *limit;
  query.offset = *offset;
  return query;
}

Result<notifications::NotificationId> read_id(const json::array& arguments) {
  const auto payload = payload_of(arguments);
  if (!payload) return payload.error();
  const auto* const id = member(*payload, "notificationId");
  if (id == nullptr) return bad_payload("notificationId is missing.");
  if (!id->is_string() || id->get_string().empty())
    return bad_member("notificationId", *id, "the id of a notification");
  return notifications::NotificationId(std::string(id->get_string()));
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
  const auto id = read_id(arguments);
  if (!id) {
    refuse(socket, ack, id.error());
    co_return;
  }
  // The answer for all the user's sockets comes by way of `tell`.
  const auto marked = co_await service_.mark_read(identity_of(*socket).user, *id);
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
  const auto query = read_query(arguments);
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
