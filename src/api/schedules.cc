#include "api/schedule_form.h"
#include "api/submission.h"
#include "jobs/job_json.h"

namespace rushes::api {
namespace {

using schedules::Schedule;
using schedules::ScheduleId;

// As for a submit: JSON may need more bytes than the text.
constexpr std::size_t kJsonOverhead = 2;

ScheduleId schedule_of(const net::Request& request) { return ScheduleId(request.params.at("id")); }

Error missing(const char* member, const char* what) {
  return Error::for_user(Errc::invalid_argument, "SCHEDULE_INVALID",
                         std::string(member) + " is missing: " + what + ".");
}

net::Response answer_with(const Result<Schedule>& schedule, int status) {
  return schedule ? net::json_response(status, to_json(*schedule)) : net::problem(schedule.error());
}

Task<net::Response> add(const Context& context, net::Request& request, auth::Identity identity) {
  const auto body = co_await json_body(request);
  if (!body) co_return net::problem(body.error());
  Unknown unknown;
  auto asked = read_schedule(context, identity.user, *body, unknown);
  if (!asked) co_return net::problem(asked.error());
  if (auto allowed = allow_unknown(request, std::move(unknown)); !allowed) co_return net::problem(allowed.error());
  if (!asked->cron) co_return net::problem(missing("cron", "when it comes, such as \"30 6 * * MON-FRI\" or @daily"));
  if (!asked->job) co_return net::problem(missing("job", "what it submits, such as {\"configuration\": {\"url\": …}}"));
  Schedule schedule;
  schedule.id = ScheduleId(new_uuid(context.clock, context.rng));
  schedule.user = identity.user;
  schedule.name = asked->name.value_or("");
  schedule.cron = std::move(*asked->cron);
  schedule.zone = asked->zone.value_or("UTC");
  schedule.unique = asked->unique.value_or(true);
  schedule.paused = asked->paused.value_or(false);
  schedule.job = std::move(*asked->job);
  schedule.created_at = context.clock.now();
  const auto added = co_await context.schedules.store().add(std::move(schedule), context.limits.max_schedules_per_user);
  if (added) context.schedules.wake();
  co_return answer_with(added, 201);
}

Task<net::Response> list(const Context& context, net::Request& request, auth::Identity identity) {
  (void)request;
  const auto all = co_await context.schedules.store().list(identity.user);
  if (!all) co_return net::problem(all.error());
  json::array entries;
  for (const auto& schedule : *all) entries.push_back(to_json(schedule));
  const json::object answer{{"schedules", std::move(entries)}};
  co_return net::json_response(200, answer);
}

Task<net::Response> show(const Context& context, net::Request& request, auth::Identity identity) {
  const auto found = co_await context.schedules.store().find(identity.user, schedule_of(request));
  co_return answer_with(found, 200);
}

Task<net::Response> change(const Context& context, net::Request& request, auth::Identity identity) {
  const auto body = co_await json_body(request);
  if (!body) co_return net::problem(body.error());
  Unknown unknown;
  auto asked = read_schedule(context, identity.user, *body, unknown);
  if (!asked) co_return net::problem(asked.error());
  if (auto allowed = allow_unknown(request, std::move(unknown)); !allowed) co_return net::problem(allowed.error());
  const auto changed =
      co_await context.schedules.store().update(identity.user, schedule_of(request), std::move(*asked));
  if (changed) context.schedules.wake();
  co_return answer_with(changed, 200);
}

Task<net::Response> remove(const Context& context, net::Request& request, auth::Identity identity) {
  const auto removed = co_await context.schedules.store().remove(identity.user, schedule_of(request));
  if (!removed) co_return net::problem(removed.error());
  const json::object answer{{"success", true}};
  co_return net::json_response(200, answer);
}

Task<net::Response> run(const Context& context, net::Request& request, auth::Identity identity) {
  const auto id = schedule_of(request);
  const auto found = co_await context.schedules.store().find(identity.user, id);
  if (!found) co_return net::problem(found.error());
  auto charge = context.jobs.charge(identity.user, 1);
  if (charge.wait()) co_return over_rate(context, *charge.wait());
  const auto submitted = co_await context.schedules.run_now(identity.user, id);
  if (!submitted) co_return net::problem(submitted.error());
  if (!submitted->existed) charge.keep(1);
  co_return net::json_text_response(201, jobs::submit_answer(submitted->job));
}

}  // namespace

void add_schedule_routes(net::Router& router, const Context& context) {
  net::RouteOptions with_job;
  with_job.max_body = context.limits.max_transcript_bytes * kJsonOverhead;
  add_user_route(router, context, "POST", "/analyze/schedules", add, {}, with_job);
  add_user_route(router, context, "GET", "/analyze/schedules", list);
  add_user_route(router, context, "GET", "/analyze/schedules/{id}", show);
  add_user_route(router, context, "PATCH", "/analyze/schedules/{id}", change, {}, with_job);
  add_user_route(router, context, "DELETE", "/analyze/schedules/{id}", remove);
  router.add("POST", "/analyze/schedules/{id}/run", with_user(context, without_body(bound(context, run))));
}

}  // namespace rushes::api
