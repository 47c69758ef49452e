#include "api/submit.h"

#include "base/text.h"
#include "jobs/job_json.h"

namespace rushes::api {
namespace {

constexpr std::size_t kMaxConfiguredText = 500;
constexpr std::size_t kMaxIdempotencyKey = 255;
// JSON may need six bytes for one of the text (backslash u and four digits); few texts need two.
constexpr std::size_t kJsonOverhead = 2;

Error bad_value(std::string_view member, std::string_view why) {
  return Error::for_user(Errc::invalid_argument, "CONFIGURATION_INVALID",
                         "configuration." + std::string(member) + " " + std::string(why) + ".");
}

Task<net::Response> submit_video(const Context& context, net::Request& request, auth::Identity identity) {
  const auto body = json_body(request);
  if (!body) co_return net::problem(body.error());
  auto configuration = read_configuration(body->if_contains("configuration"));
  if (!configuration) co_return net::problem(configuration.error());
  const auto* asked = body->if_contains("configuration");
  const auto named = asked != nullptr && asked->is_object() ? string_member(asked->get_object(), "url") : std::nullopt;
  if (!named || named->empty()) {
    co_return net::problem(Error::for_user(Errc::invalid_argument, "URL_MISSING",
                                           "configuration.url is missing: the address of the video."));
  }
  auto url = context.addresses.check_url(*named);
  if (!url) co_return net::problem(url.error());

  auto job = begin_job(context, request, identity, jobs::JobType::youtube);
  if (!job) co_return net::problem(job.error());
  job->url = url->url;
  (*configuration)["url"] = url->url;
  job->input = json::serialize(json::object{{"configuration", std::move(*configuration)}});
  co_return co_await submit(context, std::move(*job));
}

Task<net::Response> submit_transcript(const Context& context, net::Request& request, auth::Identity identity) {
  auto body = json_body(request);
  if (!body) co_return net::problem(body.error());
  auto configuration = read_configuration(body->if_contains("configuration"));
  if (!configuration) co_return net::problem(configuration.error());
  auto transcript = string_member(*body, "transcript");
  if (!transcript || trim(*transcript).empty()) {
    co_return net::problem(Error::for_user(Errc::invalid_argument, "TRANSCRIPT_EMPTY",
                                           "transcript is missing or empty: send the text, SRT or WebVTT."));
  }
  if (transcript->size() > context.limits.max_transcript_bytes) {
    co_return net::problem(Error::for_user(Errc::too_large, "TRANSCRIPT_TOO_LARGE",
                                           "The transcript has " + to_human_size(transcript->size()) + "; at most " +
                                               to_human_size(context.limits.max_transcript_bytes) +
                                               " are taken. Send it in parts."));
  }
  auto job = begin_job(context, request, identity, jobs::JobType::transcript);
  if (!job) co_return net::problem(job.error());
  job->title = string_member(*configuration, "title").value_or(std::string());
  job->input =
      json::serialize(json::object{{"configuration", std::move(*configuration)}, {"size", transcript->size()}});
  job->body = std::move(*transcript);
  co_return co_await submit(context, std::move(*job));
}

}  // namespace

Result<json::object> read_configuration(const json::value* configuration) {
  json::object kept;
  if (configuration == nullptr || configuration->is_null()) return kept;
  if (!configuration->is_object()) {
    return Error::for_user(Errc::invalid_argument, "CONFIGURATION_INVALID", "configuration is not an object.");
  }
  for (const auto* name : {"language", "tone", "title"}) {
    const auto* member = configuration->get_object().if_contains(name);
    if (member == nullptr || member->is_null()) continue;
    if (!member->is_string()) return bad_value(name, "is not a text");
    const std::string_view text = member->get_string();
    if (text.size() > kMaxConfiguredText) return bad_value(name, "is longer than 500 bytes");
    kept[name] = text;
  }
  return kept;
}

Result<jobs::NewJob> begin_job(const Context& context, const net::Request& request, const auth::Identity& identity,
                               jobs::JobType type) {
  jobs::NewJob job;
  job.idempotency_key = request.headers.find("idempotency-key").value_or("");
  if (job.idempotency_key.size() > kMaxIdempotencyKey || !is_utf8(job.idempotency_key)) {
    return Error::for_user(Errc::invalid_argument, "IDEMPOTENCY_KEY",
                           "The Idempotency-Key is longer than 255 bytes or not UTF-8.");
  }
  job.id = context.jobs.new_job_id();
  job.user = identity.user;
  job.type = type;
  job.max_attempts = context.limits.max_attempts;
  return job;
}

Task<net::Response> submit(const Context& context, jobs::NewJob job) {
  const auto submitted = co_await context.jobs.submit(std::move(job));
  if (!submitted) co_return net::problem(submitted.error());
  co_return net::json_response(201, jobs::submit_answer(submitted->job));
}

void add_submit_routes(net::Router& router, const Context& context) {
  router.add("POST", "/analyze/video", with_user(context, [&context](net::Request& request, auth::Identity identity) {
               return submit_video(context, request, std::move(identity));
             }));
  net::RouteOptions options;
  options.max_body = context.limits.max_transcript_bytes * kJsonOverhead;
  router.add("POST", "/analyze/transcript",
             with_user(context,
                       [&context](net::Request& request, auth::Identity identity) {
                         return submit_transcript(context, request, std::move(identity));
                       }),
             options);
}

}  // namespace rushes::api
