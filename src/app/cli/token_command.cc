#include "app/cli/commands.h"
#include "app/cli/connection.h"
#include "app/cli/duration.h"

#include <fmt/format.h>

#include <memory>

namespace rushes::app::cli {
namespace {

struct TokenOptions {
  std::string sub;
  std::string role;
  std::string ttl = "1h";
  SecretPlace secret;
  bool json = false;
};

int run(const TokenOptions& options) {
  const auto ttl = parse_duration(options.ttl);
  if (!ttl) return fail(ttl.error(), options.json);
  const auto secret = find_secret(options.secret);
  if (!secret) return fail(secret.error(), options.json);
  const SystemClock clock;
  const auto token = make_token(*secret, options.sub, options.role, *ttl, clock);
  if (!options.json) {
    fmt::print("{}\n", token);
    return 0;
  }
  json::object document{{"token", token}, {"sub", options.sub}, {"expiresAt", to_rfc3339(clock.now() + *ttl)}};
  if (!options.role.empty()) document["role"] = options.role;
  print_json(document);
  return 0;
}

}  // namespace

void add_token(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<TokenOptions>();
  options->sub = current_user();
  auto* command = app.add_subcommand("token", "Make a token for a user of the server on this machine");
  command->add_option("--sub", options->sub, "The user's id")
      ->type_name("USER")
      ->capture_default_str()
      ->check(
          [](const std::string& sub) { return sub.empty() ? std::string("a user's id is not empty") : std::string(); },
          "");
  command->add_option("--role", options->role, "Claim `role`, such as admin or service")->type_name("ROLE");
  command->add_option("--ttl", options->ttl, "How long it is valid: 90s, 15m, 1h, 7d")
      ->capture_default_str()
      ->check(
          [](const std::string& text) {
            const auto length = parse_duration(text);
            return length ? std::string() : length.error().what();
          },
          "")
      ->type_name("TIME");
  command->add_option("--data-dir", options->secret.data_dir, "The server's data folder, which keeps its secret")
      ->type_name("DIR");
  command->add_option("--config", options->secret.config, "The server's configuration file")->type_name("FILE");
  command->add_flag("--json", options->json, "Print JSON, for scripts");
  command->footer(
      "The token is signed with JWT_SECRET where that is set, else with the server's own secret.\n\n"
      "Examples:\n"
      "  rushes token --sub alice\n"
      "  rushes token --sub ops --role admin --ttl 7d --data-dir /var/lib/rushes\n"
      "  export RUSHES_TOKEN=$(rushes token --sub alice)");
  command->callback([options, &exit_code] { exit_code = run(*options); });
}

}  // namespace rushes::app::cli
