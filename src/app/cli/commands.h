#pragma once
#include <CLI/CLI.hpp>

namespace rushes::app::cli {

/// Adds the commands for people to `app`: token, key, submit, watch, jobs, show, cancel, retry, restart,
/// queue, job, db, doctor. The one that is named runs inside `app.parse` and leaves its exit code in `exit_code`, which
/// outlives the parsing: 0 it went well; 1 it failed, or the job watched did; 2 it was called wrongly.
void add_commands(CLI::App& app, int& exit_code);

/// Prints what `error` (from `app.parse`) has to say, a help text say, and returns the exit code: 0, or 2 for wrong
/// use.
int report_parse_error(const CLI::App& app, const CLI::ParseError& error);

// One each; see add_commands.
void add_token(CLI::App& app, int& exit_code);
void add_key(CLI::App& app, int& exit_code);
void add_submit(CLI::App& app, int& exit_code);
void add_watch(CLI::App& app, int& exit_code);
void add_jobs(CLI::App& app, int& exit_code);
void add_show(CLI::App& app, int& exit_code);
void add_cancel(CLI::App& app, int& exit_code);
void add_retry(CLI::App& app, int& exit_code);
void add_restart(CLI::App& app, int& exit_code);
void add_queue(CLI::App& app, int& exit_code);
void add_job(CLI::App& app, int& exit_code);
void add_db(CLI::App& app, int& exit_code);
void add_doctor(CLI::App& app, int& exit_code);

}  // namespace rushes::app::cli
