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
  co_return net::json_response(200, to_json(*report, context.rates));
}

Task<net::Response> report_job(const Context& context, net::Request& request, auth::Identity identity) {
  (void)identity;
  const auto report = co_await context.jobs.queries().report_job(JobId(request.params.at("id")));
  if (!report) co_return net::problem(report.error());
  co_return net::json_response(200, to_json(*report, context.limits.max_running_per_user, context.clock.now()));
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

Error bad_member(std::string_view name, const json::value& value, std::string_view allowed) {
  return invalid(std::string(name) + " " + shown(value) + " is not allowed; write " + std::string(allowed) + ".");
}

Error unknown_member(std::string_view name, std::string_view allowed) {
  return invalid(shorten(name, 40) + " is unknown; allowed: " + std::string(allowed) + ".");
}

/// A member that says nothing, empty or null, is refused: it would widen what is redriven.
Result<void> read_text(std::string_view name, const json::value& value, std::string& text) {
  if (!value.is_string() || value.get_string().empty()) return bad_member(name, value, "a text that is not empty");
  text = value.get_string();
  return {};
}

Result<void> read_redrive(const json::object& body, std::string_view name, jobs::DeadFilter& filter, bool& all) {
  const auto& value = body.at(name);
  std::string text;
  if (name == "all") {
    if (!value.is_bool()) return bad_member(name, value, "true or false");
    all = value.get_bool();
  } else if (name == "limit") {
    const auto limit = int_member(body, name).value_or(0);
    if (limit < 1 || limit > kMostRedriven) return bad_member(name, value, "a number from 1 to 1000000");
    filter.limit = static_cast<int>(limit);
  } else if (name == "type") {
    const auto type = jobs::parse_job_type(value.is_string() ? std::string_view(value.get_string()) : "");
    if (!type) return bad_member(name, value, "youtube, upload or transcript");
    filter.type = *type;
  } else if (name == "jobId" || name == "userId" || name == "code") {
    if (auto read = read_text(name, value, text); !read) return read;
    if (name == "jobId") filter.job = JobId(std::move(text));
    if (name == "userId") filter.user = UserId(std::move(text));
    if (name == "code") filter.code = std::move(text);
  } else {
    return unknown_member(name, "jobId, userId, type, code, all, limit");
  }
  return {};
}

Task<net::Response> redrive(const Context& context, net::Request& request, auth::Identity identity) {
  (void)identity;
  const auto body = json_body(request);
  if (!body) co_return net::problem(body.error());
  jobs::DeadFilter filter;
  filter.limit = kMostRedriven;
  bool all = false;
  for (const auto& member : *body) {
    if (auto read = read_redrive(*body, member.key(), filter, all); !read) co_return net::problem(read.error());
  }
  if (!filter.job && !filter.user && !filter.type && filter.code.empty() && !all) {
    co_return net::problem(invalid("Name which failed jobs: jobId, userId, type or code; or all: true."));
  }
  const auto redriven = co_await context.jobs.redrive(std::move(filter));
  if (!redriven) co_return net::problem(redriven.error());
  const json::object answer{{"redriven", *redriven}};
  co_return net::json_response(200, answer);
}

Result<void> read_setting(const json::object& body, std::string_view name, jobs::TypeSettings& settings) {
  const auto& value = body.at(name);
  if (name == "paused") {
    if (!value.is_bool()) return bad_member(name, value, "true or false");
    settings.paused = value.get_bool();
  } else if (name == "maxRunning") {
    const auto number = int_member(body, name).value_or(0);
    if (!value.is_null() && (number < 1 || number > 100'000)) {
      return bad_member(name, value, "a number from 1 to 100000, or null for no limit");
    }
    settings.max_running.reset();
    if (!value.is_null()) settings.max_running = static_cast<int>(number);
  } else {
    return unknown_member(name, "paused, maxRunning");
  }
  return {};
}

Task<net::Response> set_type(const Context& context, net::Request& request, auth::Identity identity) {
  (void)identity;
  const auto type = jobs::parse_job_type(request.params.at("type"));
  if (!type) co_return net::problem(Error::for_user(Errc::not_found, "TYPE_UNKNOWN", type.error().what()));
  const auto body = json_body(request);
  if (!body) co_return net::problem(body.error());
  const auto report = co_await context.jobs.queries().report(0);
  if (!report) co_return net::problem(report.error());
  auto settings = report->types[static_cast<std::size_t>(*type)].settings;
  for (const auto& member : *body) {
    if (auto read = read_setting(*body, member.key(), settings); !read) co_return net::problem(read.error());
  }
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
  const auto add = [&](const char* method, const char* pattern, auto handler) {
    router.add(
        method, pattern,
        with_user(context, [&context, handler](net::Request& request, auth::Identity identity) -> Task<net::Response> {
          if (identity.role != "admin") return refuse();
          return handler(context, request, std::move(identity));
        }));
  };
  add("GET", "/admin/queue", report);
  add("GET", "/admin/jobs/{id}", report_job);
  add("GET", "/admin/dead", dead);
  add("POST", "/admin/dead/redrive", redrive);
  add("POST", "/admin/types/{type}", set_type);
}

}  // namespace rushes::api
