// What operators see and do: of all users, for tokens whose claim `role` is `admin`.
#include "api/context.h"
#include "api/report_json.h"
#include "api/submission.h"
#include "base/text.h"
#include "jobs/job_json.h"

namespace rushes::api {
namespace {

constexpr int kMostRedriven = 1'000'000;

Error invalid(std::string message) {
  return Error::for_user(Errc::invalid_argument, "BODY_INVALID", std::move(message));
}

Task<net::Response> report(const Context& context, net::Request& request, auth::Identity identity) {
  (void)identity;
  const auto users = query_number(request, "users", 20, 0, 1000);
  if (!users) co_return net::problem(users.error());
  const auto report = co_await context.jobs.queries().report(*users);
  if (!report) co_return net::problem(report.error());
  const auto stored = co_await context.quota.stored();
  if (!stored) co_return net::problem(stored.error());
  auto answer = to_json(*report, context.rates);
  const auto& counts = context.quota.counts();
  const auto limit = context.quota.options().max_bytes_per_user;
  answer["storage"] = {{"uploads", stored->uploads},
                       {"results", stored->results},
                       {"reserved", context.quota.reserved()},
                       {"limitPerUser", limit == 0 ? json::value(nullptr) : json::value(limit)},
                       {"refused", counts.refused.value() + counts.no_room.value()}};
  co_return net::json_response(200, answer);
}

Task<net::Response> report_job(const Context& context, net::Request& request, auth::Identity identity) {
  (void)identity;
  const auto report = co_await context.jobs.queries().report_job(JobId(request.params.at("id")));
  if (!report) co_return net::problem(report.error());
  co_return net::json_response(200, to_json(*report, context.clock.now()));
}

Result<jobs::DeadFilter> read_filter(const net::Request& request) {
  jobs::DeadFilter filter;
  if (auto job = request.query_param("jobId"); job && !job->empty()) filter.job = JobId(std::move(*job));
  if (auto user = request.query_param("userId"); user && !user->empty()) filter.user = UserId(std::move(*user));
  if (const auto word = request.query_param("type"); word && !word->empty()) {
    const auto type = jobs::parse_job_type(*word);
    if (!type) return Error::for_user(Errc::invalid_argument, "QUERY_INVALID", type.error().what());
    filter.type = *type;
  }
  filter.code = request.query_param("code").value_or("");
  return filter;
}

Task<net::Response> dead(const Context& context, net::Request& request, auth::Identity identity) {
  (void)identity;
  auto filter = read_filter(request);
  if (!filter) co_return net::problem(filter.error());
  const auto limit = query_number(request, "limit", filter->limit, 1, 200);
  if (!limit) co_return net::problem(limit.error());
  filter->limit = *limit;
  filter->cursor = request.query_param("cursor").value_or("");
  const auto page = co_await context.jobs.queries().dead(std::move(*filter));
  if (!page) co_return net::problem(page.error());
  json::array all;
  for (const auto& job : page->jobs) {
    auto entry = jobs::job_summary(job);
    entry["userId"] = job.user.value();
    all.push_back(std::move(entry));
  }
  json::object answer{{"jobs", std::move(all)}};
  if (!page->next_cursor.empty()) answer["nextCursor"] = page->next_cursor;
  co_return net::json_response(200, answer);
}

/// A member that says nothing, empty or null, is refused: it would widen what is redriven.
Result<std::string> filled_text(const Members& body, const json::object& object, std::string_view name) {
  if (!object.contains(name)) return std::string();
  const auto text = body.text(name);
  if (!text || !*text || (*text)->empty()) return body.wrong(name, "is not allowed; write a text that is not empty");
  return **text;
}

struct Redrive {
  jobs::DeadFilter filter;
  bool all = false;
};

Result<Redrive> read_redrive(const json::object& object, Unknown& unknown) {
  const Members body(object, "BODY_INVALID", "", {"jobId", "userId", "type", "code", "all", "limit"}, unknown);
  Redrive redrive;
  const auto all = body.flag("all");
  if (!all) return all.error();
  redrive.all = all->value_or(false);
  const auto limit = body.number("limit", 1, kMostRedriven);
  if (!limit) return limit.error();
  redrive.filter.limit = static_cast<int>(limit->value_or(kMostRedriven));
  auto job = filled_text(body, object, "jobId");
  auto user = filled_text(body, object, "userId");
  auto code = filled_text(body, object, "code");
  const auto type = filled_text(body, object, "type");
  for (const auto* text : {&std::as_const(job), &std::as_const(user), &std::as_const(code), &type}) {
    if (!*text) return text->error();
  }
  if (!type->empty()) {
    const auto parsed = jobs::parse_job_type(*type);
    if (!parsed) return body.wrong("type", "is not allowed; write youtube, upload or transcript");
    redrive.filter.type = *parsed;
  }
  if (!job->empty()) redrive.filter.job = JobId(std::move(*job));
  if (!user->empty()) redrive.filter.user = UserId(std::move(*user));
  redrive.filter.code = std::move(*code);
  return redrive;
}

Task<net::Response> redrive(const Context& context, net::Request& request, auth::Identity identity) {
  (void)identity;
  const auto body = co_await json_body(request);
  if (!body) co_return net::problem(body.error());
  Unknown unknown;
  auto asked = read_redrive(*body, unknown);
  if (!asked) co_return net::problem(asked.error());
  if (auto allowed = allow_unknown(request, std::move(unknown)); !allowed) co_return net::problem(allowed.error());
  auto& filter = asked->filter;
  if (!filter.job && !filter.user && !filter.type && filter.code.empty() && !asked->all) {
    co_return net::problem(invalid("Name which failed jobs: jobId, userId, type or code; or all: true."));
  }
  const auto redriven = co_await context.jobs.redrive(std::move(filter));
  if (!redriven) co_return net::problem(redriven.error());
  const json::object answer{{"redriven", *redriven}};
  co_return net::json_response(200, answer);
}

/// `settings` with what the body changes. A limit of null is none.
Result<void> read_settings(const json::object& object, jobs::TypeSettings& settings, Unknown& unknown) {
  const Members body(object, "BODY_INVALID", "", {"paused", "maxRunning"}, unknown);
  const auto paused = body.flag("paused");
  if (!paused) return paused.error();
  settings.paused = paused->value_or(settings.paused);
  const auto number = body.number("maxRunning", 1, 100'000);
  if (!number) return body.wrong("maxRunning", "is not allowed; write a number from 1 to 100000, or null for no limit");
  if (!object.contains("maxRunning")) return {};
  settings.max_running.reset();
  if (*number) settings.max_running = static_cast<int>(**number);
  return {};
}

Task<net::Response> set_type(const Context& context, net::Request& request, auth::Identity identity) {
  (void)identity;
  const auto type = jobs::parse_job_type(request.params.at("type"));
  if (!type) co_return net::problem(Error::for_user(Errc::not_found, "TYPE_UNKNOWN", type.error().what()));
  const auto body = co_await json_body(request);
  if (!body) co_return net::problem(body.error());
  const auto report = co_await context.jobs.queries().report(0);
  if (!report) co_return net::problem(report.error());
  auto settings = report->types[static_cast<std::size_t>(*type)].settings;
  Unknown unknown;
  if (auto read = read_settings(*body, settings, unknown); !read) co_return net::problem(read.error());
  if (auto allowed = allow_unknown(request, std::move(unknown)); !allowed) co_return net::problem(allowed.error());
  const auto set = co_await context.jobs.set_type(*type, settings);
  if (!set) co_return net::problem(set.error());
  json::object answer{{"type", to_string(*type)}, {"paused", settings.paused}};
  answer["maxRunning"] = settings.max_running ? json::value(*settings.max_running) : json::value(nullptr);
  co_return net::json_response(200, answer);
}

Task<net::Response> refuse() {
  co_return net::problem(
      Error::for_user(Errc::forbidden, "OPERATORS_ONLY", "This needs a token whose claim `role` is `admin`."));
}

}  // namespace

void add_operator_routes(net::Router& router, const Context& context) {
  const auto add = [&](const char* method, const char* pattern, auto handler, Names query = {}) {
    router.add(method, pattern,
               with_user(
                   context,
                   [&context, handler](net::Request& request, auth::Identity identity) -> Task<net::Response> {
                     if (identity.role != "admin") return refuse();
                     return handler(context, request, std::move(identity));
                   },
                   std::move(query)));
  };
  add("GET", "/admin/queue", report, {"users"});
  add("GET", "/admin/jobs/{id}", report_job);
  add("GET", "/admin/dead", dead, {"jobId", "userId", "type", "code", "cursor", "limit"});
  add("POST", "/admin/dead/redrive", redrive);
  add("POST", "/admin/types/{type}", set_type);
}

}  // namespace rushes::api
