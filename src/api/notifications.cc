#include "api/context.h"
#include "base/text.h"

namespace rushes::api {
namespace {

using notifications::NewNotification;
using notifications::NotificationId;

Task<net::Response> list(const Context& context, net::Request& request, auth::Identity identity) {
  notifications::ListQuery query;
  const auto limit = query_number(request, "limit", query.limit, 1, 100);
  const auto offset = query_number(request, "offset", 0, 0, 1'000'000);
  if (!limit) co_return net::problem(limit.error());
  if (!offset) co_return net::problem(offset.error());
  query.limit = *limit;
  query.offset = *offset;
  if (const auto word = request.query_param("type"); word && !word->empty()) {
    const auto type = notifications::parse_type(*word);
    if (!type) co_return net::problem(Error::for_user(Errc::invalid_argument, "QUERY_INVALID", type.error().what()));
    query.type = *type;
  }
  if (const auto word = request.query_param("read"); word && !word->empty()) query.read = *word == "true";
  const auto page = co_await context.notifications.store().list(identity.user, query);
  if (!page) co_return net::problem(page.error());
  const auto unread = co_await context.notifications.store().unread_count(identity.user);
  if (!unread) co_return net::problem(unread.error());
  json::array all;
  for (const auto& notification : page->notifications) all.push_back(notifications::to_json(notification));
  const json::object answer{{"notifications", std::move(all)}, {"total", page->total}, {"unreadCount", *unread}};
  co_return net::json_response(200, answer);
}

Task<net::Response> mark_read(const Context& context, net::Request& request, auth::Identity identity) {
  const auto marked = co_await context.notifications.mark_read(identity.user, NotificationId(request.params.at("id")));
  if (!marked) co_return net::problem(marked.error());
  const json::object answer{{"success", true}, {"notificationId", request.params.at("id")}};
  co_return net::json_response(200, answer);
}

Task<net::Response> mark_all_read(const Context& context, net::Request& request, auth::Identity identity) {
  (void)request;
  const auto marked = co_await context.notifications.mark_all_read(identity.user);
  if (!marked) co_return net::problem(marked.error());
  const json::object answer{{"success", true}};
  co_return net::json_response(200, answer);
}

Error invalid(std::string message) {
  return Error::for_user(Errc::invalid_argument, "NOTIFICATION_INVALID", std::move(message));
}

Result<NewNotification> read_notification(const json::object& body) {
  NewNotification made;
  made.title = string_member(body, "title").value_or("");
  made.message = string_member(body, "message").value_or("");
  if (trim(made.title).empty() || made.title.size() > 500) return invalid("title is missing or longer than 500 bytes.");
  if (made.message.size() > 5000) return invalid("message is longer than 5000 bytes.");
  if (const auto word = string_member(body, "type")) {
    const auto type = notifications::parse_type(*word);
    if (!type) return invalid(type.error().what());
    made.type = *type;
  }
  if (const auto word = string_member(body, "severity")) {
    const auto severity = notifications::parse_severity(*word);
    if (!severity) return invalid(severity.error().what());
    made.severity = *severity;
  }
  made.action_url = string_member(body, "actionUrl").value_or("");
  made.action_button_text = string_member(body, "actionButtonText").value_or("");
  if (const auto* metadata = body.if_contains("metadata"); metadata != nullptr && metadata->is_object()) {
    made.metadata = metadata->get_object();
  }
  return made;
}

Task<net::Response> create(const Context& context, net::Request& request, auth::Identity identity) {
  if (identity.role != "admin" && identity.role != "service") {
    co_return net::problem(Error::for_user(Errc::forbidden, "ROLE_NEEDED",
                                           "Only a token with the role admin or service may notify others."));
  }
  const auto body = json_body(request);
  if (!body) co_return net::problem(body.error());
  auto made = read_notification(*body);
  if (!made) co_return net::problem(made.error());
  const auto* all = body->if_contains("all");
  if (all != nullptr && all->is_bool() && all->get_bool()) {
    context.notifications.announce(std::move(*made));
    const json::object answer{{"success", true}};
    co_return net::json_response(201, answer);
  }
  made->user = UserId(string_member(*body, "userId").value_or(""));
  if (made->user.value().empty()) co_return net::problem(invalid("userId is missing; or send all: true."));
  const auto added = co_await context.notifications.add(std::move(*made));
  if (!added) co_return net::problem(added.error());
  co_return net::json_response(201, notifications::to_json(*added));
}

}  // namespace

void add_notification_routes(net::Router& router, const Context& context) {
  const auto add = [&](const char* method, const char* pattern, auto handler) {
    router.add(method, pattern, with_user(context, [&context, handler](net::Request& request, auth::Identity identity) {
                 return handler(context, request, std::move(identity));
               }));
  };
  add("GET", "/notifications", list);
  add("POST", "/notifications", create);
  add("POST", "/notifications/{id}/read", mark_read);
  add("POST", "/notifications/read-all", mark_all_read);
}

}  // namespace rushes::api
