#include "app/config.h"

#include "base/text.h"

#include <toml++/toml.h>

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace rushes::app {
namespace {

const Setting* find_setting(std::string_view name) {
  const auto all = settings();
  const auto found = std::find_if(all.begin(), all.end(), [&](const Setting& known) { return known.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::string known_names() {
  std::string names;
  for (const auto& setting : settings()) names += (names.empty() ? "" : ", ") + std::string(setting.name);
  return names;
}

Error bad(const std::string& where, const std::string& what) { return {Errc::invalid_argument, where + ": " + what}; }

Result<void> apply(Config& config, const Setting& setting, const std::string& value, const std::string& where) {
  const auto failure = setting.set(config, value);
  if (!failure) return {};
  const auto shown = setting.secret ? "the value" : "'" + value + "'";
  return bad(where,
             std::string(setting.name) + ": " + shown + " " + *failure + "; allowed: " + std::string(setting.allowed));
}

Result<std::string> toml_text(const toml::node& node) {
  if (const auto* value = node.as_string()) return value->get();
  if (const auto* value = node.as_integer()) return std::to_string(value->get());
  if (const auto* value = node.as_boolean()) return std::string(value->get() ? "true" : "false");
  if (const auto* list = node.as_array()) {
    std::string joined;
    for (const auto& item : *list) {
      const auto text = toml_text(item);
      if (!text) return text;
      joined += (joined.empty() ? "" : ",") + *text;
    }
    return joined;
  }
  return Error(Errc::invalid_argument, "neither text, number, truth value nor list");
}

Result<void> apply_file(Config& config, const std::filesystem::path& file) {
  const auto at = [&](const toml::source_region& region) {
    return file.string() + ":" + std::to_string(region.begin.line);
  };
  toml::table table;
  try {
    table = toml::parse_file(file.string());
  } catch (const toml::parse_error& error) {
    const bool readable = ::access(file.c_str(), R_OK) == 0;
    if (!readable) return bad(file.string(), std::string("cannot be read: ") + std::strerror(errno));
    return bad(at(error.source()),
               std::string(error.description()) + "; not TOML: text needs quotes, as in sandbox = \"require\"");
  }
  for (const auto& [key, node] : table) {
    const auto where = at(key.source());
    const auto* setting = find_setting(key.str());
    if (setting == nullptr) {
      return bad(where, "unknown key '" + std::string(key.str()) + "'; allowed: " + known_names());
    }
    const auto value = toml_text(node);
    if (!value) return bad(where, std::string(key.str()) + ": " + value.error().what());
    if (auto applied = apply(config, *setting, *value, where); !applied) return applied;
  }
  return {};
}

Result<void> apply_environment(Config& config, const std::map<std::string, std::string>& environment) {
  // The clients' own variables (app/cli) share the prefix.
  constexpr std::array<std::string_view, 3> kClients{"RUSHES_SERVER", "RUSHES_TOKEN", "RUSHES_WORKER_SETTINGS"};
  // Of these, absence would let everyone's tokens in, which nobody means by an empty one.
  constexpr std::array<std::string_view, 2> kNarrowing{"RUSHES_JWT_ISSUER", "RUSHES_JWT_AUDIENCE"};
  // Any other empty variable is as absent: `PORT: ${PORT}` of a compose file leaves one where nothing is set.
  const auto has = [&](const std::string& name) {
    const auto found = environment.find(name);
    return found != environment.end() && !found->second.empty();
  };
  for (const auto& [name, value] : environment) {
    if (value.empty() && std::find(kNarrowing.begin(), kNarrowing.end(), name) == kNarrowing.end()) continue;
    if (std::find(kClients.begin(), kClients.end(), name) != kClients.end()) continue;
    const Setting* found = nullptr;
    for (const auto& setting : settings()) {
      const bool usual =
          !setting.other_env.empty() && name == setting.other_env && !has(environment_name(setting.name));
      if (name == environment_name(setting.name) || usual) found = &setting;
    }
    if (found != nullptr) {
      if (auto applied = apply(config, *found, value, "environment variable " + name); !applied) return applied;
    } else if (name.starts_with("RUSHES_")) {
      return bad("environment variable " + name, "unknown; allowed: RUSHES_ and one of " + known_names());
    }
  }
  return {};
}

}  // namespace

std::string environment_name(std::string_view name) {
  std::string upper = "RUSHES_";
  for (const char c : name) upper += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  return upper;
}

bool has_own_secret(const Config& config) {
  if (!config.jwt_secret.empty()) return false;
  return config.development || (config.jwt_public_key.empty() && config.jwt_jwks.empty());
}

std::vector<JwksPlace> jwks_places(const Config& config) {
  std::vector<JwksPlace> places;
  for (const auto& entry : config.jwt_jwks) {
    JwksPlace place{entry, config.jwt_issuer.size() == 1 ? config.jwt_issuer.front() : ""};
    for (const auto& issuer : config.jwt_issuer) {
      if (!entry.starts_with(issuer + " ")) continue;
      place = {std::string(trim(std::string_view(entry).substr(issuer.size()))), issuer};
    }
    places.push_back(std::move(place));
  }
  return places;
}

namespace {

/// RFC 8725, 3.8: keys belong to their issuer, so one issuer's must not sign another's tokens.
Result<void> check_issuers(const Config& config) {
  for (const auto& [place, issuer] : jwks_places(config)) {
    if (const auto blank = place.find(' ');
        blank != std::string::npos && place.find("://", blank) != std::string::npos) {
      return bad("jwt_jwks", "'" + place + "' begins with an issuer that is none of jwt_issuer");
    }
    if (!issuer.empty() || config.jwt_issuer.empty()) continue;
    return bad("jwt_jwks", "'" + place + "' must begin with the issuer whose keys it holds, one of jwt_issuer, and a " +
                               "blank: jwt_jwks = [\"" + config.jwt_issuer.front() + " " + place + "\", …]");
  }
  if (!config.jwt_public_key.empty() && config.jwt_issuer.size() > 1) {
    return bad("jwt_public_key",
               "belongs to one issuer, and jwt_issuer names several; make it a JWKS file of jwt_jwks");
  }
  for (const auto& issuer : config.jwt_role_issuers) {
    if (std::find(config.jwt_issuer.begin(), config.jwt_issuer.end(), issuer) == config.jwt_issuer.end()) {
      return bad("jwt_role_issuers", "'" + issuer + "' is none of jwt_issuer");
    }
  }
  return {};
}

}  // namespace

Result<Config> load_config(const ConfigSources& sources) {
  Config config;
  if (!sources.file.empty()) {
    if (auto applied = apply_file(config, sources.file); !applied) return applied.error();
  }
  if (auto applied = apply_environment(config, sources.environment); !applied) return applied.error();
  for (const auto& [name, value] : sources.arguments) {
    const auto* setting = find_setting(name);
    if (setting == nullptr) return bad("--" + name, "unknown option");
    if (auto applied = apply(config, *setting, value, "command line"); !applied) return applied.error();
  }
  if (!config.cookies_file.empty() && config.cookies_hosts.empty()) {
    return bad("cookies_file",
               "is not used without cookies_hosts; name there the hosts whose cookies may be used, such "
               "as cookies_hosts = [\"video.example\"]");
  }
  if (auto fit = check_issuers(config); !fit) return fit.error();
  return config;
}

}  // namespace rushes::app
