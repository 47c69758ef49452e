#include "app/options.h"

#include "app/open_files.h"

#include <algorithm>

namespace rushes::app {

namespace {

net::EntryOptions entry_options(const Config& config) {
  net::EntryOptions options;
  options.cors.allowed_origins = config.cors_origins;
  const auto path = config.public_url.find('/', config.public_url.find("://") + 3);
  options.cors.public_origin = net::parse_origin(config.public_url.substr(0, path));
  options.cors.allow_localhost = config.development;
  options.trusted_proxies = net::AddressRanges::parse(config.trusted_proxies).value();
  options.allowed_hosts = config.allowed_hosts;
  // A token can be had without a password then: no name that a stranger's DNS leads here.
  if (config.development && !options.allowed_hosts) options.allowed_hosts.emplace();
  options.base_path = config.base_path;
  return options;
}

}  // namespace

net::HttpOptions http_options(const Config& config) {
  net::HttpOptions options;
  options.host = config.host;
  options.port = static_cast<std::uint16_t>(config.port);
  options.entry = entry_options(config);
  options.limits.max_body_memory = static_cast<std::size_t>(config.max_body_memory);
  options.limits.max_connections = connections_for(open_file_limit());
  // No address has more than half of what there is, where that is little.
  options.limits.per_address.max_connections =
      std::min(static_cast<std::size_t>(config.max_connections_per_address), options.limits.max_connections / 2);
  if (config.max_connections_per_address == 0) options.limits.per_address.max_connects_per_second = 0;
  return options;
}

socketio::ServerOptions socket_options(const Config& config) {
  socketio::ServerOptions options;
  options.per_message_deflate = config.websocket_compression;
  options.sid_prefix = config.sid_prefix;
  return options;
}

api::Limits api_limits(const Config& config) {
  api::Limits limits;
  limits.max_upload_bytes = static_cast<std::uint64_t>(config.max_upload_bytes);
  limits.max_transcript_bytes = static_cast<std::size_t>(config.max_transcript_bytes);
  limits.max_bulk_bytes = static_cast<std::uint64_t>(config.max_bulk_bytes);
  limits.max_priority = config.max_priority;
  limits.max_attempts = config.max_attempts;
  limits.max_schedules_per_user = config.max_schedules_per_user;
  return limits;
}

queue::SchedulerOptions scheduler_options(const Config& config, const queue::DataFolder& folder) {
  queue::SchedulerOptions options;
  options.lease = config.lease;
  options.sharing = {config.workers, config.transcript_lane, config.max_running_per_user};
  options.has_room = [&folder] { return folder.has_room(); };
  return options;
}

queue::Retention retention(const Config& config) {
  queue::Retention retention;
  retention.jobs = config.keep_jobs;
  retention.max_jobs = config.max_kept_jobs;
  retention.events = config.keep_events;
  retention.max_events = config.max_kept_events;
  retention.analyses = config.keep_analyses;
  return retention;
}

queue::QuotaOptions quota_options(const Config& config) {
  queue::QuotaOptions options;
  options.max_bytes_per_user = static_cast<std::uint64_t>(config.max_bytes_per_user);
  options.keep = {config.keep_uploads, config.keep_failed_uploads, std::chrono::hours(1)};
  return options;
}

std::vector<auth::KeySource> key_sources(const Config& config, const std::string& secret) {
  using Kind = auth::KeySource::Kind;
  std::vector<auth::KeySource> sources;
  if (!secret.empty()) sources.push_back({Kind::secret, secret, "jwt_secret"});
  if (!config.jwt_public_key.empty()) {
    sources.push_back({Kind::pem_file, config.jwt_public_key, "jwt_public_key"});
  }
  for (const auto& [place, issuer] : jwks_places(config)) {
    sources.push_back({auth::is_url(place) ? Kind::jwks_url : Kind::jwks_file, place, "jwt_jwks", issuer});
  }
  return sources;
}

auth::ClaimRules claim_rules(const Config& config) {
  auth::ClaimRules rules{config.jwt_issuer, config.jwt_audience, config.jwt_skew};
  if (!config.jwt_user_claim.empty()) rules.user_claims = config.jwt_user_claim;
  if (!config.jwt_role_claim.empty()) rules.role_claims = config.jwt_role_claim;
  if (!config.jwt_admin_roles.empty()) rules.admin_roles = config.jwt_admin_roles;
  if (!config.jwt_service_roles.empty()) rules.service_roles = config.jwt_service_roles;
  rules.role_issuers = config.jwt_role_issuers;
  return rules;
}

}  // namespace rushes::app
