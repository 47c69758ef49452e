#include "app/cli/commands.h"
#include "app/cli/connection.h"
#include "app/cli/doctor.h"
#include "app/cli/terminal.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <tuple>
#include <vector>

namespace rushes::app::cli {
namespace {

struct DoctorOptions {
  ConfigSources sources;
  bool json = false;
};

void print(const std::vector<Finding>& findings) {
  const auto terminal = Terminal::of(stdout);
  const auto columns = std::max<std::size_t>(size_of(stdout).columns, 40);
  for (const auto& one : findings) {
    const auto [sign, plain, style] = one.state == Finding::State::good ? std::tuple("✔", "ok     ", Style::green)
                                      : one.state == Finding::State::warning ? std::tuple("!", "warning", Style::yellow)
                                                                             : std::tuple("✘", "missing", Style::red);
    const auto lead = terminal.live && terminal.utf8 ? std::string(sign) : std::string(plain);
    const auto indent = display_width(lead) + 2 + 22 + 1;
    bool first = true;
    for (const auto& line : wrap(one.detail, terminal.live ? columns - std::min(indent, columns - 20) : 10'000)) {
      if (first) {
        fmt::print("{}  {} {}\n", paint(terminal, style, lead), pad(one.name, 22), line);
      } else {
        fmt::print("{}{}\n", std::string(indent, ' '), line);
      }
      first = false;
    }
    if (!one.remedy.empty()) {
      fmt::print("{}{} {}\n", std::string(indent, ' '), terminal.utf8 ? "→" : "->",
                 paint(terminal, Style::bold, printable(one.remedy)));
    }
  }
  fmt::print("\n{}\n", anything_missing(findings) ? "Something that is needed is missing."
                                                  : "Everything that is needed is there.");
}

int run(const DoctorOptions& options) {
  auto sources = options.sources;
  sources.environment = environment_of_process();
  const auto config = load_config(sources);
  const auto findings = config ? examine(*config)
                               : std::vector<Finding>{{Finding::State::missing, "configuration", config.error().what(),
                                                       "correct it; `rushes serve --help` lists the settings"}};
  if (options.json) {
    print_json(to_json(findings));
  } else {
    print(findings);
  }
  return anything_missing(findings) ? 1 : 0;
}

}  // namespace

void add_doctor(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<DoctorOptions>();
  auto* command = app.add_subcommand("doctor", "Say what this machine lacks to run a server, and what installs it");
  const auto setting = [&](const char* flag, const char* name, const char* help, const char* type) {
    command
        ->add_option_function<std::string>(
            flag, [options, name](const std::string& value) { options->sources.arguments[name] = value; }, help)
        ->type_name(type);
  };
  setting("--data-dir", "data_dir", "The data folder to look at", "DIR");
  setting("--host", "host", "The address to listen on", "ADDRESS");
  setting("--port", "port", "The port to listen on", "PORT");
  command->add_option("--config", options->sources.file, "The server's configuration file")->type_name("FILE");
  command->add_flag("--json", options->json, "Print JSON, for scripts");
  command->footer(
      "Exit code 1 when something that is needed is missing; warnings alone give 0.\n\n"
      "Examples:\n"
      "  rushes doctor\n"
      "  rushes doctor --data-dir /var/lib/rushes --port 80\n"
      "  rushes doctor --json | jq -r '.checks[] | select(.state != \"ok\") | .remedy'");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace rushes::app::cli
