#include "api/submission.h"
#include "base/text.h"
#include "webhooks/signature.h"

#include <algorithm>

namespace rushes::api {
namespace {

using webhooks::Webhook;
using webhooks::WebhookId;

constexpr int kMostWebhooks = 10;

WebhookId webhook_of(const net::Request& request) { return WebhookId(request.params.at("id")); }

json::value time_or_null(const std::optional<Timestamp>& time) {
  return time ? json::value(to_rfc3339(*time)) : json::value(nullptr);
}

json::object to_json(const Webhook& webhook) {
  return {{"id", webhook.id.value()},
          {"url", webhook.url},
          {"events", to_json_array(webhook.types)},
          {"createdAt", to_rfc3339(webhook.created_at)},
          {"disabledAt", time_or_null(webhook.disabled_at)}};
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

Result<std::vector<std::string>> read_types(const json::object& body) {
  std::vector<std::string> types(webhooks::kTypes.begin(), webhooks::kTypes.end());
  const auto* asked = body.if_contains("events");
  if (asked == nullptr) return types;
  const auto invalid = [](const std::string& what) {
    return Error::for_user(Errc::invalid_argument, "EVENTS_INVALID",
                           what + "; allowed: job.completed, job.failed, job.cancelled.");
  };
  if (!asked->is_array() || asked->get_array().empty()) {
    return invalid("events " + shown(*asked) + " is not a list of some");
  }
  types.clear();
  for (const auto& value : asked->get_array()) {
    if (!value.is_string()) return invalid("events holds " + shown(value));
    const std::string type(value.get_string());
    if (std::find(webhooks::kTypes.begin(), webhooks::kTypes.end(), type) == webhooks::kTypes.end()) {
      return invalid("events holds '" + shorten(type, 40) + "'");
    }
    if (std::find(types.begin(), types.end(), type) == types.end()) types.push_back(type);
  }
  return types;
}

Task<net::Response> add(const Context& context, net::Request& request, auth::Identity identity) {
  const auto body = json_body(request);
  if (!body) co_return net::problem(body.error());
  const auto named = string_member(*body, "url");
  if (!named || named->empty()) {
    co_return net::problem(Error::for_user(Errc::invalid_argument, "URL_MISSING", "url is missing: where to send to."));
  }
  auto url = context.addresses.check_url(*named);
  if (!url) co_return net::problem(url.error());
  auto types = read_types(*body);
  if (!types) co_return net::problem(types.error());
  Webhook webhook;
  webhook.id = WebhookId(new_uuid(context.clock, context.rng));
  webhook.user = identity.user;
  webhook.url = url->url;
  webhook.secret = webhooks::new_secret(context.rng);
  webhook.types = std::move(*types);
  webhook.created_at = context.clock.now();
  const auto added = co_await context.webhooks.add(std::move(webhook), kMostWebhooks);
  if (!added) co_return net::problem(added.error());
  auto answer = to_json(*added);
  answer["secret"] = added->secret;  // shown this once
  co_return net::json_response(201, answer);
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

Task<net::Response> test(const Context& context, net::Request& request, auth::Identity identity) {
  const std::string type(webhooks::kTestType);
  const auto filed = co_await context.webhooks.file(identity.user, webhook_of(request), type, "{}");
  if (!filed) co_return net::problem(filed.error());
  context.deliver();
  co_return net::json_response(202, to_json(*filed));
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
  const auto route = [&](const char* method, const char* pattern, auto handler) {
    router.add(method, pattern, with_user(context, [&context, handler](net::Request& request, auth::Identity identity) {
                 return handler(context, request, std::move(identity));
               }));
  };
  route("POST", "/webhooks", add);
  route("GET", "/webhooks", list);
  route("DELETE", "/webhooks/{id}", remove);
  route("POST", "/webhooks/{id}/test", test);
  route("GET", "/webhooks/{id}/deliveries", deliveries);
}

}  // namespace rushes::api
