#include "app/program.h"

#include "app/cli/commands.h"
#include "app/cli/connection.h"
#include "app/config.h"
#include "app/sandbox.h"
#include "app/server.h"
#include "app/version.h"
#include "app/workshop.h"
#include "async/stop_signals.h"
#include "base/log.h"

#include <CLI/CLI.hpp>

#include <string.h>
#include <sys/stat.h>

#include <cstdlib>
#include <iostream>

namespace rushes::app {
namespace {

int fail(const Error& error) {
  std::cerr << "rushes: " << error.what() << '\n';
  return EXIT_FAILURE;
}

int serve(const ConfigSources& sources) {
  const auto config = load_config(sources);
  if (!config) return fail(config.error());
  if (auto set = log::set_level(config->log_level); !set) return fail(set.error());
  ::umask(0077);  // what the server writes is its own
  hide_secrets();
  if (auto root = check_root(*config); !root) return fail(root.error());
  const StopSignals signals;
  auto server = Server::start(*config);
  if (!server) return fail(server.error());

  std::cout << "listening on " << (*server)->address() << std::endl;
  if (config->development) {
    std::cout << "development token, for the user 'developer', good for a day:\n"
              << (*server)->development_token() << std::endl;
  }
  log::info("app", "stopping: {}", strsignal(signals.wait()));
  (*server)->stop();
  return EXIT_SUCCESS;
}

int work() {
  const char* settings = std::getenv(std::string(kWorkerSettings).c_str());
  return run_workers(settings == nullptr ? "" : settings);
}

void add_serve(CLI::App& app, ConfigSources& sources, int& exit_code) {
  auto* command = app.add_subcommand("serve", "Start the server");
  command->add_option("--config", sources.file, "Configuration in TOML")->check(CLI::ExistingFile);
  for (const auto& setting : settings()) {
    if (setting.secret) continue;
    std::string flag = "--" + std::string(setting.name);
    std::replace(flag.begin(), flag.end(), '_', '-');
    command->add_option_function<std::string>(
        flag,
        [&sources, name = std::string(setting.name)](const std::string& value) { sources.arguments[name] = value; },
        std::string(setting.help) + " (" + std::string(setting.allowed) + ")");
  }
  command->callback([&] { exit_code = serve(sources); });
}

int run(int argc, char** argv) {
  CLI::App app("Rushes analyses videos and shows every step while it happens.");
  app.set_version_flag("--version", std::string(kVersion));
  app.require_subcommand(1);
  int exit_code = EXIT_SUCCESS;
  ConfigSources sources;
  sources.environment = cli::environment_of_process();
  add_serve(app, sources, exit_code);
  app.add_subcommand("worker", "")->group("")->callback([&] { exit_code = work(); });
  app.add_subcommand("box-check", "")->group("")->callback([&] { exit_code = print_host_report(); });
  cli::add_commands(app, exit_code);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return cli::report_parse_error(app, error);
  }
  return exit_code;
}

}  // namespace

int run_program(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::cerr << "rushes: " << error.what() << '\n';
    return EXIT_FAILURE;
  }
}

}  // namespace rushes::app
