#pragma once
#include "api/context.h"
#include "api/members.h"

#include <optional>
#include <string>
#include <string_view>

namespace rushes::api {

// Reads what users submit, one job or an item of many, into what the queue takes. Nothing is stored here.
// Threads: all may be called from any thread.

/// What the user may configure for one job: `{language?, title?, tone?}` and `url` of a video, other members kept out.
/// `path` is what stands before "configuration" in messages. Errors: `invalid_argument` (CONFIGURATION_INVALID), naming
/// the member.
Result<json::object> read_configuration(const json::value* configuration, jobs::JobType type, const std::string& path,
                                        Unknown& unknown);

/// A new job of this user with what every submit has in common.
jobs::NewJob begin_job(const Context& context, const UserId& user, jobs::JobType type);

/// `{configuration: {url, …}, options?}`. Errors: `invalid_argument`, naming the member.
Result<jobs::NewJob> read_video(const Context& context, const UserId& user, const Members& body, Unknown& unknown);

/// `{transcript, configuration?, options?}`. Errors: `invalid_argument`; `too_large` (TRANSCRIPT_TOO_LARGE).
Result<jobs::NewJob> read_transcript(const Context& context, const UserId& user, const Members& body, Unknown& unknown);

/// Sets what `{priority?, runAt?, uniqueKey?}` asks for; null is as absent.
/// Errors: `invalid_argument` (OPTIONS_INVALID), naming the member and what is allowed.
Result<void> read_options(const Context& context, const json::value* options, const std::string& path,
                          jobs::NewJob& job, Unknown& unknown);

/// With the digest of the request, but of an upload, whose file is not read yet.
/// Errors: `invalid_argument` (IDEMPOTENCY_KEY).
Result<void> set_idempotency_key(std::string_view key, jobs::NewJob& job);
/// From the header `Idempotency-Key`, where it is there.
Result<void> set_idempotency_key(const net::Request& request, jobs::NewJob& job);

/// The 429 for a user who submits more than is allowed now, and may again after `wait`.
net::Response over_rate(const Context& context, std::chrono::nanoseconds wait);

/// The answer to a submit that went well: 201, or 422 (IDEMPOTENCY_KEY_REUSED).
net::Response answer_of(const jobs::Submission& submitted);
/// The refusal of a key that another request brought.
Error key_reused(std::string_view key);
/// The 409 for a key whose first request is still received or stored; it may be sent again after `wait`.
net::Response key_in_use(std::string_view key, std::chrono::seconds wait);

/// What a submit of one job answers that is over the rate: the job that it gave before, where one of its keys names it,
/// or that its key is reused; else `over_rate`.
Task<net::Response> submitted_before(const Context& context, jobs::NewJob job, std::chrono::nanoseconds wait);

}  // namespace rushes::api
