#include "api/submission.h"
#include "jobs/job_json.h"

namespace rushes::api {
namespace {

// JSON may need six bytes for one of the text (backslash u and four digits); few texts need two.
constexpr std::size_t kJsonOverhead = 2;

using Reader = Result<jobs::NewJob> (*)(const Context& context, const UserId& user, const json::object& body);

Task<net::Response> submit(const Context& context, Reader read, net::Request& request, auth::Identity identity) {
  const auto body = json_body(request);
  if (!body) co_return net::problem(body.error());
  auto job = read(context, identity.user, *body);
  if (!job) co_return net::problem(job.error());
  if (auto keyed = set_idempotency_key(request, *job); !keyed) co_return net::problem(keyed.error());
  auto charge = context.jobs.charge(identity.user, 1);
  if (charge.wait()) co_return co_await submitted_before(context, std::move(*job), *charge.wait());
  const auto submitted = co_await context.jobs.submit(std::move(*job));
  if (!submitted) co_return net::problem(submitted.error());
  if (!submitted->existed) charge.keep(1);
  co_return net::json_text_response(201, jobs::submit_answer(submitted->job));
}

}  // namespace

void add_submit_routes(net::Router& router, const Context& context) {
  const auto add = [&](const char* pattern, Reader read, net::RouteOptions options) {
    router.add("POST", pattern,
               with_user(context,
                         [&context, read](net::Request& request, auth::Identity identity) {
                           return submit(context, read, request, std::move(identity));
                         }),
               options);
  };
  add("/analyze/video", read_video, net::RouteOptions());
  net::RouteOptions options;
  options.max_body = context.limits.max_transcript_bytes * kJsonOverhead;
  add("/analyze/transcript", read_transcript, options);
}

}  // namespace rushes::api
