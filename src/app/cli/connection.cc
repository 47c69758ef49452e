#include "app/cli/connection.h"

#include "app/cli/terminal.h"
#include "app/config.h"
#include "auth/jwt.h"
#include "auth/secret.h"
#include "base/json_writer.h"
#include "base/random.h"
#include "base/text.h"

#include <fmt/format.h>

#include <pwd.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace rushes::app::cli {
namespace {

constexpr std::chrono::hours kOwnTokenLife{24};  // never stored; long enough to watch a long job

std::string check_server(const std::string& text) {
  const auto parsed = parse_server(text);
  return parsed ? std::string() : parsed.error().what();
}

}  // namespace

std::map<std::string, std::string> environment_of_process() {
  std::map<std::string, std::string> all;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view line(*entry);
    const auto equals = line.find('=');
    if (equals != std::string_view::npos) all.emplace(line.substr(0, equals), line.substr(equals + 1));
  }
  return all;
}

Result<SigningSecret> find_secret(const SecretPlace& place) {
  ConfigSources sources;
  sources.file = place.config;
  sources.environment = environment_of_process();
  if (!place.data_dir.empty()) sources.arguments["data_dir"] = place.data_dir.string();
  const auto config = load_config(sources);
  if (!config) return config.error();
  SigningSecret secret{config->jwt_secret, {}, {}};
  if (!config->jwt_issuer.empty()) secret.issuer = config->jwt_issuer.front();
  if (!config->jwt_audience.empty()) secret.audience = config->jwt_audience.front();
  if (!secret.value.empty()) return secret;
  if (!has_own_secret(*config)) {
    return Error::for_user(Errc::not_found, "SECRET_MISSING",
                           "The server takes tokens of jwt_public_key or jwt_jwks only: get one from their issuer, and "
                           "give it in RUSHES_TOKEN.");
  }

  const auto file = config->data_dir / "secret";
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) {
    return Error::for_user(Errc::not_found, "SECRET_MISSING",
                           "No signing secret is at " + file.string() +
                               ": name the server's data folder with --data-dir, or set JWT_SECRET, or start the "
                               "server once (rushes serve), which makes one.");
  }
  SystemRng rng;
  auto stored = auth::load_or_create_secret(file, rng);
  if (!stored) return stored.error();
  secret.value = std::move(stored->value);
  return secret;
}

std::string make_token(const SigningSecret& secret, const std::string& sub, const std::string& role,
                       std::chrono::seconds ttl, const Clock& clock) {
  const auto now = std::chrono::floor<std::chrono::seconds>(clock.now()).time_since_epoch();
  json::object claims{{"sub", sub}, {"iat", now.count()}, {"exp", (now + ttl).count()}};
  if (!role.empty()) claims["role"] = role;
  if (!secret.issuer.empty()) claims["iss"] = secret.issuer;
  if (!secret.audience.empty()) claims["aud"] = secret.audience;
  return auth::sign_token(secret.value, claims);
}

std::string current_user() {
  if (const char* user = std::getenv("USER"); user != nullptr && *user != '\0') return user;
  const auto* entry = ::getpwuid(::geteuid());
  return entry == nullptr ? "me" : entry->pw_name;
}

void add_connection_options(CLI::App& command, Connection& connection) {
  constexpr const char* kGroup = "Server";
  connection.sub = current_user();
  command.add_option("--server", connection.server, "Address of the server")
      ->envname("RUSHES_SERVER")
      ->check(check_server, "")
      ->type_name("URL")
      ->capture_default_str()
      ->group(kGroup);
  command
      .add_option("--token", connection.token,
                  "Token of the user (better in RUSHES_TOKEN: other users can read command lines).\n"
                  "Without one, for a server on this machine, one is signed with its secret")
      ->envname("RUSHES_TOKEN")
      ->type_name("T")
      ->group(kGroup);
  command.add_option("--sub", connection.sub, "User to sign for, where no token is given")
      ->type_name("USER")
      ->capture_default_str()
      ->group(kGroup);
  command.add_option("--data-dir", connection.secret.data_dir, "Data folder of the server on this machine")
      ->type_name("DIR")
      ->group(kGroup);
  command.add_option("--config", connection.secret.config, "Configuration file of the server on this machine")
      ->type_name("FILE")
      ->group(kGroup);
  command.add_flag("--json", connection.json, "Print JSON, for scripts");
}

Result<Link> open_link(const Connection& connection, const std::string& role) {
  auto server = parse_server(connection.server);
  if (!server) return server.error();
  Link link{std::move(*server), connection.token, nullptr};
  if (link.token.empty()) {
    if (!is_this_machine(link.server)) {
      return Error::for_user(Errc::unauthenticated, "TOKEN_MISSING",
                             "No token for " + connection.server +
                                 ": give one with --token or RUSHES_TOKEN. On the server's machine, `rushes token "
                                 "--sub NAME` makes one.");
    }
    const auto secret = find_secret(connection.secret);
    if (!secret) return secret.error();
    link.token = make_token(*secret, connection.sub, role, kOwnTokenLife, SystemClock());
  }
  link.http = std::make_unique<HttpClient>(link.server, link.token);
  return link;
}

int fail(const Error& error, bool json) {
  if (json) {
    print_json({{"error", {{"code", error.public_name()}, {"message", error.what()}}}});
  } else {
    fmt::print(stderr, "rushes: {}\n", printable(error.what()));
  }
  return 1;
}

void print_json(const json::value& value) {
  fmt::print("{}\n", to_json_text(value));
  std::fflush(stdout);
}

}  // namespace rushes::app::cli
