#include "api/submission.h"
#include "jobs/job_json.h"

namespace rushes::api {
namespace {

// JSON may need six bytes for one of the text (backslash u and four digits); few texts need two.
constexpr std::size_t kJsonOverhead = 2;

using Reader = Result<jobs::NewJob> (*)(const Context& context, const UserId& user, const Members& body,
                                        Unknown& unknown);

struct Kind {
  Reader read;
  Names known;
};

Task<Result<jobs::NewJob>> read_job(const Context& context, Kind kind, net::Request& request, UserId user) {
  const auto body = co_await json_body(request);
  if (!body) co_return body.error();
  Unknown unknown;
  auto job = kind.read(context, user, Members(*body, "BODY_INVALID", "", kind.known, unknown), unknown);
  if (!job) co_return job;
  if (auto allowed = allow_unknown(request, std::move(unknown)); !allowed) co_return allowed.error();
  if (auto keyed = set_idempotency_key(request, *job); !keyed) co_return keyed.error();
  co_return job;
}

Task<net::Response> submit(const Context& context, Kind kind, net::Request& request, auth::Identity identity) {
  auto job = co_await read_job(context, kind, request, identity.user);
  if (!job) co_return net::problem(job.error());
  const auto hold = context.jobs.hold_key(identity.user, job->idempotency_key);
  if (!hold) co_return key_in_use("this Idempotency-Key", std::chrono::seconds(1));
  auto charge = context.jobs.charge(identity.user, 1);
  if (charge.wait()) co_return co_await submitted_before(context, std::move(*job), *charge.wait());
  const auto submitted = co_await context.jobs.submit(std::move(*job));
  if (!submitted) co_return net::problem(submitted.error());
  if (!submitted->existed) charge.keep(1);
  co_return answer_of(*submitted);
}

}  // namespace

void add_submit_routes(net::Router& router, const Context& context) {
  const auto add = [&](const char* pattern, Kind kind, net::RouteOptions options) {
    router.add("POST", pattern,
               with_user(context,
                         [&context, kind](net::Request& request, auth::Identity identity) {
                           return submit(context, kind, request, std::move(identity));
                         }),
               options);
  };
  add("/analyze/video", {read_video, {"configuration", "options"}}, net::RouteOptions());
  net::RouteOptions options;
  options.max_body = context.limits.max_transcript_bytes * kJsonOverhead;
  add("/analyze/transcript", {read_transcript, {"configuration", "options", "transcript"}}, options);
}

}  // namespace rushes::api
