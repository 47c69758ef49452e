#pragma once
#include "api/event_streams.h"
#include "async/blocking_pool.h"
#include "auth/authenticator.h"
#include "net/address_filter.h"
#include "net/message.h"
#include "net/router.h"
#include "notifications/service.h"
#include "queue/data_folder.h"
#include "queue/disk_quota.h"
#include "queue/job_service.h"
#include "queue/rates.h"
#include "queue/schedule_runner.h"
#include "webhooks/webhook_store.h"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::api {

struct Limits {
  std::uint64_t max_upload_bytes = std::uint64_t{2} << 30U;
  std::size_t max_transcript_bytes = std::size_t{5} << 20U;
  std::uint64_t max_bulk_bytes = std::uint64_t{64} << 20U;
  std::size_t max_bulk_items = 10'000;
  int max_priority = 0;
  int max_attempts = 3;
  int max_schedules_per_user = 50;
};

/// What the handlers work with. All of it outlives the router that they are added to.
struct Context {
  queue::JobService& jobs;
  jobs::EventLog& log;
  EventStreams& streams;
  notifications::Service& notifications;
  auth::Authenticator& credentials;
  const net::AddressFilter& addresses;
  const queue::DataFolder& folder;
  queue::DiskQuota& quota;
  BlockingPool& blocking;
  Rng& rng;
  const Clock& clock;
  const queue::Rates& rates;
  webhooks::WebhookStore& webhooks;
  std::function<void()> deliver;  // something is due to a webhook
  queue::ScheduleRunner& schedules;
  Limits limits;
};

/// A handler behind the token check: it knows who asks.
using UserHandler = std::function<Task<net::Response>(net::Request& request, auth::Identity identity)>;

/// `handler` behind a check of who asks (api/credentials.h), for which nothing of the body is waited for; 401 or 403 as
/// problem+json where it fails. `query` are the names of the route's query parameters; other ones, and what the handler
/// left in `Request::ignored`, are named in the answer.
net::Handler with_user(const Context& context, UserHandler handler, std::vector<std::string_view> query = {});

/// `handler` of a route that takes no body: members of one are not known.
UserHandler without_body(UserHandler handler);

/// `handler` with the context before its other arguments.
template <class Handler>
UserHandler bound(const Context& context, Handler handler) {
  return [&context, handler](net::Request& request, auth::Identity identity) {
    return handler(context, request, std::move(identity));
  };
}

/// Adds a route of users to a handler that takes the context.
template <class Handler>
void add_user_route(net::Router& router, const Context& context, const char* method, const char* pattern,
                    Handler handler, std::vector<std::string_view> query = {},
                    net::RouteOptions options = net::RouteOptions()) {
  router.add(method, pattern, with_user(context, bound(context, handler), std::move(query)), options);
}

/// `unsupported` (CONTENT_TYPE) for a charset other than UTF-8, which JSON has alone (RFC 8259, 8.1).
Result<void> check_charset(std::string_view content_type);

/// The request's JSON object, once its body is here.
/// Errors: `malformed` (NOT_JSON); `unsupported` for another content type, before the body; those of the body.
Task<Result<json::object>> json_body(net::Request& request);
/// The same where a body may be left out: an empty object then.
Task<Result<json::object>> optional_json_body(net::Request& request);

/// The query parameter `name` as a number, or `otherwise` where it is absent.
/// Errors: `invalid_argument` (QUERY_INVALID), naming it and its bounds.
Result<int> query_number(const net::Request& request, std::string_view name, int otherwise, int least, int most);

/// Adds all of the routes below.
void add_routes(net::Router& router, const Context& context);

// One function a resource, each in a file of its own: adds its routes.
void add_submit_routes(net::Router& router, const Context& context);
void add_bulk_route(net::Router& router, const Context& context);
void add_usage_route(net::Router& router, const Context& context);
void add_upload_route(net::Router& router, const Context& context);
void add_job_routes(net::Router& router, const Context& context);
void add_job_event_route(net::Router& router, const Context& context);
void add_history_routes(net::Router& router, const Context& context);
void add_notification_routes(net::Router& router, const Context& context);
void add_webhook_routes(net::Router& router, const Context& context);
void add_schedule_routes(net::Router& router, const Context& context);
void add_operator_routes(net::Router& router, const Context& context);
void add_file_routes(net::Router& router, const Context& context);
void add_credential_routes(net::Router& router, const Context& context);

}  // namespace rushes::api
