#include "api/context.h"
#include "api/members.h"
#include "base/plain_text.h"
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
  if (const auto word = request.query_param("read"); word && !word->empty()) {
    if (*word != "true" && *word != "false") {
      co_return net::problem(Error::for_user(Errc::invalid_argument, "QUERY_INVALID",
                                             "read=" + shorten(*word, 40) + " is not true or false."));
    }
    query.read = *word == "true";
  }
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

/// The text of an optional member, or an empty one. Adds what is wrong to `wrong`, where that has nothing yet.
std::string text_of(const Members& body, std::string_view name, std::optional<Error>& wrong) {
  auto text = body.text(name);
  if (!text && !wrong) wrong = text.error();
  return text ? std::move(*text).value_or("") : std::string();
}

Result<NewNotification> read_notification(const Members& body) {
  NewNotification made;
  std::optional<Error> wrong;
  made.title = plain_line(text_of(body, "title", wrong));
  made.message = text_of(body, "message", wrong);
  made.action_url = text_of(body, "actionUrl", wrong);
  made.action_button_text = text_of(body, "actionButtonText", wrong);
  made.user = UserId(text_of(body, "userId", wrong));
  const auto type = text_of(body, "type", wrong);
  const auto severity = text_of(body, "severity", wrong);
  if (wrong) return *wrong;
  if (trim(made.title).empty() || made.title.size() > 500) return invalid("title is missing or longer than 500 bytes.");
  if (made.message.size() > 5000) return invalid("message is longer than 5000 bytes.");
  if (body.find("type") != nullptr) {
    const auto parsed = notifications::parse_type(type);
    if (!parsed) return invalid(parsed.error().what());
    made.type = *parsed;
  }
  if (body.find("severity") != nullptr) {
    const auto parsed = notifications::parse_severity(severity);
    if (!parsed) return invalid(parsed.error().what());
    made.severity = *parsed;
  }
  const auto metadata = body.object("metadata");
  if (!metadata) return metadata.error();
  if (*metadata != nullptr) made.metadata = **metadata;
  return made;
}

Task<net::Response> create(const Context& context, net::Request& request, auth::Identity identity) {
  if (identity.role != "admin" && identity.role != "service") {
    co_return net::problem(Error::for_user(Errc::forbidden, "ROLE_NEEDED",
                                           "Only a token with the role admin or service may notify others."));
  }
  const auto body = co_await json_body(request);
  if (!body) co_return net::problem(body.error());
  Unknown unknown;
  const Members members(
      *body, "NOTIFICATION_INVALID", "",
      {"userId", "all", "title", "message", "type", "severity", "actionUrl", "actionButtonText", "metadata"}, unknown);
  auto made = read_notification(members);
  if (!made) co_return net::problem(made.error());
  const auto all = members.flag("all");
  if (!all) co_return net::problem(all.error());
  if (auto allowed = allow_unknown(request, std::move(unknown)); !allowed) co_return net::problem(allowed.error());
  if (all->value_or(false)) {
    made->user = UserId();
    context.notifications.announce(std::move(*made));
    const json::object answer{{"success", true}};
    co_return net::json_response(201, answer);
  }
  if (made->user.value().empty()) co_return net::problem(invalid("userId is missing; or send all: true."));
  const auto added = co_await context.notifications.add(std::move(*made));
  if (!added) co_return net::problem(added.error());
  co_return net::json_response(201, notifications::to_json(*added));
}

}  // namespace

void add_notification_routes(net::Router& router, const Context& context) {
  add_user_route(router, context, "GET", "/notifications", list, {"type", "read", "limit", "offset"});
  add_user_route(router, context, "POST", "/notifications", create);
  const auto act = [&](const char* pattern, auto handler) {
    router.add("POST", pattern, with_user(context, without_body(bound(context, handler))));
  };
  act("/notifications/{id}/read", mark_read);
  act("/notifications/read-all", mark_all_read);
}

}  // namespace rushes::api
