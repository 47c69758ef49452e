#pragma once
#include "api/context.h"
#include "api/members.h"
#include "schedules/schedule_store.h"

namespace rushes::api {

/// What a body asks for: `{name?, cron?, timeZone?, unique?, paused?, job?}`, of which `job` is an item of a bulk
/// submit without an idempotency key and `options.runAt`. Null is as absent. Errors: `invalid_argument`:
/// SCHEDULE_INVALID, naming the member; CRON_INVALID, CRON_NEVER, TIME_ZONE_UNKNOWN; those of `read_item`.
Result<schedules::Change> read_schedule(const Context& context, const UserId& user, const json::object& body,
                                        Unknown& unknown);

/// As users see it, with when it comes next; never with a transcript.
json::object to_json(const schedules::Schedule& schedule);

}  // namespace rushes::api
