#include "api/schedule_form.h"

#include "api/bulk.h"
#include "api/submission.h"
#include "base/plain_text.h"
#include "schedules/rhythm.h"

namespace rushes::api {
namespace {

using schedules::Change;
using schedules::Schedule;

constexpr std::size_t kLongestName = 200;
constexpr int kShownRuns = 5;

Error invalid(std::string_view member, const std::string& why) {
  return Error::for_user(Errc::invalid_argument, "SCHEDULE_INVALID", std::string(member) + " " + why + ".");
}

Result<void> read_job(const Context& context, const UserId& user, const json::value& value, Change& change,
                      Unknown& unknown) {
  if (!value.is_object()) {
    return invalid("job", shown(value) + " is no object; write what a submit takes, such as {\"transcript\": …}");
  }
  if (value.get_object().contains("idempotencyKey")) {
    return invalid("job.idempotencyKey", "belongs to no schedule, whose runs have keys of their own; leave it out");
  }
  auto item = read_item(context, user, value.get_object(), "job.", unknown);
  if (!item) return item.error();
  const auto* options = value.get_object().if_contains("options");
  if (options != nullptr && options->is_object() && options->get_object().contains("runAt")) {
    return invalid("job.options.runAt", "belongs to no schedule, whose times are those of cron; leave it out");
  }
  change.job = {std::string(to_string(item->type)),
                std::move(item->title),
                std::move(item->url),
                std::move(item->input),
                std::move(item->body),
                std::move(item->unique_key),
                item->priority};
  return {};
}

json::object job_json(const schedules::JobTemplate& job) {
  const auto type = jobs::parse_job_type(job.type);
  json::object shown{{"type", type && *type == jobs::JobType::youtube ? "video" : job.type}};
  if (const auto input = parse_json(job.input); input && input->is_object()) {
    if (const auto* configuration = input->get_object().if_contains("configuration")) {
      shown["configuration"] = *configuration;
    }
    if (const auto* size = input->get_object().if_contains("size")) shown["size"] = *size;
  }
  json::object options;
  if (job.priority != 0) options["priority"] = job.priority;
  if (!job.unique_key.empty()) options["uniqueKey"] = job.unique_key;
  if (!options.empty()) shown["options"] = std::move(options);
  return shown;
}

json::array next_runs(const Schedule& schedule) {
  json::array runs;
  if (!schedule.next_at) return runs;
  runs.emplace_back(to_rfc3339(*schedule.next_at));
  if (const auto rhythm = schedules::Rhythm::parse(schedule.cron, schedule.zone)) {
    for (const auto time : rhythm->after(*schedule.next_at, kShownRuns - 1)) runs.emplace_back(to_rfc3339(time));
  }
  return runs;
}

json::value last_run(const Schedule& schedule) {
  if (!schedule.last) return nullptr;
  const auto& last = *schedule.last;
  json::object run{{"at", to_rfc3339(last.at)}, {"outcome", last.skipped.empty() ? "submitted" : "skipped"}};
  if (!last.skipped.empty()) run["reason"] = last.skipped;
  if (last.job) run["jobId"] = last.job->value();
  return run;
}

}  // namespace

Result<Change> read_schedule(const Context& context, const UserId& user, const json::object& body, Unknown& unknown) {
  const Members members(body, "SCHEDULE_INVALID", "", {"name", "cron", "timeZone", "unique", "paused", "job"}, unknown);
  Change change;
  auto name = members.text("name", kLongestName);
  auto cron = members.text("cron");
  auto zone = members.text("timeZone");
  const auto unique = members.flag("unique");
  const auto paused = members.flag("paused");
  for (const auto* text : {&name, &cron, &zone}) {
    if (!*text) return text->error();
  }
  if (!unique) return unique.error();
  if (!paused) return paused.error();
  if (*name) change.name = plain_line(**name);
  change.cron = std::move(*cron);
  change.zone = std::move(*zone);
  change.unique = *unique;
  change.paused = *paused;
  if (const auto* job = members.find("job")) {
    if (auto read = read_job(context, user, *job, change, unknown); !read) return read.error();
  }
  if (change.cron) {
    if (const auto read = schedules::CronExpression::parse(*change.cron); !read) return read.error();
  }
  if (change.zone) {
    if (const auto found = schedules::Zone::find(*change.zone); !found) return found.error();
  }
  return change;
}

json::object to_json(const Schedule& schedule) {
  return {{"id", schedule.id.value()},       {"name", schedule.name},
          {"cron", schedule.cron},           {"timeZone", schedule.zone},
          {"unique", schedule.unique},       {"paused", schedule.paused},
          {"job", job_json(schedule.job)},   {"createdAt", to_rfc3339(schedule.created_at)},
          {"nextRuns", next_runs(schedule)}, {"lastRun", last_run(schedule)}};
}

}  // namespace rushes::api
