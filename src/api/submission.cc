#include "api/submission.h"

#include "base/json_writer.h"
#include "base/rfc3339.h"
#include "base/text.h"
#include "jobs/job_json.h"
#include "jobs/transitions.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace rushes::api {
namespace {

constexpr std::size_t kMaxConfiguredText = 500;
constexpr std::size_t kMaxKey = 255;
constexpr int kLeastPriority = -10;
constexpr std::chrono::days kLongestDelay{366};

Error bad_value(std::string_view member, std::string_view why) {
  return Error::for_user(Errc::invalid_argument, "CONFIGURATION_INVALID",
                         "configuration." + std::string(member) + " " + std::string(why) + ".");
}

Error bad_option(std::string_view member, const std::string& why) {
  return Error::for_user(Errc::invalid_argument, "OPTIONS_INVALID", "options." + std::string(member) + " " + why + ".");
}

bool is_key(std::string_view text) { return text.size() <= kMaxKey && is_utf8(text); }

Result<void> set_priority(const Context& context, const json::value& value, jobs::NewJob& job) {
  const auto* priority = value.if_int64();
  if (priority == nullptr || *priority < kLeastPriority || *priority > context.limits.max_priority) {
    return bad_option("priority", shown(value) + " is no whole number from " + std::to_string(kLeastPriority) + " to " +
                                      std::to_string(context.limits.max_priority) + ", the highest on this server");
  }
  job.priority = static_cast<int>(*priority);
  return {};
}

Result<void> set_run_at(const Context& context, const json::value& value, jobs::NewJob& job) {
  const auto time = value.is_string() ? parse_rfc3339(value.get_string()) : std::nullopt;
  if (!time) {
    return bad_option("runAt",
                      shown(value) + " is no time of RFC 3339, such as \"2026-01-31T18:00:00Z\" or with +01:00");
  }
  const auto now = context.clock.now();
  if (*time > now + kLongestDelay) return bad_option("runAt", to_rfc3339(*time) + " is more than a year ahead");
  if (*time > now) job.run_at = *time;
  return {};
}

Result<void> set_unique_key(const json::value& value, jobs::NewJob& job) {
  if (!value.is_string() || value.get_string().empty() || !is_key(value.get_string())) {
    return bad_option("uniqueKey", shown(value) + " is no text of 1 to 255 bytes of UTF-8");
  }
  job.unique_key = value.get_string();
  return {};
}

}  // namespace

std::string shown(const json::value& value) {
  // Boost writes 1.5 as 1.5E0.
  return value.is_double() ? fmt::format("{}", value.get_double()) : shorten(json::serialize(value), 60);
}

Result<json::object> read_configuration(const json::value* configuration) {
  json::object kept;
  if (configuration == nullptr || configuration->is_null()) return kept;
  if (!configuration->is_object()) {
    return Error::for_user(Errc::invalid_argument, "CONFIGURATION_INVALID",
                           "configuration " + shown(*configuration) + " is not an object.");
  }
  for (const auto* name : {"language", "tone", "title"}) {
    const auto* member = configuration->get_object().if_contains(name);
    if (member == nullptr || member->is_null()) continue;
    if (!member->is_string()) return bad_value(name, shown(*member) + " is not a text");
    const std::string_view text = member->get_string();
    if (text.size() > kMaxConfiguredText) {
      return bad_value(name, "has " + std::to_string(text.size()) + " bytes; at most 500 are taken");
    }
    kept[name] = text;
  }
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

Result<jobs::NewJob> read_video(const Context& context, const UserId& user, const json::object& body) {
  const auto* asked = body.if_contains("configuration");
  auto configuration = read_configuration(asked);
  if (!configuration) return configuration.error();
  const auto named = asked != nullptr && asked->is_object() ? string_member(asked->get_object(), "url") : std::nullopt;
  if (!named || named->empty()) {
    return Error::for_user(Errc::invalid_argument, "URL_MISSING",
                           "configuration.url is missing: the address of the video.");
  }
  auto url = context.addresses.check_url(*named);
  if (!url) return url.error();
  auto job = begin_job(context, user, jobs::JobType::youtube);
  if (auto set = read_options(context, body.if_contains("options"), job); !set) return set.error();
  job.url = url->url;
  (*configuration)["url"] = url->url;
  job.input = json::serialize(json::object{{"configuration", std::move(*configuration)}});
  return job;
}

Result<jobs::NewJob> read_transcript(const Context& context, const UserId& user, const json::object& body) {
  auto configuration = read_configuration(body.if_contains("configuration"));
  if (!configuration) return configuration.error();
  auto transcript = string_member(body, "transcript");
  if (!transcript || trim(*transcript).empty()) {
    return Error::for_user(Errc::invalid_argument, "TRANSCRIPT_EMPTY",
                           "transcript is missing or empty: send the text, SRT or WebVTT.");
  }
  if (transcript->size() > context.limits.max_transcript_bytes) {
    return Error::for_user(Errc::too_large, "TRANSCRIPT_TOO_LARGE",
                           "The transcript has " + std::to_string(transcript->size()) + " bytes; at most " +
                               std::to_string(context.limits.max_transcript_bytes) + " (" +
                               to_human_size(context.limits.max_transcript_bytes) + ") are taken. Send it in parts.");
  }
  auto job = begin_job(context, user, jobs::JobType::transcript);
  if (auto set = read_options(context, body.if_contains("options"), job); !set) return set.error();
  job.title = string_member(*configuration, "title").value_or(std::string());
  job.input = JsonWriter().add("configuration", *configuration).add("size", transcript->size()).take();
  job.body = std::move(*transcript);
  return job;
}

Result<void> read_options(const Context& context, const json::value* options, jobs::NewJob& job) {
  if (options == nullptr || options->is_null()) return {};
  if (!options->is_object()) {
    return Error::for_user(Errc::invalid_argument, "OPTIONS_INVALID",
                           "options " + shown(*options) + " is not an object.");
  }
  for (const auto& [name, value] : options->get_object()) {
    Result<void> set;
    if (name == "priority") {
      if (!value.is_null()) set = set_priority(context, value, job);
    } else if (name == "runAt") {
      if (!value.is_null()) set = set_run_at(context, value, job);
    } else if (name == "uniqueKey") {
      if (!value.is_null()) set = set_unique_key(value, job);
    } else {
      set = bad_option(shorten(name, 40), "is unknown; allowed: priority, runAt, uniqueKey");
    }
    if (!set) return set;
  }
  return {};
}

Result<void> set_idempotency_key(std::string_view key, jobs::NewJob& job) {
  if (!is_key(key)) {
    return Error::for_user(Errc::invalid_argument, "IDEMPOTENCY_KEY",
                           "The Idempotency-Key is longer than 255 bytes or not UTF-8.");
  }
  job.idempotency_key = key;
  return {};
}

Result<void> set_idempotency_key(const net::Request& request, jobs::NewJob& job) {
  return set_idempotency_key(request.headers.get("idempotency-key"), job);
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
  co_return net::json_text_response(201, jobs::submit_answer(known->job));
}

}  // namespace rushes::api
