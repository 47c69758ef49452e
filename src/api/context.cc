#include "api/context.h"

#include "api/members.h"
#include "base/text.h"

#include <charconv>

namespace rushes::api {
namespace {

Task<net::Response> checked(const Context& context, const UserHandler& handler, const Names& query,
                            net::Request& request) {
  const auto token = request.headers.get("authorization");
  auto identity = context.tokens.verify_by_known_keys(token);
  if (!identity) {
    std::string copy(token);
    identity = co_await context.tokens.authenticate(std::move(copy));
  }
  if (!*identity) co_return net::problem(identity->error());
  if (auto taken = check_query(request, query); !taken) {
    auto refused = net::problem(taken.error());
    name_ignored(request, refused);
    co_return refused;
  }
  auto response = co_await handler(request, std::move(**identity));
  name_ignored(request, response);
  co_return response;
}

}  // namespace

net::Handler with_user(const Context& context, UserHandler handler, std::vector<std::string_view> query) {
  return [&context, handler = std::move(handler), query = std::move(query)](net::Request& request) {
    return checked(context, handler, query, request);
  };
}

Result<json::object> json_body(const net::Request& request) {
  const auto header = request.headers.find("content-type").value_or("");
  const auto type = trim(std::string_view(header).substr(0, header.find(';')));
  if (!equals_ignore_case(type, "application/json")) {
    return Error::for_user(Errc::unsupported, "CONTENT_TYPE",
                           "The body must be JSON, sent as application/json; this one is '" + std::string(type) + "'.");
  }
  auto value = parse_json(request.body);
  if (!value) return Error::for_user(Errc::malformed, "NOT_JSON", "The body is " + value.error().what() + ".");
  if (!value->is_object()) return Error::for_user(Errc::malformed, "NOT_JSON", "The body is not a JSON object.");
  return std::move(value->get_object());
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

}  // namespace rushes::api
