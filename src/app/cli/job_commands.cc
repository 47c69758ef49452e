#include "app/cli/analysis_text.h"
#include "app/cli/commands.h"
#include "app/cli/job_lookup.h"
#include "app/cli/job_table.h"
#include "app/cli/watch_command.h"

#include <fmt/format.h>

#include <memory>

namespace rushes::app::cli {
namespace {

constexpr std::size_t kReadableColumns = 100;

struct JobsOptions {
  Connection connection;
  std::string status;
  std::string type;
  std::size_t limit = 20;
};

int run_jobs(const JobsOptions& options) {
  const bool json = options.connection.json;
  auto link = open_link(options.connection);
  if (!link) return fail(link.error(), json);
  json::array items;
  const auto listed = each_job(*link->http, options.status, options.type, [&](const json::object& job) {
    items.push_back(job);
    return items.size() < options.limit;
  });
  if (!listed) return fail(listed.error(), json);
  if (json) {
    print_json({{"jobs", std::move(items)}});
    return 0;
  }
  if (items.empty()) {
    fmt::print("No jobs{}.\n", options.status.empty() && options.type.empty() ? " yet" : " like that");
    return 0;
  }
  std::vector<JobView> jobs;
  for (const auto& item : items) jobs.push_back(job_from_rest(item.get_object()));
  fmt::print("{}", job_table(jobs, Terminal::of(stdout), size_of(stdout).columns, SystemClock().now()));
  return 0;
}

/// A command about one job.
struct JobOptions {
  Connection connection;
  std::string job;
  bool watch = false;
  bool transcript = false;
};

std::shared_ptr<JobOptions> add_job_command(CLI::App& app, const char* name, const char* about, CLI::App*& command) {
  auto options = std::make_shared<JobOptions>();
  command = app.add_subcommand(name, about);
  command->add_option("JOB", options->job, "Id of the job, or its start or end (4 characters or more)")->required();
  return options;
}

void print_status(const JobView& job) {
  const auto terminal = Terminal::of(stdout);
  const auto field = [&](const char* name, const std::string& value) {
    if (!value.empty()) fmt::print("{}{}\n", paint(terminal, Style::faint, pad(name, 10)), printable(value));
  };
  field("Job", job.id);
  field("Name", job.title);
  field("URL", job.url);
  field("Type", job.type);
  field("Status", job.status + (job.ended() ? "" : ", " + std::to_string(job.progress) + " %"));
  if (!job.ended()) field("Now", words_of(job));
  if (job.status == "pending" && job.queue_position > 0) field("Position", std::to_string(job.queue_position));
  field("Error", job.error + (job.error_code.empty() ? "" : " [" + job.error_code + "]"));
  field("Created", job.created_at);
  field("Started", job.started_at);
  field("Ended", job.finished_at);
  if (!job.ended()) fmt::print("Follow it with: rushes watch {}\n", job.id);
  if (job.ended_badly()) fmt::print("Try it again with: rushes retry {}\n", job.id);
}

int run_show(const JobOptions& options) {
  const bool json = options.connection.json;
  auto link = open_link(options.connection);
  if (!link) return fail(link.error(), json);
  const auto id = find_job(*link->http, options.job);
  if (!id) return fail(id.error(), json);
  if (!json) return show_job(*link, *id, options.transcript);
  const auto status = job_status(*link->http, *id);
  if (!status) return fail(status.error(), json);
  print_json(*status);
  return 0;
}

/// POST /analyze/job/{id}/`action`; then, with `watch`, the job that goes on.
int run_action(const JobOptions& options, const char* action) {
  const bool json = options.connection.json;
  auto link = open_link(options.connection);
  if (!link) return fail(link.error(), json);
  auto id = find_job(*link->http, options.job);
  if (!id) return fail(id.error(), json);
  std::unique_ptr<Watcher> watcher;
  if (options.watch) {
    watcher = std::make_unique<Watcher>(*link, Watcher::Options{.json = json});
    watcher->get_ready();
  }
  const auto answer = link->http->post("/analyze/job/" + *id + "/" + action);
  if (!answer) return fail(answer.error(), json);
  // `cancelled: false` and `success: false` are refusals.
  bool done = true;
  for (const auto* key : {"cancelled", "success"}) {
    const auto* value = answer->if_contains(key);
    if (value != nullptr && value->is_bool()) done = done && value->get_bool();
  }
  auto going_on = *id;
  for (const auto* key : {"jobId", "newJobId"}) going_on = string_member(*answer, key).value_or(going_on);
  if (json) {
    print_json(*answer);
  } else {
    fmt::print("{}\n", printable(string_member(*answer, "message").value_or(done ? "Done." : "Not done.")));
    if (going_on != *id) fmt::print("Job {}\n", going_on);
    std::fflush(stdout);
  }
  if (!done) return 1;
  if (!watcher) return 0;
  JobView job;
  job.id = going_on;
  watcher->add(std::move(job), false);
  return watch_to_end(*watcher, *link, going_on, false, json);
}

}  // namespace

int show_job(Link& link, const std::string& id, bool transcript) {
  const auto status = job_status(*link.http, id);
  if (!status) return fail(status.error(), false);
  const auto* result = status->if_contains("result");
  if (result == nullptr || !result->is_object()) {
    print_status(view_of_status(*status, id));
    return 0;
  }
  const auto columns = std::min(size_of(stdout).columns, kReadableColumns);
  fmt::print("{}", analysis_text(result->get_object(), Terminal::of(stdout), columns, transcript));
  return 0;
}

void add_jobs(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<JobsOptions>();
  auto* command = app.add_subcommand("jobs", "List jobs, newest first");
  command->add_option("--status", options->status, "Only those that are so")
      ->check(CLI::IsMember({"pending", "processing", "completed", "failed", "cancelled"}));
  command->add_option("--type", options->type, "Only those of a type")
      ->check(CLI::IsMember({"youtube", "upload", "transcript"}));
  command->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(1, 100'000))
      ->type_name("N")
      ->capture_default_str();
  add_connection_options(*command, options->connection);
  command->footer(
      "Examples:\n"
      "  rushes jobs --status failed\n"
      "  rushes jobs --type upload --limit 100 --json | jq -r '.jobs[].jobId'");
  command->callback([options, &exit_code] { exit_code = run_jobs(*options); });
}

void add_show(CLI::App& app, int& exit_code) {
  CLI::App* command = nullptr;
  auto options = add_job_command(app, "show", "Print a finished job's analysis, or where a job stands", command);
  command->add_flag("--transcript", options->transcript, "The transcript's text too");
  add_connection_options(*command, options->connection);
  command->footer(
      "With --json: the status document, with the analysis in `result`.\n\n"
      "Examples:\n"
      "  rushes show 5f0c1a9e\n"
      "  rushes show 5f0c1a9e --json | jq -r '.result.analysis.titleRewrite.titles[]'");
  command->callback([options, &exit_code] { exit_code = run_show(*options); });
}

void add_cancel(CLI::App& app, int& exit_code) {
  CLI::App* command = nullptr;
  auto options = add_job_command(app, "cancel", "Cancel a job; running work stops", command);
  add_connection_options(*command, options->connection);
  command->footer("Example:\n  rushes cancel 5f0c1a9e");
  command->callback([options, &exit_code] { exit_code = run_action(*options, "cancel"); });
}

void add_retry(CLI::App& app, int& exit_code) {
  CLI::App* command = nullptr;
  auto options = add_job_command(app, "retry", "Make a new job of a failed or cancelled one", command);
  command->add_flag("--watch,-w", options->watch, "Watch the new job until it has ended");
  add_connection_options(*command, options->connection);
  command->footer("Example:\n  rushes retry 5f0c1a9e --watch");
  command->callback([options, &exit_code] { exit_code = run_action(*options, "retry"); });
}

void add_restart(CLI::App& app, int& exit_code) {
  CLI::App* command = nullptr;
  auto options = add_job_command(app, "restart", "Run the same job again, from its beginning", command);
  command->add_flag("--watch,-w", options->watch, "Watch it until it has ended");
  add_connection_options(*command, options->connection);
  command->footer("Example:\n  rushes restart 5f0c1a9e --watch");
  command->callback([options, &exit_code] { exit_code = run_action(*options, "restart"); });
}

}  // namespace rushes::app::cli
