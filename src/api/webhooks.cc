#include "api/submission.h"
#include "base/plain_text.h"
#include "base/text.h"
#include "webhooks/signature.h"

#include <algorithm>
#include <memory>

namespace rushes::api {
namespace {

using webhooks::Webhook;
using webhooks::WebhookId;

constexpr int kMostWebhooks = 10;

constexpr int kSendsPerMinute = 10;  // that a user asks for: tests, and deliveries sent again
constexpr std::size_t kLongestDescription = 500;

WebhookId webhook_of(const net::Request& request) { return WebhookId(request.params.at("id")); }

json::value time_or_null(const std::optional<Timestamp>& time) {
  return time ? json::value(to_rfc3339(*time)) : json::value(nullptr);
}

json::object to_json(const Webhook& webhook) {
  json::object shown{{"id", webhook.id.value()},
                     {"url", webhook.url},
                     {"description", webhook.description},
                     {"events", to_json_array(webhook.types)},
                     {"enabled", !webhook.disabled_at},
                     {"createdAt", to_rfc3339(webhook.created_at)},
                     {"disabledAt", time_or_null(webhook.disabled_at)}};
  if (webhook.disabled_by) shown["disabledReason"] = to_string(*webhook.disabled_by);
  return shown;
}

/// With its secret, which is shown when it is new.
net::Response answer_with_secret(const Webhook& webhook, int status) {
  auto answer = to_json(webhook);
  answer["secret"] = webhook.secret;
  if (webhook.previous_until) answer["previousSecretUntil"] = to_rfc3339(*webhook.previous_until);
  return net::json_response(status, answer);
}

json::object to_json(const webhooks::Delivery& delivery) {
  return {{"id", delivery.id.value()},
          {"type", delivery.type},
          {"state", to_string(delivery.state)},
          {"attempts", delivery.attempts},
          {"lastAnswer", delivery.last_answer},
          {"createdAt", to_rfc3339(delivery.created_at)},
          {"nextAt", time_or_null(delivery.next_at)}};
}

Result<std::vector<std::string>> read_types(const json::value& asked) {
  const auto invalid = [](const std::string& what) {
    return Error::for_user(Errc::invalid_argument, "EVENTS_INVALID",
                           what + "; allowed: job.completed, job.failed, job.cancelled.");
  };
  if (!asked.is_array() || asked.get_array().empty()) {
    return invalid("events " + shown(asked) + " is not a list of some");
  }
  std::vector<std::string> types;
  for (const auto& value : asked.get_array()) {
    if (!value.is_string()) return invalid("events holds " + shown(value));
    const std::string type(value.get_string());
    if (std::find(webhooks::kTypes.begin(), webhooks::kTypes.end(), type) == webhooks::kTypes.end()) {
      return invalid("events holds '" + shorten(type, 40) + "'");
    }
    if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
  }
  return types;
}

/// Nothing where the body has none.
Result<std::optional<std::string>> read_secret(const Members& body) {
  auto secret = body.text("secret");
  if (!secret || !*secret || webhooks::is_secret(**secret)) return secret;
  return Error::for_user(Errc::invalid_argument, "SECRET_INVALID",
                         "secret is not allowed; write whsec_ and the base64 of 24 to 64 bytes, or leave it out.");
}

/// `{url?, description?, events?}` and what a caller reads besides.
Result<webhooks::WebhookChange> read_change(const Context& context, const Members& body) {
  webhooks::WebhookChange change;
  const auto named = body.text("url");
  if (!named) return named.error();
  if (*named) {
    auto url = context.addresses.check_url(**named);
    if (!url) return url.error();
    change.url = std::move(url->url);
  }
  const auto description = body.text("description", kLongestDescription);
  if (!description) return description.error();
  if (*description) change.description = plain_line(**description);
  if (const auto* asked = body.find("events")) {
    auto types = read_types(*asked);
    if (!types) return types.error();
    change.types = std::move(*types);
  }
  return change;
}

Task<net::Response> add(const Context& context, net::Request& request, auth::Identity identity) {
  const auto body = co_await json_body(request);
  if (!body) co_return net::problem(body.error());
  Unknown unknown;
  const Members members(*body, "WEBHOOK_INVALID", "", {"url", "description", "events", "secret"}, unknown);
  auto asked = read_change(context, members);
  if (!asked) co_return net::problem(asked.error());
  auto secret = read_secret(members);
  if (!secret) co_return net::problem(secret.error());
  if (!asked->url) {
    co_return net::problem(Error::for_user(Errc::invalid_argument, "URL_MISSING", "url is missing: where to send to."));
  }
  if (auto allowed = allow_unknown(request, std::move(unknown)); !allowed) co_return net::problem(allowed.error());
  Webhook webhook;
  webhook.id = WebhookId(new_uuid(context.clock, context.rng));
  webhook.user = identity.user;
  webhook.url = std::move(*asked->url);
  webhook.description = asked->description.value_or("");
  webhook.secret = *secret ? std::move(**secret) : webhooks::new_secret(context.rng);
  webhook.types.assign(webhooks::kTypes.begin(), webhooks::kTypes.end());
  if (asked->types) webhook.types = std::move(*asked->types);
  webhook.created_at = context.clock.now();
  const auto added = co_await context.webhooks.add(std::move(webhook), kMostWebhooks);
  if (!added) co_return net::problem(added.error());
  co_return answer_with_secret(*added, 201);
}

Task<net::Response> change(const Context& context, net::Request& request, auth::Identity identity) {
  const auto body = co_await json_body(request);
  if (!body) co_return net::problem(body.error());
  Unknown unknown;
  const Members members(*body, "WEBHOOK_INVALID", "", {"url", "description", "events", "enabled"}, unknown);
  auto asked = read_change(context, members);
  if (!asked) co_return net::problem(asked.error());
  const auto enabled = members.flag("enabled");
  if (!enabled) co_return net::problem(enabled.error());
  asked->enabled = *enabled;
  if (auto allowed = allow_unknown(request, std::move(unknown)); !allowed) co_return net::problem(allowed.error());
  const auto changed = co_await context.webhooks.change(identity.user, webhook_of(request), std::move(*asked));
  if (!changed) co_return net::problem(changed.error());
  co_return net::json_response(200, to_json(*changed));
}

Task<net::Response> rotate(const Context& context, net::Request& request, auth::Identity identity) {
  const auto body = co_await optional_json_body(request);
  if (!body) co_return net::problem(body.error());
  Unknown unknown;
  auto secret = read_secret(Members(*body, "WEBHOOK_INVALID", "", {"secret"}, unknown));
  if (!secret) co_return net::problem(secret.error());
  if (auto allowed = allow_unknown(request, std::move(unknown)); !allowed) co_return net::problem(allowed.error());
  webhooks::WebhookChange change;
  change.secret = *secret ? std::move(**secret) : webhooks::new_secret(context.rng);
  const auto changed = co_await context.webhooks.change(identity.user, webhook_of(request), std::move(change));
  if (!changed) co_return net::problem(changed.error());
  co_return answer_with_secret(*changed, 200);
}

Task<net::Response> list(const Context& context, net::Request& request, auth::Identity identity) {
  (void)request;
  const auto all = co_await context.webhooks.list(identity.user);
  if (!all) co_return net::problem(all.error());
  json::array entries;
  for (const auto& webhook : *all) entries.push_back(to_json(webhook));
  const json::object answer{{"webhooks", std::move(entries)}};
  co_return net::json_response(200, answer);
}

Task<net::Response> remove(const Context& context, net::Request& request, auth::Identity identity) {
  const auto removed = co_await context.webhooks.remove(identity.user, webhook_of(request));
  if (!removed) co_return net::problem(removed.error());
  const json::object answer{{"success", true}};
  co_return net::json_response(200, answer);
}

/// What its user asks to be sent now, or why not.
net::Response sent(const Context& context, const Result<webhooks::Delivery>& delivery, queue::Charge& charge) {
  if (!delivery) return net::problem(delivery.error());
  charge.keep(1);
  context.deliver();
  return net::json_response(202, to_json(*delivery));
}

net::Response too_often(std::chrono::nanoseconds wait) {
  const auto seconds = std::max(std::chrono::seconds(1), std::chrono::ceil<std::chrono::seconds>(wait));
  auto answer = net::problem(Error::for_user(Errc::exhausted, "RATE_LIMITED",
                                             "Tests and deliveries sent again are " + std::to_string(kSendsPerMinute) +
                                                 " a minute; ask again in " + std::to_string(seconds.count()) + " s."));
  answer.headers.set("Retry-After", std::to_string(seconds.count()));
  return answer;
}

Task<net::Response> test(const Context& context, queue::RateLimit& sends, net::Request& request,
                         auth::Identity identity) {
  queue::Charge charge(sends, identity.user, 1);
  if (charge.wait()) co_return too_often(*charge.wait());
  const std::string type(webhooks::kTestType);
  const auto filed = co_await context.webhooks.file(identity.user, webhook_of(request), type, "{}");
  co_return sent(context, filed, charge);
}

Task<net::Response> resend(const Context& context, queue::RateLimit& sends, net::Request& request,
                           auth::Identity identity) {
  queue::Charge charge(sends, identity.user, 1);
  if (charge.wait()) co_return too_often(*charge.wait());
  const webhooks::DeliveryId delivery(request.params.at("delivery"));
  const auto again = co_await context.webhooks.resend(identity.user, webhook_of(request), delivery);
  co_return sent(context, again, charge);
}

Task<net::Response> deliveries(const Context& context, net::Request& request, auth::Identity identity) {
  const auto limit = query_number(request, "limit", 20, 1, 100);
  if (!limit) co_return net::problem(limit.error());
  const auto all = co_await context.webhooks.deliveries(identity.user, webhook_of(request), *limit);
  if (!all) co_return net::problem(all.error());
  json::array entries;
  for (const auto& delivery : *all) entries.push_back(to_json(delivery));
  const json::object answer{{"deliveries", std::move(entries)}};
  co_return net::json_response(200, answer);
}

}  // namespace

void add_webhook_routes(net::Router& router, const Context& context) {
  add_user_route(router, context, "POST", "/webhooks", add);
  add_user_route(router, context, "GET", "/webhooks", list);
  add_user_route(router, context, "PATCH", "/webhooks/{id}", change);
  add_user_route(router, context, "DELETE", "/webhooks/{id}", remove);
  add_user_route(router, context, "POST", "/webhooks/{id}/rotate", rotate);
  add_user_route(router, context, "GET", "/webhooks/{id}/deliveries", deliveries, {"limit"});
  // Of the two routes, and gone with them.
  const auto sends = std::make_shared<queue::RateLimit>(kSendsPerMinute);
  const auto limited = [&](const char* pattern, auto handler) {
    router.add(
        "POST", pattern,
        with_user(context, without_body([&context, sends, handler](net::Request& request, auth::Identity identity) {
                    return handler(context, *sends, request, std::move(identity));
                  })));
  };
  limited("/webhooks/{id}/test", test);
  limited("/webhooks/{id}/deliveries/{delivery}/resend", resend);
}

}  // namespace rushes::api
