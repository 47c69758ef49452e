#pragma once
#include "api/context.h"

#include <cstdint>
#include <memory>

namespace rushes::api {

/// A job's events as `text/event-stream`, those after `seq` and then live, until its end, the token's, or the server's:
/// https://html.spec.whatwg.org/multipage/server-sent-events.html
/// In the order of the log, none twice and none missing, but progress that newer has overtaken. Null where the job has
/// ended and there is nothing to tell.
/// Errors: `not_found`; `unavailable`.
Task<Result<std::unique_ptr<net::BodySource>>> follow_job(const Context& context, const auth::Identity& identity,
                                                          JobId job, std::int64_t seq);

}  // namespace rushes::api
