#include "api/credentials.h"
#include "api/members.h"
#include "api/submission.h"
#include "base/plain_text.h"
#include "base/rfc3339.h"
#include "base/text.h"

namespace rushes::api {
namespace {

constexpr std::size_t kMaxNameBytes = 100;
constexpr std::size_t kMaxUserIdBytes = 256;

json::value time_or_null(const std::optional<Timestamp>& time) {
  return time ? json::value(to_rfc3339(*time)) : json::value(nullptr);
}

json::object to_json(const auth::ApiKey& key) {
  json::object object{{"id", key.id.value()},
                      {"name", key.name},
                      {"scopes", to_json_array(key.scopes.names())},
                      {"createdAt", to_rfc3339(key.created_at)},
                      {"expiresAt", time_or_null(key.expires_at)},
                      {"lastUsedAt", time_or_null(key.last_used_at)}};
  if (!key.role.empty()) object["role"] = key.role;
  return object;
}

/// The user whom a request is about: who asks, or, for an admin, the one named.
Result<UserId> user_of(const auth::Identity& identity, const std::optional<std::string>& named) {
  if (!named || *named == identity.user.value()) return identity.user;
  if (identity.role != "admin") {
    return Error::for_user(Errc::forbidden, "ROLE_NEEDED",
                           "userId names another user; only a token with the role admin may do that.");
  }
  if (named->empty() || named->size() > kMaxUserIdBytes || !is_utf8(*named)) {
    return Error::for_user(Errc::invalid_argument, "USER_INVALID", "userId is empty, too long or not UTF-8.");
  }
  return UserId(*named);
}

Result<auth::Scopes> read_scopes(const Members& body, const auth::Identity& identity) {
  const auto* asked = body.find("scopes");
  if (asked == nullptr || !asked->is_array() || asked->get_array().empty()) {
    return Error::for_user(Errc::invalid_argument, "SCOPES_INVALID",
                           "scopes is missing: a list of some of " + auth::Scopes::all().text() + ".");
  }
  auth::Scopes scopes;
  for (const auto& value : asked->get_array()) {
    const auto scope = auth::parse_scope(value.is_string() ? std::string_view(value.get_string()) : shown(value));
    if (!scope) return scope.error();
    // A key makes no key that may do more than itself.
    if (auto allowed = auth::check_scope(identity, *scope); !allowed) return allowed.error();
    scopes.add(*scope);
  }
  return scopes;
}

Result<auth::NewApiKey> read_key(const Context& context, const Members& body, const auth::Identity& identity) {
  auth::NewApiKey wanted;
  const auto named = body.text("userId");
  if (!named) return named.error();
  auto user = user_of(identity, *named);
  if (!user) return user.error();
  wanted.user = std::move(*user);
  const auto name = body.text("name");
  if (!name) return name.error();
  wanted.name = trim(plain_line(name->value_or("")));
  if (wanted.name.empty() || wanted.name.size() > kMaxNameBytes) {
    return Error::for_user(Errc::invalid_argument, "NAME_INVALID",
                           "name is missing or longer than 100 bytes: what the key is for.");
  }
  const auto scopes = read_scopes(body, identity);
  if (!scopes) return scopes.error();
  wanted.scopes = *scopes;
  const auto role = body.text("role");
  if (!role) return role.error();
  wanted.role = role->value_or("");
  if (!wanted.role.empty() && identity.role != "admin") {
    return Error::for_user(Errc::forbidden, "ROLE_NEEDED",
                           "Only a token with the role admin may make an API key with a role.");
  }
  if (wanted.role.size() > kMaxNameBytes) {
    return Error::for_user(Errc::invalid_argument, "ROLE_INVALID", "role is longer than 100 bytes.");
  }
  if (const auto* given = body.find("expiresAt")) {
    wanted.expires_at = given->is_string() ? parse_rfc3339(given->get_string()) : std::nullopt;
    if (!wanted.expires_at || *wanted.expires_at <= context.clock.now()) {
      return Error::for_user(Errc::invalid_argument, "EXPIRY_INVALID",
                             "expiresAt " + shown(*given) + " is no time of RFC 3339 in the future.");
    }
  }
  // Nor one that lives longer.
  if (!identity.key.value().empty() && (!wanted.expires_at || *wanted.expires_at > identity.expires_at)) {
    wanted.expires_at = identity.expires_at;
  }
  return wanted;
}

Task<net::Response> make_key(const Context& context, net::Request& request, auth::Identity identity) {
  const auto body = co_await json_body(request);
  if (!body) co_return net::problem(body.error());
  Unknown unknown;
  const Members members(*body, "BODY_INVALID", "", {"name", "scopes", "expiresAt", "role", "userId"}, unknown);
  auto wanted = read_key(context, members, identity);
  if (!wanted) co_return net::problem(wanted.error());
  if (auto allowed = allow_unknown(request, std::move(unknown)); !allowed) co_return net::problem(allowed.error());
  const auto made = co_await context.credentials.make_key(std::move(*wanted));
  if (!made) co_return net::problem(made.error());
  auto answer = to_json(made->key);
  answer["key"] = made->text;  // shown this once
  co_return net::json_response(201, answer);
}

Task<net::Response> list_keys(const Context& context, net::Request& request, auth::Identity identity) {
  auto user = user_of(identity, request.query_param("userId"));
  if (!user) co_return net::problem(user.error());
  const auto keys = co_await context.credentials.keys_of(std::move(*user));
  if (!keys) co_return net::problem(keys.error());
  json::array all;
  for (const auto& key : *keys) all.push_back(to_json(key));
  const json::object answer{{"keys", std::move(all)}};
  co_return net::json_response(200, answer);
}

Task<net::Response> revoke_key(const Context& context, net::Request& request, auth::Identity identity) {
  auto user = user_of(identity, request.query_param("userId"));
  if (!user) co_return net::problem(user.error());
  auth::KeyId id(request.params.at("id"));
  const auto revoked = co_await context.credentials.revoke_key(std::move(*user), std::move(id));
  if (!revoked) co_return net::problem(revoked.error());
  const json::object answer{{"success", true}};
  co_return net::json_response(200, answer);
}

Task<net::Response> make_ticket(const Context& context, net::Request& request, auth::Identity identity) {
  const auto body = co_await json_body(request);
  if (!body) co_return net::problem(body.error());
  Unknown unknown;
  const Members members(*body, "PATH_INVALID", "", {"path"}, unknown);
  const auto path = members.text("path");
  if (!path) co_return net::problem(path.error());
  const auto target = read_ticket_target(path->value_or(""));
  if (!target) co_return net::problem(target.error());
  if (auto allowed = allow_unknown(request, std::move(unknown)); !allowed) co_return net::problem(allowed.error());
  const auto ticket = context.credentials.issue_ticket(identity, target->kind, target->path);
  const json::object answer{{"ticket", ticket.text}, {"expiresAt", to_rfc3339(ticket.expires_at)}};
  co_return net::json_response(200, answer);
}

Task<net::Response> sign_out(const Context& context, net::Request& request, auth::Identity identity) {
  const auto body = co_await optional_json_body(request);
  if (!body) co_return net::problem(body.error());
  Unknown unknown;
  const Members members(*body, "BODY_INVALID", "", {"userId", "keys"}, unknown);
  const auto asked = members.text("userId");
  if (!asked) co_return net::problem(asked.error());
  const auto keys = members.flag("keys");
  if (!keys) co_return net::problem(keys.error());
  if (auto allowed = allow_unknown(request, std::move(unknown)); !allowed) co_return net::problem(allowed.error());
  auto user = user_of(identity, *asked);
  if (!user) co_return net::problem(user.error());
  const bool with_keys = keys->value_or(false);
  const json::string named(user->value());
  const auto moment = co_await context.credentials.sign_out_everywhere(std::move(*user), with_keys);
  if (!moment) co_return net::problem(moment.error());
  // Whoever has the answer may sign in again.
  const auto left = std::max(*moment - context.clock.now(), std::chrono::milliseconds(0));
  co_await sleep_for(left);
  const json::object answer{{"success", true}, {"userId", named}, {"before", to_rfc3339(*moment)}};
  co_return net::json_response(200, answer);
}

}  // namespace

void add_credential_routes(net::Router& router, const Context& context) {
  add_user_route(router, context, "POST", "/auth/ticket", make_ticket);
  add_user_route(router, context, "POST", "/auth/keys", make_key);
  add_user_route(router, context, "GET", "/auth/keys", list_keys, {"userId"});
  add_user_route(router, context, "DELETE", "/auth/keys/{id}", revoke_key, {"userId"});
  add_user_route(router, context, "POST", "/auth/sign-out-everywhere", sign_out);
}

}  // namespace rushes::api
