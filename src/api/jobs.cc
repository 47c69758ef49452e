#include "api/report_json.h"
#include "api/submission.h"
#include "base/rfc3339.h"
#include "jobs/job_json.h"

#include <filesystem>

namespace rushes::api {
namespace {

JobId job_of(const net::Request& request) { return JobId(request.params.at("id")); }

/// Adds until when an ended job about a file can be retried or restarted: null where the file is gone.
Task<Result<void>> tell_until(const Context& context, const jobs::Job& job, json::object& answer) {
  if (!is_end(job.state) || job.type != jobs::JobType::upload) co_return Result<void>();
  const auto upload = string_member(jobs::input_of(job), "upload");
  if (!upload) co_return Result<void>();
  JobId id(*upload);
  const auto until = co_await context.quota.kept_until(std::move(id));
  if (until && !*until) co_return Result<void>();
  if (!until && until.error().code() != Errc::not_found) co_return until.error();
  answer["retryUntil"] = until ? json::value(to_rfc3339(**until)) : json::value(nullptr);
  co_return Result<void>();
}

Task<net::Response> status(const Context& context, net::Request& request, auth::Identity identity) {
  const auto job = co_await context.jobs.queries().find(identity.user, job_of(request));
  if (!job) co_return net::problem(job.error());
  std::optional<json::object> result;
  if (job->state == jobs::JobState::completed && job->audit) {
    auto analysis = co_await context.jobs.queries().analysis(identity.user, *job->audit);
    if (analysis) {
      result = std::move(analysis->result);
    } else if (analysis.error().code() != Errc::not_found) {  // deleted since: the job stays, without it
      co_return net::problem(analysis.error());
    }
  }
  auto answer = jobs::job_status(*job, std::move(result));
  const auto told = co_await tell_until(context, *job, answer);
  if (!told) co_return net::problem(told.error());
  co_return net::json_response(200, answer);
}

Task<net::Response> cancel(const Context& context, net::Request& request, auth::Identity identity) {
  const auto cancelled = co_await context.jobs.cancel(identity.user, job_of(request));
  if (!cancelled) co_return net::problem(cancelled.error());
  const json::object answer{{"cancelled", true}, {"message", "Job cancelled by user"}};
  co_return net::json_response(200, answer);
}

/// Errors: `conflict` (UPLOAD_GONE) where the job is about a file that is no longer kept.
Task<Result<void>> check_upload(const Context& context, const UserId& user, const JobId& job) {
  const auto found = co_await context.jobs.queries().find(user, job);
  if (!found) co_return found.error();
  const auto upload = string_member(jobs::input_of(*found), "upload");
  if (!upload) co_return Result<void>();
  auto look = [file = context.folder.upload(JobId(*upload)) / "source"] {
    std::error_code failed;
    return std::filesystem::exists(file, failed);
  };
  const bool there = co_await context.blocking.run(std::move(look));
  if (there) co_return Result<void>();
  co_return Error::for_user(
      Errc::conflict, "UPLOAD_GONE",
      "The uploaded file of this job is no longer kept (see retryUntil of its status); upload it again.");
}

Task<net::Response> retry(const Context& context, net::Request& request, auth::Identity identity) {
  const auto id = job_of(request);
  const auto there = co_await check_upload(context, identity.user, id);
  if (!there) co_return net::problem(there.error());
  auto charge = context.jobs.charge(identity.user, 1);
  if (charge.wait()) co_return over_rate(context, *charge.wait());
  const auto job = co_await context.jobs.retry(identity.user, id);
  if (!job) co_return net::problem(job.error());
  charge.keep(1);
  const json::object answer{{"success", true}, {"newJobId", job->id.value()}, {"message", job->message}};
  co_return net::json_response(200, answer);
}

Task<net::Response> restart(const Context& context, net::Request& request, auth::Identity identity) {
  const auto id = job_of(request);
  const auto there = co_await check_upload(context, identity.user, id);
  if (!there) co_return net::problem(there.error());
  auto charge = context.jobs.charge(identity.user, 1);
  if (charge.wait()) co_return over_rate(context, *charge.wait());
  const auto job = co_await context.jobs.restart(identity.user, id);
  if (!job) co_return net::problem(job.error());
  charge.keep(1);
  const json::object answer{{"success", true}, {"jobId", job->id.value()}, {"message", job->message}};
  co_return net::json_response(200, answer);
}

Result<jobs::JobFilter> read_filter(const net::Request& request) {
  jobs::JobFilter filter;
  if (const auto word = request.query_param("status"); word && !word->empty()) {
    const auto state = jobs::parse_job_state(*word);
    if (!state) return Error::for_user(Errc::invalid_argument, "QUERY_INVALID", state.error().what());
    filter.state = *state;
  }
  if (const auto word = request.query_param("type"); word && !word->empty()) {
    const auto type = jobs::parse_job_type(*word);
    if (!type) return Error::for_user(Errc::invalid_argument, "QUERY_INVALID", type.error().what());
    filter.type = *type;
  }
  const auto limit = query_number(request, "limit", filter.limit, 1, 200);
  if (!limit) return limit.error();
  filter.limit = *limit;
  filter.cursor = request.query_param("cursor").value_or("");
  return filter;
}

Task<net::Response> list(const Context& context, net::Request& request, auth::Identity identity) {
  auto filter = read_filter(request);
  if (!filter) co_return net::problem(filter.error());
  const auto page = co_await context.jobs.queries().list(identity.user, std::move(*filter));
  if (!page) co_return net::problem(page.error());
  json::array all;
  for (const auto& job : page->jobs) all.push_back(jobs::job_summary(job));
  json::object answer{{"jobs", std::move(all)}};
  if (!page->next_cursor.empty()) answer["nextCursor"] = page->next_cursor;
  co_return net::json_response(200, answer);
}

Task<net::Response> attempts(const Context& context, net::Request& request, auth::Identity identity) {
  const auto attempts = co_await context.jobs.queries().attempts(identity.user, job_of(request));
  if (!attempts) co_return net::problem(attempts.error());
  json::array all;
  for (const auto& attempt : *attempts) all.push_back(to_json(attempt, false));
  const json::object answer{{"attempts", std::move(all)}};
  co_return net::json_response(200, answer);
}

}  // namespace

void add_job_routes(net::Router& router, const Context& context) {
  const auto add = [&](const char* method, const char* pattern, auto handler, Names query = {}) {
    router.add(method, pattern, with_user(context, without_body(bound(context, handler)), std::move(query)));
  };
  add("GET", "/analyze/jobs", list, {"status", "type", "cursor", "limit"});
  add("GET", "/analyze/job/{id}/status", status);
  add("GET", "/analyze/job/{id}/attempts", attempts);
  add("POST", "/analyze/job/{id}/cancel", cancel);
  add("POST", "/analyze/job/{id}/retry", retry);
  add("POST", "/analyze/job/{id}/restart", restart);
}

}  // namespace rushes::api
