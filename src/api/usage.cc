#include "api/context.h"

namespace rushes::api {
namespace {

Task<net::Response> usage(const Context& context, auth::Identity identity) {
  const auto usage = co_await context.quota.usage(identity.user);
  if (!usage) co_return net::problem(usage.error());
  const auto unfinished = co_await context.jobs.queries().unfinished(identity.user);
  if (!unfinished) co_return net::problem(unfinished.error());
  const auto limit = context.quota.options().max_bytes_per_user;
  const json::object answer{
      {"bytes",
       {{"used", usage->stored.all()},
        {"uploads", usage->stored.uploads},
        {"results", usage->stored.results},
        {"reserved", usage->reserved},
        {"limit", limit == 0 ? json::value(nullptr) : json::value(limit)}}},
      {"jobs", {{"unfinished", *unfinished}, {"limit", context.jobs.limits().max_queued_per_user}}}};
  co_return net::json_response(200, answer);
}

}  // namespace

void add_usage_route(net::Router& router, const Context& context) {
  router.add("GET", "/analyze/usage", with_user(context, [&context](net::Request&, auth::Identity identity) {
               return usage(context, std::move(identity));
             }));
}

}  // namespace rushes::api
