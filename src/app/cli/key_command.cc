#include "app/cli/commands.h"
#include "app/cli/connection.h"
#include "app/cli/duration.h"
#include "app/cli/terminal.h"
#include "app/cli/when.h"
#include "base/rfc3339.h"

#include <fmt/format.h>

#include <memory>

namespace rushes::app::cli {
namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

struct KeyOptions {
  Connection connection;
  std::string user;
  std::string name;
  std::vector<std::string> scopes;
  std::string ttl;
  std::string role;
  std::string id;
};

/// Another user's keys, and those with a role, are an admin's business.
Result<Link> open(const KeyOptions& options) {
  const bool as_admin = !options.user.empty() || !options.role.empty();
  return open_link(options.connection, as_admin ? "admin" : "");
}

Query query_of(const KeyOptions& options) { return options.user.empty() ? Query() : Query{{"userId", options.user}}; }

int run_create(const KeyOptions& options) {
  const bool json = options.connection.json;
  json::object body{{"name", options.name}, {"scopes", to_json_array(options.scopes)}};
  if (!options.user.empty()) body["userId"] = options.user;
  if (!options.role.empty()) body["role"] = options.role;
  if (!options.ttl.empty()) {
    const auto ttl = parse_duration(options.ttl);
    if (!ttl) return fail(ttl.error(), json);
    body["expiresAt"] = to_rfc3339(SystemClock().now() + *ttl);
  }
  auto link = open(options);
  if (!link) return fail(link.error(), json);
  const auto made = link->http->post("/auth/keys", body);
  if (!made) return fail(made.error(), json);
  if (json) {
    print_json(*made);
  } else {
    fmt::print("{}\n", printable(string_member(*made, "key").value_or("")));
    fmt::print(stderr, "Keep it: it is shown this once. Its id is {}.\n",
               printable(string_member(*made, "id").value_or("")));
  }
  return 0;
}

std::string when(const json::object& key, std::string_view member, Timestamp now) {
  const auto text = string_member(key, member);
  const auto time = text ? parse_rfc3339(*text) : std::nullopt;
  if (!time) return "never";
  return *time > now ? text->substr(0, text->find('T')) : ago(*time, now);
}

std::string row(std::string_view id, std::string_view scopes, std::string_view created, std::string_view used,
                std::string_view expires, std::string_view name) {
  return pad(id, 16) + "  " + pad(scopes, 20) + "  " + pad(created, 12) + "  " + pad(used, 12) + "  " +
         pad(expires, 12) + "  " + std::string(name) + "\n";
}

int run_list(const KeyOptions& options) {
  const bool json = options.connection.json;
  auto link = open(options);
  if (!link) return fail(link.error(), json);
  const auto answer = link->http->get("/auth/keys", query_of(options));
  if (!answer) return fail(answer.error(), json);
  if (json) {
    print_json(*answer);
    return 0;
  }
  const auto now = SystemClock().now();
  fmt::print("{}",
             paint(Terminal::of(stdout), Style::faint, row("ID", "SCOPES", "CREATED", "USED", "EXPIRES", "NAME")));
  for (const auto& value : answer->at("keys").as_array()) {
    const auto& key = value.as_object();
    std::string scopes;
    for (const auto& scope : key.at("scopes").as_array()) {
      scopes += (scopes.empty() ? "" : ",") + std::string(scope.as_string());
    }
    fmt::print("{}", row(printable(string_member(key, "id").value_or("")), printable(scopes),
                         when(key, "createdAt", now), when(key, "lastUsedAt", now), when(key, "expiresAt", now),
                         printable(string_member(key, "name").value_or(""))));
  }
  return 0;
}

int run_revoke(const KeyOptions& options) {
  const bool json = options.connection.json;
  auto link = open(options);
  if (!link) return fail(link.error(), json);
  const auto answer = link->http->remove("/auth/keys/" + options.id, query_of(options));
  if (!answer) return fail(answer.error(), json);
  if (json) {
    print_json(*answer);
  } else {
    fmt::print("Revoked {}.\n", printable(options.id));
  }
  return 0;
}

CLI::App* add_part(CLI::App& key, const std::shared_ptr<KeyOptions>& options, const char* name, const char* about) {
  auto* part = key.add_subcommand(name, about);
  part->add_option("--user", options->user, "Of another user; for admins")->type_name("USER");
  add_connection_options(*part, options->connection);
  return part;
}

}  // namespace

void add_key(CLI::App& app, int& exit_code) {
  auto options = std::make_shared<KeyOptions>();
  auto* key = app.add_subcommand("key", "Make, list and revoke API keys, for scripts and machines");
  key->require_subcommand(1);
  key->footer(
      "A key goes wherever a token does: RUSHES_TOKEN, Authorization: Bearer, auth.token of a socket.\n\n"
      "Examples:\n"
      "  rushes key create --scope submit,read --name backups\n"
      "  rushes key create --scope read --user alice --ttl 90d\n"
      "  rushes key list\n"
      "  rushes key revoke 3f0c5d7a91b2e486");

  auto* create = add_part(*key, options, "create", "Make a key; its text is shown once");
  create->add_option("--scope", options->scopes, "What it may do: read, submit, manage")
      ->delimiter(',')
      ->required()
      ->check(CLI::IsMember({"read", "submit", "manage"}))
      ->type_name("SCOPE,...");
  options->name = "made by rushes key";
  create->add_option("--name", options->name, "What it is for")->type_name("TEXT")->capture_default_str();
  create->add_option("--ttl", options->ttl, "How long it is valid: 15m, 7d, 365d; without it until it is revoked")
      ->check(
          [](const std::string& text) {
            const auto length = parse_duration(text);
            return length ? std::string() : length.error().what();
          },
          "")
      ->type_name("TIME");
  create->add_option("--role", options->role, "A role, such as admin or service; for admins")->type_name("ROLE");
  create->callback([options, &exit_code] { exit_code = run_create(*options); });

  auto* list = add_part(*key, options, "list", "List keys, and when they were last used");
  list->callback([options, &exit_code] { exit_code = run_list(*options); });

  auto* revoke = add_part(*key, options, "revoke", "Revoke a key; what it opened ends at once");
  revoke->add_option("ID", options->id, "The key's id, as listed")->required();
  revoke->callback([options, &exit_code] { exit_code = run_revoke(*options); });
}

}  // namespace rushes::app::cli
