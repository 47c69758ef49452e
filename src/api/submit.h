#pragma once
#include "api/context.h"

namespace rushes::api {

/// What the user may configure for one job: `{language?, tone?, title?}`, other members kept out.
/// Errors: `invalid_argument` (CONFIGURATION_INVALID), naming the member.
Result<json::object> read_configuration(const json::value* configuration);

/// A new job of this user with what every submit has in common. Errors: `invalid_argument` (IDEMPOTENCY_KEY).
Result<jobs::NewJob> begin_job(const Context& context, const net::Request& request, const auth::Identity& identity,
                               jobs::JobType type);

/// Hands it to the queue and answers 201, or the error.
Task<net::Response> submit(const Context& context, jobs::NewJob job);

}  // namespace rushes::api
