#include "app/cli/commands.h"
#include "app/cli/connection.h"
#include "app/cli/operator_text.h"

#include <fmt/format.h>

#include <memory>

namespace rushes::app::cli {
namespace {

struct ReportOptions {
  Connection connection;
  std::string job;
};

int run_job_report(const ReportOptions& options) {
  const bool json = options.connection.json;
  auto link = open_link(options.connection, "admin");
  if (!link) return fail(link.error(), json);
  const auto report = link->http->get("/admin/jobs/" + options.job);
  if (!report) return fail(report.error(), json);
  if (json) {
    print_json(*report);
  } else {
    fmt::print("{}", job_text(*report, Terminal::of(stdout), size_of(stdout).columns));
  }
  return 0;
}

}  // namespace

void add_job(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<ReportOptions>();
  auto* command = app.add_subcommand("job", "Explain any user's job: why it waits, where its time went, why it failed");
  command->add_option("JOB", options->job, "The job's id")->required();
  add_connection_options(*command, options->connection);
  command->footer(
      "For operators: the token's claim `role` is `admin`, as it is in one that is signed here.\n\n"
      "Example:\n"
      "  rushes job 0190d0a8-5f0c-7a9e-8000-3c1f6f1d2b4a");
  command->callback([options, &exit_code] { exit_code = run_job_report(*options); });
}

}  // namespace rushes::app::cli
