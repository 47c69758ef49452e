#include "app/config.h"
#include "auth/jwks_fetch.h"
#include "base/text.h"
#include "net/cors.h"
#include "net/forwarded.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace rushes::app {
namespace {

using Failure = std::optional<std::string>;
using Setter = std::function<Failure(Config&, const std::string&)>;

std::optional<std::int64_t> whole_number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class Field>
Setter number(Field Config::*field, std::int64_t least, std::int64_t most) {
  return [=](Config& config, const std::string& text) -> Failure {
    const auto value = whole_number(text);
    if (!value || *value < least || *value > most) return "is not allowed";
    if constexpr (std::is_integral_v<Field>) {
      config.*field = static_cast<Field>(*value);
    } else {
      config.*field = Field(*value);
    }
    return std::nullopt;
  };
}

/// A number of bytes, plain or with KiB, MiB or GiB.
Setter bytes(std::int64_t Config::*field) {
  return [=](Config& config, const std::string& text) -> Failure {
    const auto unit_at = text.find_first_not_of("0123456789");
    const auto value = whole_number(text.substr(0, unit_at));
    const auto unit = unit_at == std::string::npos ? std::string_view() : trim(std::string_view(text).substr(unit_at));
    constexpr std::array<std::pair<std::string_view, unsigned>, 4> kUnits{
        {{"", 0}, {"KiB", 10}, {"MiB", 20}, {"GiB", 30}}};
    const auto* found =
        std::find_if(kUnits.begin(), kUnits.end(), [&](const auto& known) { return known.first == unit; });
    if (!value || *value < 1 || found == kUnits.end() || *value > (std::int64_t{1} << 40U)) return "is not allowed";
    config.*field = *value << found->second;
    return std::nullopt;
  };
}

Setter bytes_or_any(std::int64_t Config::*field) {
  return [=, set = bytes(field)](Config& config, const std::string& text) -> Failure {
    if (text != "0") return set(config, text);
    config.*field = 0;
    return std::nullopt;
  };
}

Setter flag(bool Config::*field) {
  return [=](Config& config, const std::string& text) -> Failure {
    if (text != "true" && text != "false" && text != "1" && text != "0") return "is not allowed";
    config.*field = text == "true" || text == "1";
    return std::nullopt;
  };
}

template <class Field>
Setter text(Field Config::*field) {
  return [=](Config& config, const std::string& value) -> Failure {
    config.*field = value;
    return std::nullopt;
  };
}

Setter filled(std::string Config::*field) {
  return [=](Config& config, const std::string& value) -> Failure {
    if (value.empty()) return "is empty";
    config.*field = value;
    return std::nullopt;
  };
}

Failure set_secret(Config& config, const std::string& value) {
  // RFC 7518, 3.2. Whoever sees one token can try shorter ones until one fits, without asking us.
  if (value.size() < 32) return "is shorter than 32 bytes";
  config.jwt_secret = value;
  return std::nullopt;
}

std::vector<std::string> split_at_commas(const std::string& value) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  while (from <= value.size()) {
    const auto comma = std::min(value.find(',', from), value.size());
    const auto part = trim(std::string_view(value).substr(from, comma - from));
    from = comma + 1;
    if (!part.empty()) parts.emplace_back(part);
  }
  return parts;
}

/// At least one: an empty value would silently accept everything.
Setter filled_list(std::vector<std::string> Config::*field) {
  return [=](Config& config, const std::string& value) -> Failure {
    auto parts = split_at_commas(value);
    if (parts.empty()) return "is empty";
    config.*field = std::move(parts);
    return std::nullopt;
  };
}

Failure set_jwks(Config& config, const std::string& value) {
  auto entries = split_at_commas(value);
  if (entries.empty()) return "is empty";
  for (const auto& entry : entries) {
    const auto place = entry.substr(entry.find_last_of(" \t") + 1);
    const auto wrong = auth::is_url(place) ? auth::check_jwks_url(place) : std::string();
    if (!wrong.empty()) return wrong;
  }
  config.jwt_jwks = std::move(entries);
  return std::nullopt;
}

Failure set_origins(Config& config, const std::string& value) {
  auto origins = split_at_commas(value);
  for (const auto& origin : origins) {
    if (!net::is_origin_pattern(origin)) return "holds '" + origin + "', which is not an origin";
  }
  config.cors_origins = std::move(origins);
  return std::nullopt;
}

