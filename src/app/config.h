#pragma once
#include "base/result.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::app {

/// All that an operator can set. Read once at the start, then passed down; immutable afterwards.
struct Config {
  std::string host = "127.0.0.1";
  int port = 3000;
  std::filesystem::path data_dir = "data";
  std::string jwt_secret;                   // empty: see `has_own_secret`
  std::string jwt_public_key;               // a PEM file; empty: none
  std::vector<std::string> jwt_jwks;        // files and URLs, each behind `ISSUER ` where there are several issuers
  std::vector<std::string> jwt_issuer;      // empty: any
  std::vector<std::string> jwt_audience;    // empty: any
  std::vector<std::string> jwt_user_claim;  // paths; empty: as in auth::ClaimRules, and so the next four
  std::vector<std::string> jwt_role_claim;
  std::vector<std::string> jwt_admin_roles;
  std::vector<std::string> jwt_service_roles;
  std::vector<std::string> jwt_role_issuers;
  std::chrono::seconds jwt_skew{5};
  std::vector<std::string> cors_origins;
  std::string public_url;                                 // as users write it, without a last slash; empty: not known
  std::string base_path;                                  // `/api/v1`; empty: none
  std::vector<std::string> trusted_proxies;               // addresses, networks, `loopback`, `private`
  std::optional<std::vector<std::string>> allowed_hosts;  // nothing: any, or in development mode none
  std::string metrics_token;                              // empty: /metrics is open
  bool development = false;
  bool websocket_compression = false;
  std::string sid_prefix;  // one character, or none
  bool allow_private_addresses = false;
  std::int64_t max_upload_bytes = std::int64_t{2} << 30U;
  std::int64_t max_transcript_bytes = std::int64_t{5} << 20U;
  std::int64_t max_bulk_bytes = std::int64_t{64} << 20U;
  std::int64_t max_body_memory = std::int64_t{256} << 20U;  // of all requests together
  int workers = 3;
  int transcript_lane = 1;       // slots beside the workers, for transcripts alone
  int max_running_per_user = 0;  // 0: as many as there are workers, less one while others are there
  int max_queued_per_user = 20;
  std::int64_t max_bytes_per_user = std::int64_t{20} << 30U;  // uploads and results; 0: any number
  int max_priority = 0;
  int max_schedules_per_user = 50;
  int submits_per_minute = 0;  // of one user; 0: any number
  int max_attempts = 3;
  std::chrono::seconds lease{30};
  std::chrono::minutes job_timeout{240};
  std::int64_t max_job_memory = std::int64_t{2} << 30U;
  std::chrono::minutes max_media_length{720};
  std::string sandbox = "require-network";  // or require, best-effort
  bool allow_root = false;
  // How long what is kept; 0: for ever, or any number.
  std::chrono::days keep_jobs{90};
  std::int64_t max_kept_jobs = 1'000'000;
  std::chrono::days keep_events{30};
  std::int64_t max_kept_events = 10'000'000;
  std::chrono::days keep_uploads{7};
  std::chrono::days keep_failed_uploads{3};
  std::chrono::days keep_analyses{0};
  int max_connections_per_address = 1'000;  // 0: any number; this machine's own are not counted
  int threads = 0;                          // event loops; 0: one a processor
  std::string yt_dlp = "yt-dlp";
  std::string cookies_file;                // not without `cookies_hosts`
  std::vector<std::string> cookies_hosts;  // whose cookies of that file are used, with those of hosts below
  std::string log_level = "info";
};

/// Whether the server signs and accepts tokens with a secret of its own, kept in its data folder: where no key is
/// configured, and in development mode. Who names an issuer's keys means those alone.
bool has_own_secret(const Config& config);

/// A key set, and the `iss` that its keys sign for; empty: any that is accepted.
struct JwksPlace {
  std::string place;  // a file or a URL
  std::string issuer;
};

/// `jwt_jwks` taken apart. The issuer is the one written before the place, else the only one of `jwt_issuer`.
std::vector<JwksPlace> jwks_places(const Config& config);

/// One thing that can be set: in the file as `name`, in the environment as `RUSHES_NAME`, on the
/// command line as `--name` with dashes.
struct Setting {
  std::string_view name;
  std::string_view allowed;  // in words, for errors and help
  std::string_view help;
  std::string_view other_env;  // as back ends usually name it; empty: none
  bool secret;                 // never on the command line, where other users can read it
  /// Reads `value` into `config`, or says in one clause what is wrong with it.
  std::function<std::optional<std::string>(Config& config, const std::string& value)> set;
};

std::span<const Setting> settings();

/// Where the values come from; later ones win: file, environment, command line.
struct ConfigSources {
  std::filesystem::path file;  // empty: none
  std::map<std::string, std::string> environment;
  std::map<std::string, std::string> arguments;  // by setting's name
};

/// The variable that sets `name`: RUSHES_NAME.
std::string environment_name(std::string_view name);

/// Errors: `invalid_argument`, for an unknown key or a bad value: its source (with the line, in a
/// file), its name, and what is allowed.
Result<Config> load_config(const ConfigSources& sources);

}  // namespace rushes::app
