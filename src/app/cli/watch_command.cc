#include "app/cli/watch_command.h"

#include "app/cli/commands.h"
#include "app/cli/job_lookup.h"

#include <memory>
#include <vector>

namespace rushes::app::cli {
namespace {

struct WatchOptions {
  Connection connection;
  std::vector<std::string> jobs;
  bool until_done = false;
  bool show = false;
};

int run(const WatchOptions& options) {
  const bool json = options.connection.json;
  auto link = open_link(options.connection);
  if (!link) return fail(link.error(), json);
  std::vector<JobView> jobs;
  for (const auto& typed : options.jobs) {
    const auto id = find_job(*link->http, typed);
    if (!id) return fail(id.error(), json);
    const auto status = job_status(*link->http, *id);
    if (!status) return fail(status.error(), json);
    jobs.push_back(view_of_status(*status, *id));
  }
  if (jobs.empty()) {
    // The first contact tells a wrong address or token at once, instead of trying again for ever.
    if (const auto reached = link->http->get("/analyze/jobs", {{"limit", "1"}}); !reached) {
      return fail(reached.error(), json);
    }
  }
  Watcher watcher(*link, {.json = json, .everything = jobs.empty(), .until_done = options.until_done});
  const auto id = jobs.size() == 1 ? jobs.front().id : std::string();
  for (auto& job : jobs) watcher.add(std::move(job), false);
  return watch_to_end(watcher, *link, id, options.show, json);
}

}  // namespace

int watch_to_end(Watcher& watcher, Link& link, const std::string& id, bool show, bool json) {
  const auto well = watcher.run();
  if (!well) return fail(well.error(), json);
  if (!*well) return 1;
  return show && !json && !id.empty() ? show_job(link, id, false) : 0;
}

void add_watch(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<WatchOptions>();
  auto* command = app.add_subcommand("watch", "Watch jobs live, until they have ended");
  command->add_option("JOB", options->jobs,
                      "Ids of jobs, or the start or end of one (4 characters or more).\n"
                      "Without any: all of yours, also those to come, until Ctrl-C");
  command->add_flag("--until-done", options->until_done, "Without JOB: end when no job is left unfinished");
  command->add_flag("--show", options->show, "Print the analysis when the one job has completed");
  add_connection_options(*command, options->connection);
  command->footer(
      "Ctrl-C ends the watching; the jobs go on. Exit code 1 when a watched job failed or was cancelled.\n"
      "With --json each line is the payload of a queue-update event; a job's state from before it was\n"
      "watched comes in the same form, with metadata.snapshot.\n\n"
      "Examples:\n"
      "  rushes watch\n"
      "  rushes watch 5f0c1a9e --show\n"
      "  rushes watch --until-done --json | jq -r '[.jobId, .progress, .message] | @tsv'");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace rushes::app::cli
