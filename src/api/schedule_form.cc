#include "api/schedule_form.h"

#include "api/bulk.h"
#include "api/submission.h"
#include "base/text.h"
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

Result<void> read_text(std::string_view member, const json::value& value, std::optional<std::string>& text) {
  if (!value.is_string()) return invalid(member, shown(value) + " is no text");
  text = value.get_string();
  return {};
}

Result<void> read_name(const json::value& value, Change& change) {
  if (!value.is_string() || value.get_string().size() > kLongestName || !is_utf8(value.get_string())) {
    return invalid("name", shown(value) + " is no text of at most " + std::to_string(kLongestName) + " bytes of UTF-8");
  }
  change.name = value.get_string();
  return {};
}

Result<void> read_flag(std::string_view member, const json::value& value, std::optional<bool>& flag) {
  if (!value.is_bool()) return invalid(member, shown(value) + " is not allowed; write true or false");
  flag = value.get_bool();
  return {};
}

Result<void> read_job(const Context& context, const UserId& user, const json::value& value, Change& change) {
  if (!value.is_object()) {
    return invalid("job", shown(value) + " is no object; write what a submit takes, such as {\"transcript\": …}");
  }
  if (value.get_object().contains("idempotencyKey")) {
    return invalid("job.idempotencyKey", "belongs to no schedule, whose runs have keys of their own; leave it out");
  }
  auto item = read_item(context, user, value.get_object());
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

Result<void> read_member(const Context& context, const UserId& user, std::string_view name, const json::value& value,
                         Change& change) {
  if (name == "name") return read_name(value, change);
  if (name == "cron") return read_text(name, value, change.cron);
  if (name == "timeZone") return read_text(name, value, change.zone);
  if (name == "unique") return read_flag(name, value, change.unique);
  if (name == "paused") return read_flag(name, value, change.paused);
  if (name == "job") return read_job(context, user, value, change);
  return invalid(shorten(name, 40), "is unknown; allowed: name, cron, timeZone, unique, paused, job");
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

Result<Change> read_schedule(const Context& context, const UserId& user, const json::object& body) {
  Change change;
  for (const auto& [name, value] : body) {
    if (value.is_null()) continue;
    if (auto read = read_member(context, user, name, value, change); !read) return read.error();
  }
  if (change.cron) {
    if (const auto cron = schedules::CronExpression::parse(*change.cron); !cron) return cron.error();
  }
  if (change.zone) {
    if (const auto zone = schedules::Zone::find(*change.zone); !zone) return zone.error();
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
