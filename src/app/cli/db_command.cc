#include "app/cli/board.h"
#include "app/cli/commands.h"
#include "app/cli/connection.h"
#include "app/cli/progress_bar.h"
#include "app/cli/terminal.h"
#include "app/config.h"
#include "base/text.h"
#include "store_sqlite/maintenance.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>

namespace rushes::app::cli {
namespace {

struct DbOptions {
  ConfigSources sources;
  std::string target;
  bool force = false;
  bool json = false;
};

/// Where the server of this configuration keeps its database. Errors: `not_found` (DATABASE_MISSING).
Result<std::filesystem::path> find_database(const DbOptions& options) {
  auto sources = options.sources;
  sources.environment = environment_of_process();
  const auto config = load_config(sources);
  if (!config) return config.error();
  auto file = config->data_dir / "rushes.db";
  std::error_code failed;
  if (std::filesystem::is_regular_file(file, failed)) return file;
  return Error::for_user(Errc::not_found, "DATABASE_MISSING",
                         "There is no database " + file.string() + "; name the server's data folder by --data-dir.");
}

/// A line that shows how far it is, where that can be drawn.
class Bar {
 public:
  Bar(std::string name, bool json) : name_(std::move(name)) {
    if (terminal_.live && !json) board_ = std::make_unique<Board>(stderr);
  }
  ~Bar() {
    if (board_) board_->show({});
  }
  Bar(const Bar&) = delete;
  Bar& operator=(const Bar&) = delete;

