#include "app/cli/commands.h"
#include "app/cli/connection.h"
#include "app/cli/operator_text.h"

#include <fmt/format.h>

#include <memory>

namespace rushes::app::cli {
namespace {

constexpr const char* kRole = "admin";

struct QueueOptions {
  Connection connection;
  int users = 20;
  std::string type;
  int most = 0;
  std::string job;
  std::string user;
  std::string code;
  int limit = 50;
  bool all = false;
};

using Query = std::vector<std::pair<std::string, std::string>>;

/// GETs `path` and shows it as `text` says, or as it came.
int show(const QueueOptions& options, std::string_view path, const Query& query,
         const std::function<std::string(const json::object&)>& text) {
  const bool json = options.connection.json;
  auto link = open_link(options.connection, kRole);
  if (!link) return fail(link.error(), json);
  const auto answer = link->http->get(path, query);
  if (!answer) return fail(answer.error(), json);
  if (json) {
    print_json(*answer);
  } else {
    fmt::print("{}", text(*answer));
  }
  return 0;
}

int change(const QueueOptions& options, const std::string& path, const json::object& body,
           const std::function<std::string(const json::object&)>& text) {
  const bool json = options.connection.json;
  auto link = open_link(options.connection, kRole);
  if (!link) return fail(link.error(), json);
  const auto answer = link->http->post(path, body);
  if (!answer) return fail(answer.error(), json);
  if (json) {
    print_json(*answer);
  } else {
    fmt::print("{}\n", text(*answer));
  }
  return 0;
}

int run_report(const QueueOptions& options) {
  return show(options, "/admin/queue", {{"users", std::to_string(options.users)}},
              [](const json::object& report) { return queue_text(report, Terminal::of(stdout), SystemClock().now()); });
}

int run_dead(const QueueOptions& options) {
  const Query query{{"userId", options.user},
                    {"type", options.type},
                    {"code", options.code},
                    {"limit", std::to_string(options.limit)}};
  return show(options, "/admin/dead", query, [](const json::object& page) {
    auto text = dead_text(page.at("jobs").as_array(), Terminal::of(stdout), SystemClock().now());
    if (page.contains("nextCursor")) text += "There are more; see --limit.\n";
    return text;
  });
}

int run_redrive(const QueueOptions& options) {
  json::object body;
  if (!options.job.empty()) body["jobId"] = options.job;
  if (!options.user.empty()) body["userId"] = options.user;
  if (!options.type.empty()) body["type"] = options.type;
  if (!options.code.empty()) body["code"] = options.code;
  if (options.all) body["all"] = true;
  return change(options, "/admin/dead/redrive", body, [](const json::object& answer) {
    const auto count = int_member(answer, "redriven").value_or(0);
    if (count == 0) return std::string("No failed jobs like that.");
    return count == 1 ? std::string("1 job waits again.") : std::to_string(count) + " jobs wait again.";
  });
}

int run_set(const QueueOptions& options, const json::object& settings) {
  return change(options, "/admin/types/" + options.type, settings, [&](const json::object& answer) {
    const auto* paused = answer.if_contains("paused");
    const bool is_paused = paused != nullptr && paused->is_bool() && paused->get_bool();
    const auto most = int_member(answer, "maxRunning");
    return "Jobs of the type " + options.type + (is_paused ? " are paused" : " run") +
           (most ? ", at most " + std::to_string(*most) + " at once." : ".");
  });
}

const CLI::IsMember& types() {
  static const CLI::IsMember kTypes({"youtube", "upload", "transcript"});
  return kTypes;
}

CLI::App* add_part(CLI::App& queue, const std::shared_ptr<QueueOptions>& options, const char* name, const char* about) {
  auto* part = queue.add_subcommand(name, about);
  add_connection_options(*part, options->connection);
  return part;
}

void add_filter(CLI::App& part, const std::shared_ptr<QueueOptions>& options) {
  part.add_option("--user", options->user, "Only this user's")->type_name("USER");
  part.add_option("--type", options->type, "Only those of a type")->check(types());
  part.add_option("--code", options->code, "Only those that failed so, such as URL_DEAD")->type_name("CODE");
}

}  // namespace

void add_queue(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<QueueOptions>();
  auto* queue = app.add_subcommand("queue", "Show the whole queue, pause types of jobs, redrive failed ones");
  queue->require_subcommand(0, 1);
  queue->add_option("--users", options->users, "Show so many of the busiest users")
      ->check(CLI::Range(0, 1000))
      ->type_name("N")
      ->capture_default_str();
  add_connection_options(*queue, options->connection);
  queue->footer(
      "For operators: the token's claim `role` is `admin`, as it is in one that is signed here.\n\n"
      "Examples:\n"
      "  rushes queue\n"
      "  rushes queue pause youtube\n"
      "  rushes queue limit upload 2\n"
      "  rushes queue dead --code WORKER_CRASHED\n"
      "  rushes queue redrive --code SOURCE_UNAVAILABLE");

  auto* pause = add_part(*queue, options, "pause", "Start no more jobs of a type; those that run go on");
  pause->add_option("TYPE", options->type, "youtube, upload or transcript")->required()->check(types());
  pause->callback([options, &exit_code] { exit_code = run_set(*options, {{"paused", true}}); });
  auto* resume = add_part(*queue, options, "resume", "Start jobs of a type again");
  resume->add_option("TYPE", options->type, "youtube, upload or transcript")->required()->check(types());
  resume->callback([options, &exit_code] { exit_code = run_set(*options, {{"paused", false}}); });
  auto* limit = add_part(*queue, options, "limit", "Run at most so many jobs of a type at once");
  limit->add_option("TYPE", options->type, "youtube, upload or transcript")->required()->check(types());
  limit->add_option("MOST", options->most, "From 1; 0: as many as there are workers")
      ->required()
      ->check(CLI::Range(0, 100'000));
  limit->callback([options, &exit_code] {
    const auto most = options->most == 0 ? json::value(nullptr) : json::value(options->most);
    exit_code = run_set(*options, {{"maxRunning", most}});
  });

  auto* dead = add_part(*queue, options, "dead", "List failed jobs, of all users, newest first");
  add_filter(*dead, options);
  dead->add_option("--limit", options->limit, "At most so many")
      ->check(CLI::Range(1, 200))
      ->type_name("N")
      ->capture_default_str();
  dead->callback([options, &exit_code] { exit_code = run_dead(*options); });
  auto* redrive = add_part(*queue, options, "redrive", "Have failed jobs wait again: one, some, or all");
  redrive->add_option("JOB", options->job, "A job's id");
  add_filter(*redrive, options);
  redrive->add_flag("--all", options->all, "Every failed job");
  redrive->callback([options, &exit_code] {
    if (options->job.empty() && options->user.empty() && options->type.empty() && options->code.empty() &&
        !options->all) {
      throw CLI::ValidationError("queue redrive", "say which failed jobs: JOB, --code, --user, --type or --all");
    }
    exit_code = run_redrive(*options);
  });

  queue->callback([options, queue, &exit_code] {
    if (queue->get_subcommands().empty()) exit_code = run_report(*options);
  });
}

}  // namespace rushes::app::cli
