#include "api/context.h"

#include "api/credentials.h"
#include "api/members.h"
#include "base/text.h"

#include <algorithm>
#include <charconv>

namespace rushes::api {
namespace {

Task<net::Response> checked(const Context& context, const UserHandler& handler, const Names& query,
                            net::Request& request) {
  auto identity = identify_at_once(context, request);
  if (!identity) identity = co_await identify(context, request);
  if (!*identity) co_return net::problem(identity->error());
  if (auto taken = check_query(request, query); !taken) {
    auto refused = net::problem(taken.error());
    name_ignored(request, refused);
    co_return refused;
  }
  request.user = (*identity)->user.value();
  auto response = co_await handler(request, std::move(**identity));
  name_ignored(request, response);
  co_return response;
}

Task<net::Response> bodiless(const UserHandler& handler, net::Request& request, auth::Identity identity) {
  const auto read = co_await request.read_body();
  if (!read) co_return net::problem(read.error());
  const auto sent = request.body.empty() ? Result<json::value>(nullptr) : parse_json(request.body);
  if (sent && sent->is_object()) {
    Unknown unknown;
    const Members none(sent->get_object(), "BODY_INVALID", "", Names(), unknown);
    if (auto allowed = allow_unknown(request, std::move(unknown)); !allowed) co_return net::problem(allowed.error());
  }
  co_return co_await handler(request, std::move(identity));
}

}  // namespace

net::Handler with_user(const Context& context, UserHandler handler, std::vector<std::string_view> query) {
  return [&context, handler = std::move(handler), query = std::move(query)](net::Request& request) {
    return checked(context, handler, query, request);
  };
}

UserHandler without_body(UserHandler handler) {
  return [handler = std::move(handler)](net::Request& request, auth::Identity identity) {
    return bodiless(handler, request, std::move(identity));
  };
}

Result<void> check_charset(std::string_view content_type) {
  for (auto rest = content_type; !rest.empty();) {
    const auto part = trim(rest.substr(0, rest.find(';')));
    rest.remove_prefix(std::min(rest.size(), std::min(rest.find(';'), rest.size()) + 1));
    const auto equals = part.find('=');
    if (equals == std::string_view::npos || !equals_ignore_case(part.substr(0, equals), "charset")) continue;
    auto name = part.substr(equals + 1);
    if (name.size() > 1 && name.front() == '"' && name.back() == '"') name = name.substr(1, name.size() - 2);
    if (equals_ignore_case(name, "utf-8") || equals_ignore_case(name, "utf8") || equals_ignore_case(name, "us-ascii")) {
      continue;
    }
    return Error::for_user(Errc::unsupported, "CONTENT_TYPE",
                           "The body must be UTF-8; this one is '" + shorten(name, 40) + "'.");
  }
  return {};
}

Task<Result<json::object>> json_body(net::Request& request) {
  const auto header = request.headers.get("content-type");
  const auto type = trim(header.substr(0, header.find(';')));
  if (!equals_ignore_case(type, "application/json")) {
    co_return Error::for_user(
        Errc::unsupported, "CONTENT_TYPE",
        "The body must be JSON, sent as application/json; this one is '" + shorten(type, 80) + "'.");
  }
  if (auto charset = check_charset(header); !charset) co_return charset.error();
  if (!request.take_body()) {
    const auto read = co_await request.read_body();
    if (!read) co_return read.error();
  }
  auto value = parse_json(request.body);
  if (!value) co_return Error::for_user(Errc::malformed, "NOT_JSON", "The body is " + value.error().what() + ".");
  if (!value->is_object()) co_return Error::for_user(Errc::malformed, "NOT_JSON", "The body is not a JSON object.");
  co_return std::move(value->get_object());
}

Task<Result<json::object>> optional_json_body(net::Request& request) {
  const auto whole = co_await request.read_body();
  if (!whole) co_return whole.error();
  if (request.body.empty()) co_return json::object();
  co_return co_await json_body(request);
}

Result<int> query_number(const net::Request& request, std::string_view name, int otherwise, int least, int most) {
  const auto text = request.query_param(name);
  if (!text || text->empty()) return otherwise;
  int value = 0;
  const auto [end, failed] = std::from_chars(text->data(), text->data() + text->size(), value);
  if (failed != std::errc() || end != text->data() + text->size() || value < least || value > most) {
    return Error::for_user(Errc::invalid_argument, "QUERY_INVALID",
                           std::string(name) + "=" + shorten(*text, 40) + " is not a number from " +
                               std::to_string(least) + " to " + std::to_string(most) + ".");
  }
  return value;
}

void add_routes(net::Router& router, const Context& context) {
  add_submit_routes(router, context);
  add_bulk_route(router, context);
  add_upload_route(router, context);
  add_usage_route(router, context);
  add_job_routes(router, context);
  add_job_event_route(router, context);
  add_history_routes(router, context);
  add_notification_routes(router, context);
  add_file_routes(router, context);
  add_webhook_routes(router, context);
  add_schedule_routes(router, context);
  add_operator_routes(router, context);
  add_credential_routes(router, context);
}

}  // namespace rushes::api
