#include "api/submission.h"

#include "api/request_digest.h"
#include "base/json_writer.h"
#include "base/plain_text.h"
#include "base/rfc3339.h"
#include "base/text.h"
#include "jobs/job_json.h"
#include "jobs/transitions.h"

#include <algorithm>

namespace rushes::api {
namespace {

constexpr std::size_t kMaxConfiguredText = 500;
constexpr std::size_t kMaxKey = 255;
constexpr int kLeastPriority = -10;
constexpr std::chrono::days kLongestDelay{366};

Error bad_option(std::string_view path, std::string_view member, const std::string& why) {
  return Error::for_user(Errc::invalid_argument, "OPTIONS_INVALID",
                         std::string(path) + std::string(member) + " " + why + ".");
}

bool is_key(std::string_view text) { return text.size() <= kMaxKey && is_utf8(text); }

Result<void> set_run_at(const Context& context, const Members& options, jobs::NewJob& job) {
  const auto* value = options.find("runAt");
  if (value == nullptr) return {};
  job.run_at = value->is_string() ? parse_rfc3339(value->get_string()) : std::nullopt;
  if (!job.run_at) {
    return options.wrong("runAt", "is no time of RFC 3339, such as \"2026-01-31T18:00:00Z\" or with +01:00");
  }
  if (*job.run_at > context.clock.now() + kLongestDelay) {
    return bad_option(options.path(), "runAt", to_rfc3339(*job.run_at) + " is more than a year ahead");
  }
  return {};
}

Result<void> set_unique_key(const Members& options, jobs::NewJob& job) {
  const auto* value = options.find("uniqueKey");
  if (value == nullptr) return {};
  if (!value->is_string() || value->get_string().empty() || !is_key(value->get_string())) {
    return options.wrong("uniqueKey", "is no text of 1 to 255 bytes of UTF-8");
  }
  job.unique_key = value->get_string();
  return {};
}

}  // namespace

Result<json::object> read_configuration(const json::value* configuration, jobs::JobType type, const std::string& path,
                                        Unknown& unknown) {
  json::object kept;
  if (configuration == nullptr || configuration->is_null()) return kept;
  if (!configuration->is_object()) {
    return Error::for_user(Errc::invalid_argument, "CONFIGURATION_INVALID",
                           path + "configuration " + shown(*configuration) + " is not an object.");
  }
  const bool video = type == jobs::JobType::youtube;
  const Names plain{"language", "title", "tone"};
  const Names with_url{"language", "title", "tone", "url"};
  const Members members(configuration->get_object(), "CONFIGURATION_INVALID", path + "configuration.",
                        video ? with_url : plain, unknown);
  for (const auto name : plain) {
    auto text = members.text(name, kMaxConfiguredText);
    if (!text) return text.error();
    if (*text) kept[name] = plain_line(**text);
  }
  if (!video) return kept;
  auto url = members.text("url");
  if (!url) return url.error();
  if (*url) kept["url"] = **url;
  return kept;
}

jobs::NewJob begin_job(const Context& context, const UserId& user, jobs::JobType type) {
  jobs::NewJob job;
  job.id = context.jobs.new_job_id();
  job.user = user;
  job.type = type;
  job.max_attempts = context.limits.max_attempts;
  return job;
}

Result<jobs::NewJob> read_video(const Context& context, const UserId& user, const Members& body, Unknown& unknown) {
  auto configuration = read_configuration(body.find("configuration"), jobs::JobType::youtube, body.path(), unknown);
  if (!configuration) return configuration.error();
  const auto named = string_member(*configuration, "url").value_or("");
  if (named.empty()) {
    return Error::for_user(Errc::invalid_argument, "URL_MISSING",
                           body.path() + "configuration.url is missing: the address of the video.");
  }
  auto url = context.addresses.check_url(named);
  if (!url) return url.error();
  auto job = begin_job(context, user, jobs::JobType::youtube);
  if (auto set = read_options(context, body.find("options"), body.path(), job, unknown); !set) return set.error();
  job.url = url->url;
  (*configuration)["url"] = url->url;
  job.input = to_json_text(json::object{{"configuration", std::move(*configuration)}});
  return job;
}

Result<jobs::NewJob> read_transcript(const Context& context, const UserId& user, const Members& body,
                                     Unknown& unknown) {
  auto configuration = read_configuration(body.find("configuration"), jobs::JobType::transcript, body.path(), unknown);
  if (!configuration) return configuration.error();
  const auto* asked = body.find("transcript");
  if (asked == nullptr || !asked->is_string() || trim(asked->get_string()).empty()) {
    const bool text = asked == nullptr || asked->is_string();
    return Error::for_user(Errc::invalid_argument, "TRANSCRIPT_EMPTY",
                           body.path() + "transcript " +
                               (text ? "is missing or empty" : shown(*asked) + " is not a text") +
                               ": send the text, SRT or WebVTT.");
  }
  const auto bytes = asked->get_string().size();
  if (bytes > context.limits.max_transcript_bytes) {
    return Error::for_user(Errc::too_large, "TRANSCRIPT_TOO_LARGE",
                           "The transcript has " + std::to_string(bytes) + " bytes; at most " +
                               std::to_string(context.limits.max_transcript_bytes) + " (" +
                               to_human_size(context.limits.max_transcript_bytes) + ") are taken. Send it in parts.");
  }
  auto job = begin_job(context, user, jobs::JobType::transcript);
  if (auto set = read_options(context, body.find("options"), body.path(), job, unknown); !set) return set.error();
  job.title = string_member(*configuration, "title").value_or(std::string());
  job.input = JsonWriter().add("configuration", *configuration).add("size", bytes).take();
  job.body = asked->get_string();
  return job;
}

Result<void> read_options(const Context& context, const json::value* options, const std::string& path,
                          jobs::NewJob& job, Unknown& unknown) {
  if (options == nullptr || options->is_null()) return {};
  if (!options->is_object()) {
    return Error::for_user(Errc::invalid_argument, "OPTIONS_INVALID",
                           path + "options " + shown(*options) + " is not an object.");
  }
  const Members members(options->get_object(), "OPTIONS_INVALID", path + "options.", {"priority", "runAt", "uniqueKey"},
                        unknown);
  // The highest of this server.
  const auto priority = members.number("priority", kLeastPriority, context.limits.max_priority);
  if (!priority) return priority.error();
  job.priority = static_cast<int>(priority->value_or(0));
  if (auto set = set_run_at(context, members, job); !set) return set;
  return set_unique_key(members, job);
}

Result<void> set_idempotency_key(std::string_view key, jobs::NewJob& job) {
  if (!is_key(key)) {
    return Error::for_user(Errc::invalid_argument, "IDEMPOTENCY_KEY",
                           "The Idempotency-Key is longer than 255 bytes or not UTF-8.");
  }
  job.idempotency_key = key;
  if (!key.empty() && job.type != jobs::JobType::upload) job.request_digest = request_digest(job, Sha256::of(job.body));
  return {};
}

Result<void> set_idempotency_key(const net::Request& request, jobs::NewJob& job) {
  return set_idempotency_key(request.headers.get("idempotency-key"), job);
}

net::Response answer_of(const jobs::Submission& submitted) {
  // What was asked for then is not told: the key is all that this request has of it.
  if (submitted.reused) return net::problem(key_reused("this Idempotency-Key"));
  return net::json_text_response(201, jobs::submit_answer(submitted.job));
}

Error key_reused(std::string_view key) {
  return Error::for_user(Errc::invalid_argument, "IDEMPOTENCY_KEY_REUSED",
                         "Another request was sent with " + std::string(key) + "; send this one with a new key.");
}

net::Response key_in_use(std::string_view key, std::chrono::seconds wait) {
  auto answer = net::problem(Error::for_user(
      Errc::conflict, "IDEMPOTENCY_KEY_IN_USE",
      "A request with " + std::string(key) + " is still being received or stored; send this one again later."));
  answer.headers.set("Retry-After", std::to_string(wait.count()));
  return answer;
}

net::Response over_rate(const Context& context, std::chrono::nanoseconds wait) {
  const auto seconds = std::max(std::chrono::seconds(1), std::chrono::ceil<std::chrono::seconds>(wait));
  auto answer = net::problem(jobs::rate_limited(context.jobs.limits().submits_per_minute, seconds));
  answer.headers.set("Retry-After", std::to_string(seconds.count()));
  return answer;
}

Task<net::Response> submitted_before(const Context& context, jobs::NewJob job, std::chrono::nanoseconds wait) {
  if (job.idempotency_key.empty() && job.unique_key.empty()) co_return over_rate(context, wait);
  const auto known = co_await context.jobs.submitted_before(std::move(job));
  if (!known) co_return over_rate(context, wait);
  co_return answer_of(*known);
}

}  // namespace rushes::api
