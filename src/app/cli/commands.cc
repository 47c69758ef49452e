#include "app/cli/commands.h"

namespace rushes::app::cli {

void add_commands(CLI::App& app, int& exit_code) {
  add_submit(app, exit_code);
  add_watch(app, exit_code);
  add_jobs(app, exit_code);
  add_show(app, exit_code);
  add_cancel(app, exit_code);
  add_retry(app, exit_code);
  add_restart(app, exit_code);
  add_token(app, exit_code);
  add_key(app, exit_code);
  add_queue(app, exit_code);
  add_job(app, exit_code);
  add_db(app, exit_code);
  add_doctor(app, exit_code);
}

int report_parse_error(const CLI::App& app, const CLI::ParseError& error) { return app.exit(error) == 0 ? 0 : 2; }

}  // namespace rushes::app::cli