/// A path of plain segments without its last slash, or nothing for `/`: `/api/v1`.
std::optional<std::string> plain_path(std::string_view path) {
  if (path.ends_with('/')) path.remove_suffix(1);
  const auto plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/-._~").find(c) != std::string_view::npos;
  };
  const bool good = path.empty() || (path.front() == '/' && path.find("//") == std::string_view::npos &&
                                     path.find("/.") == std::string_view::npos);
  if (!good || !std::all_of(path.begin(), path.end(), plain)) return std::nullopt;
  return std::string(path);
}

Failure set_public_url(Config& config, const std::string& value) {
  const auto scheme = value.find("://");
  const auto slash = scheme == std::string::npos ? value.size() : std::min(value.find('/', scheme + 3), value.size());
  const auto path = plain_path(std::string_view(value).substr(slash));
  if (!net::parse_origin(value.substr(0, slash)) || !path) return "is not an address such as a browser shows";
  config.public_url = value.substr(0, slash) + *path;
  return std::nullopt;
}

Failure set_base_path(Config& config, const std::string& value) {
  auto path = plain_path(value);
  if (!path || value.empty()) return "is not a path";
  config.base_path = std::move(*path);
  return std::nullopt;
}

Failure set_trusted_proxies(Config& config, const std::string& value) {
  auto proxies = split_at_commas(value);
  const auto ranges = net::AddressRanges::parse(proxies);
  if (!ranges) return "holds '" + ranges.error().what() + "', which is no address and no network";
  config.trusted_proxies = std::move(proxies);
  return std::nullopt;
}

Failure set_allowed_hosts(Config& config, const std::string& value) {
  auto hosts = split_at_commas(value);
  for (auto& host : hosts) {
    if (!net::is_host_pattern(host)) return "holds '" + host + "', which is not a host's name";
    host = to_lower_ascii(host);
  }
  config.allowed_hosts = std::move(hosts);
  return std::nullopt;
}

Failure set_metrics_token(Config& config, const std::string& value) {
  if (value.size() < 8) return "is shorter than 8 characters";
  config.metrics_token = value;
  return std::nullopt;
}

Failure set_cookies_hosts(Config& config, const std::string& value) {
  auto hosts = split_at_commas(value);
  for (const auto& host : hosts) {
    const auto plain = [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    };
    // One label alone would be a whole top-level domain.
    const auto dot = host.find('.', 1);
    if (!std::all_of(host.begin(), host.end(), plain) || dot == std::string::npos || dot + 1 == host.size()) {
      return "holds '" + host + "', which is not a host";
    }
  }
  config.cookies_hosts = std::move(hosts);
  return std::nullopt;
}

Failure set_sid_prefix(Config& config, const std::string& value) {
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  if (value.size() > 1 || !std::all_of(value.begin(), value.end(), allowed)) return "is not allowed";
  config.sid_prefix = value;
  return std::nullopt;
}

Failure set_log_level(Config& config, const std::string& value) {
  constexpr std::array<std::string_view, 6> kLevels{"trace", "debug", "info", "warning", "error", "off"};
  if (std::find(kLevels.begin(), kLevels.end(), value) == kLevels.end()) return "is not allowed";
  config.log_level = value;
  return std::nullopt;
}

Failure set_sandbox(Config& config, const std::string& value) {
  if (value != "require" && value != "require-network" && value != "best-effort") return "is not allowed";
  config.sandbox = value;
  return std::nullopt;
}

/// `bytes` with a least number of MiB.
Setter bytes_from(std::int64_t Config::*field, std::int64_t least) {
  return [=](Config& config, const std::string& text) -> Failure {
    if (auto failure = bytes(field)(config, text)) return failure;
    return config.*field < (least << 20U) ? Failure("is not allowed") : std::nullopt;
  };
}

}  // namespace