  void operator()(std::int64_t done, std::int64_t of) {
    const auto now = std::chrono::steady_clock::now();
    if (!board_ || of <= 0 || now - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = now;
    const ProgressLine line{Mark::working, name_, static_cast<int>(done * 100 / of), {}, {}};
    board_->show({render_line(line, terminal_, size_of(stderr).columns, frame_++)});
  }

 private:
  const std::string name_;
  const Terminal terminal_ = Terminal::of(stderr);
  std::unique_ptr<Board> board_;
  std::chrono::steady_clock::time_point drawn_{};
  std::size_t frame_ = 0;
};

std::string counts_of(const store_sqlite::CheckReport& report) {
  return fmt::format("{} jobs ({} unfinished), {} events, {} analyses", report.jobs, report.unfinished, report.events,
                     report.analyses);
}

json::object to_json(const store_sqlite::CheckReport& report) {
  json::array problems;
  for (const auto& problem : report.problems) problems.emplace_back(problem);
  return {{"ok", report.problems.empty()},   {"problems", std::move(problems)}, {"jobs", report.jobs},
          {"unfinished", report.unfinished}, {"events", report.events},         {"analyses", report.analyses}};
}

int check(const DbOptions& options) {
  const auto file = find_database(options);
  if (!file) return fail(file.error(), options.json);
  Result<store_sqlite::CheckReport> report = Error();
  {
    Bar bar("Checking " + printable(file->string()), options.json);
    report = store_sqlite::check_database(*file, std::ref(bar));
  }
  if (!report) return fail(report.error(), options.json);
  if (options.json) {
    print_json(to_json(*report));
  } else if (report->problems.empty()) {
    fmt::print("{} is sound: {}.\n", file->string(), counts_of(*report));
  } else {
    for (const auto& problem : report->problems) fmt::print("{}\n", printable(problem));
    fmt::print("{} is not sound. Keep it as it is, and go back to a backup, or ask for help with this list.\n",
               file->string());
  }
  return report->problems.empty() ? 0 : 1;
}

int backup(const DbOptions& options) {
  const auto file = find_database(options);
  if (!file) return fail(file.error(), options.json);
  Result<store_sqlite::BackupReport> report = Error();
  {
    Bar bar("Copying to " + printable(options.target), options.json);
    report = store_sqlite::backup_database(*file, options.target, options.force, std::ref(bar));
  }
  if (!report) return fail(report.error(), options.json);
  if (options.json) {
    auto document = to_json(report->check);
    document["file"] = options.target;
    document["bytes"] = report->bytes;
    print_json(document);
  } else {
    fmt::print("{} is a sound copy, {}: {}.\n", options.target,
               to_human_size(static_cast<std::uint64_t>(report->bytes)), counts_of(report->check));
  }
  return 0;
}

int vacuum(const DbOptions& options) {
  const auto file = find_database(options);
  if (!file) return fail(file.error(), options.json);
  Result<store_sqlite::VacuumReport> report = Error();
  {
    Bar bar("Writing " + printable(file->string()) + " anew", options.json);
    report = store_sqlite::vacuum_database(*file, std::ref(bar));
  }
  if (!report) return fail(report.error(), options.json);
  const auto won = std::max<std::int64_t>(report->before - report->after, 0);
  if (options.json) {
    print_json(json::object{{"before", report->before}, {"after", report->after}, {"won", won}});
  } else {
    fmt::print(
        "{} had {} and has {}: {} won.\n", file->string(), to_human_size(static_cast<std::uint64_t>(report->before)),
        to_human_size(static_cast<std::uint64_t>(report->after)), to_human_size(static_cast<std::uint64_t>(won)));
  }
  return 0;
}

CLI::App* add_one(CLI::App& db, const char* name, const char* help, const std::shared_ptr<DbOptions>& options) {
  auto* command = db.add_subcommand(name, help);
  command
      ->add_option_function<std::string>(
          "--data-dir", [options](const std::string& value) { options->sources.arguments["data_dir"] = value; },
          "The server's data folder")
      ->type_name("DIR");
  command->add_option("--config", options->sources.file, "The server's configuration file")->type_name("FILE");
  command->add_flag("--json", options->json, "Print JSON, for scripts");
  return command;
}

}  // namespace

void add_db(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<DbOptions>();
  auto* db = app.add_subcommand("db", "Check, copy or compact the database of the server on this machine");
  db->require_subcommand(1);
  db->footer(
      "Examples:\n"
      "  rushes db check --data-dir /var/lib/rushes\n"
      "  rushes db backup /backup/rushes.db\n"
      "  rushes db vacuum --json");

  auto* checking = add_one(*db, "check", "Say whether the database is sound; a server may run", options);
  checking->footer(
      "Looks at the file itself, and whether jobs, their events and their analyses say the same.\n"
      "Exit code 1 when something is wrong.\n\n"
      "Examples:\n"
      "  rushes db check\n"
      "  rushes db check --data-dir /var/lib/rushes --json | jq -r '.problems[]'");
  checking->callback([options, &exit_code] { exit_code = check(*options); });

  auto* copying = add_one(*db, "backup", "Copy the database as it is at this moment; a server may run", options);
  copying->add_option("file", options->target, "The copy to make")->required()->type_name("FILE");
  copying->add_flag("--force", options->force, "Replace FILE if it exists");
  copying->footer(
      "The copy is checked before it gets its name. Videos, thumbnails and captions are not in it: they lie in the\n"
      "folders uploads and files beside the database; copy them afterwards. To go back, stop the server and put the\n"
      "copy in the place of rushes.db, without a rushes.db-wal beside it: pages in the browser then begin anew.\n\n"
      "Examples:\n"
      "  rushes db backup rushes-$(date +%F).db\n"
      "  rushes db backup --force --data-dir /var/lib/rushes /backup/rushes.db");
  copying->callback([options, &exit_code] { exit_code = backup(*options); });

  auto* compacting = add_one(*db, "vacuum", "Give the disk back what was deleted; no server may run", options);
  compacting->footer(
      "Writes the database anew beside the old one: that needs as much room again while it lasts.\n\n"
      "Examples:\n"
      "  rushes db vacuum\n"
      "  rushes db vacuum --data-dir /var/lib/rushes");
  compacting->callback([options, &exit_code] { exit_code = vacuum(*options); });
}

}  // namespace rushes::app::cli