std::span<const Setting> settings() {
  constexpr std::int64_t kMany = 100'000;
  constexpr std::int64_t kLongest = 36'500;
  constexpr std::int64_t kMost = 1'000'000'000;
  static const std::vector<Setting> all{
      {"host", "an address of this machine", "Address to listen on; 0.0.0.0 for all", "HOST", false,
       filled(&Config::host)},
      {"port", "0 to 65535; 0 takes a free one", "Port to listen on", "PORT", false, number(&Config::port, 0, 65535)},
      {"data_dir", "a folder", "Folder of the database, uploads and results", "", false, text(&Config::data_dir)},
      {"jwt_secret", "32 bytes or more, such as `openssl rand -hex 32` prints",
       "Secret that signs the users' tokens (HS256, HS384, HS512)", "JWT_SECRET", true, set_secret},
      {"jwt_public_key", "a PEM file with a public key or certificate: RSA, P-256, P-384, P-521 or Ed25519",
       "Key that verifies the users' tokens (RS256, PS256, ES256, Ed25519, …)", "", false,
       filled(&Config::jwt_public_key)},
      {"jwt_jwks",
       "a file, or an http or https URL without a user name; several, separated by commas, each behind its issuer",
       "Keys (JWKS) that verify the users' tokens, read again when they change", "", false, set_jwks},
      {"jwt_issuer", "one issuer or more, separated by commas", "Who may have issued the tokens (claim iss)", "", false,
       filled_list(&Config::jwt_issuer)},
      {"jwt_audience", "one audience or more, separated by commas", "Whom tokens must be meant for (claim aud)", "",
       false, filled_list(&Config::jwt_audience)},
      {"jwt_user_claim", "claims such as sub or user.id, separated by commas", "Where a token names its user", "",
       false, filled_list(&Config::jwt_user_claim)},
      {"jwt_role_claim", "claims such as roles or realm_access.roles, separated by commas",
       "Where a token names its user's roles", "", false, filled_list(&Config::jwt_role_claim)},
      {"jwt_admin_roles", "values of the role claim, separated by commas", "Which roles are operators (admin)", "",
       false, filled_list(&Config::jwt_admin_roles)},
      {"jwt_service_roles", "values of the role claim, separated by commas", "Which roles are back ends (service)", "",
       false, filled_list(&Config::jwt_service_roles)},
      {"jwt_role_issuers", "issuers of jwt_issuer, separated by commas", "Whose tokens may name roles", "", false,
       filled_list(&Config::jwt_role_issuers)},
      {"jwt_skew", "0 to 300 seconds", "How far the issuer's clock may differ", "", false,
       number(&Config::jwt_skew, 0, 300)},
      {"cors_origins", "origins such as https://app.example or https://*.app.example, separated by commas",
       "Web origins that may use the server, besides its own", "", false, set_origins},
      {"public_url", "an http or https address such as https://app.example/rushes",
       "The server's address as its users write it", "", false, set_public_url},
      {"base_path", "a path such as /api/v1", "Path that everything is served below", "", false, set_base_path},
      {"trusted_proxies", "addresses, networks such as 10.0.0.0/8, loopback, private; separated by commas",
       "Proxies whose word on their clients' addresses is believed", "", false, set_trusted_proxies},
      {"allowed_hosts", "names such as app.example or *.app.example, separated by commas",
       "Names that requests may call the server by, besides addresses, localhost and public_url's", "", false,
       set_allowed_hosts},
      {"metrics_token", "8 characters or more", "Token that GET /metrics asks for", "", true, set_metrics_token},
      {"development", "true, false", "Give tokens to anyone on this machine (GET /dev/token)", "", false,
       flag(&Config::development)},
      {"websocket_compression", "true, false", "Compress messages of 1 KiB and more for clients that offer it", "",
       false, flag(&Config::websocket_compression)},
      {"sid_prefix", "one of A to Z, a to z, 0 to 9, - and _, or nothing",
       "First character of the ids of socket sessions, by which a balancer finds this server", "", false,
       set_sid_prefix},
      {"allow_private_addresses", "true, false", "Let users name URLs on private networks", "", false,
       flag(&Config::allow_private_addresses)},
      {"max_upload_bytes", "a number of bytes, or with KiB, MiB, GiB", "Largest file taken", "", false,
       bytes(&Config::max_upload_bytes)},
      {"max_transcript_bytes", "a number of bytes, or with KiB, MiB, GiB", "Longest transcript taken", "", false,
       bytes(&Config::max_transcript_bytes)},
      {"max_bulk_bytes", "a number of bytes, or with KiB, MiB, GiB", "Largest body of a bulk submit", "", false,
       bytes(&Config::max_bulk_bytes)},
      {"max_body_memory", "a number of bytes, or with KiB, MiB, GiB, from 1 MiB on",
       "Memory for the bodies of all requests that are coming in", "", false, bytes_from(&Config::max_body_memory, 1)},
      {"workers", "1 to 256", "Jobs worked on at once", "", false, number(&Config::workers, 1, 256)},
      {"max_connections_per_address", "0 to 100000", "Open connections of one address; 0: any number", "", false,
       number(&Config::max_connections_per_address, 0, kMany)},
      {"transcript_lane", "0 to 256", "Jobs worked on at once beside the workers, transcripts alone; 0: none", "",
       false, number(&Config::transcript_lane, 0, 256)},
      {"max_running_per_user", "0 to 100000",
       "Jobs of one user worked on at once; 0: as many as workers, one less while others are there", "", false,
       number(&Config::max_running_per_user, 0, kMany)},
      {"max_queued_per_user", "1 to 100000", "Unfinished jobs of one user", "", false,
       number(&Config::max_queued_per_user, 1, kMany)},
      {"max_bytes_per_user", "a number of bytes, or with KiB, MiB, GiB; 0: any number",
       "Uploads and results that one user may keep", "", false, bytes_or_any(&Config::max_bytes_per_user)},
      {"max_priority", "0 to 10", "Highest priority that users may give their jobs", "", false,
       number(&Config::max_priority, 0, 10)},
      {"max_schedules_per_user", "0 to 100000", "Recurring jobs of one user", "", false,
       number(&Config::max_schedules_per_user, 0, kMany)},
      {"submits_per_minute", "0 to 100000", "Jobs that a user may submit in a minute; 0: any number", "", false,
       number(&Config::submits_per_minute, 0, kMany)},
      {"max_attempts", "1 to 100", "Attempts at a job whose worker crashes", "", false,
       number(&Config::max_attempts, 1, 100)},
      {"lease", "a whole number of seconds, 1 to 3600", "Silence after which a running job is taken from its worker",
       "", false, number(&Config::lease, 1, 3600)},
      {"job_timeout", "a whole number of minutes, 1 to 10080", "Longest work on one job", "", false,
       number(&Config::job_timeout, 1, 10080)},
      {"max_job_memory", "a number of bytes, or with KiB, MiB, GiB, from 256 MiB on", "Memory that one job may use", "",
       false, bytes_from(&Config::max_job_memory, 256)},
      {"max_media_length", "a whole number of minutes, 1 to 10080", "Longest recording that is analysed", "", false,
       number(&Config::max_media_length, 1, 10080)},
      {"sandbox", "require, require-network, best-effort",
       "What to do where the host cannot confine jobs: refuse to start, refuse URLs, or do without", "", false,
       set_sandbox},
      {"allow_root", "true, false", "Run as root; jobs run as the user rushes, or as uid 65534", "", false,
       flag(&Config::allow_root)},
      {"keep_jobs", "0 to 36500 days; 0: for ever", "How long jobs are kept after their end", "", false,
       number(&Config::keep_jobs, 0, kLongest)},
      {"max_kept_jobs", "0 to 1000000000; 0: any number", "Jobs kept; the oldest that have ended go first", "", false,
       number(&Config::max_kept_jobs, 0, kMost)},
      {"keep_events", "0 to 36500 days; 0: for ever", "How long what was told is kept, for those who come back", "",
       false, number(&Config::keep_events, 0, kLongest)},
      {"max_kept_events", "0 to 1000000000; 0: any number", "Events kept; the oldest go first", "", false,
       number(&Config::max_kept_events, 0, kMost)},
      {"keep_uploads", "0 to 36500 days; 0: as long as the job",
       "How long an uploaded file is kept after its job's end", "", false, number(&Config::keep_uploads, 0, kLongest)},
      {"keep_failed_uploads", "0 to 36500 days; 0: as long as the job",
       "How long the file of a failed job is kept, for its retry", "", false,
       number(&Config::keep_failed_uploads, 0, kLongest)},
      {"keep_analyses", "0 to 36500 days; 0: for ever", "How long saved analyses and their files are kept", "", false,
       number(&Config::keep_analyses, 0, kLongest)},
      {"threads", "0 to 256; 0 is one a processor", "Event loops", "", false, number(&Config::threads, 0, 256)},
      {"yt_dlp", "a program's name or path", "The yt-dlp to fetch videos with", "", false, filled(&Config::yt_dlp)},
      {"cookies_file", "a file in Netscape's cookie format", "Cookies for sites that ask for a signed-in user", "",
       false, text(&Config::cookies_file)},
      {"cookies_hosts", "hosts such as video.example, separated by commas",
       "Whose cookies are used, and for whose URLs; with the hosts below them", "", false, set_cookies_hosts},
      {"log_level", "trace, debug, info, warning, error, off", "Least severe messages written", "", false,
       set_log_level},
  };
  return all;
}

}  // namespace rushes::app
