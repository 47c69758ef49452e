#pragma once
#include "api/context.h"
#include "app/config.h"
#include "auth/claims.h"
#include "auth/key_ring.h"
#include "net/http_server.h"
#include "queue/data_folder.h"
#include "queue/housekeeper.h"
#include "queue/scheduler.h"
#include "socketio/server.h"

#include <string>
#include <vector>

namespace rushes::app {

// What each part of the server is told of the configuration.

net::HttpOptions http_options(const Config& config);
socketio::ServerOptions socket_options(const Config& config);
api::Limits api_limits(const Config& config);
/// `folder` outlives them.
queue::SchedulerOptions scheduler_options(const Config& config, const queue::DataFolder& folder);
queue::Retention retention(const Config& config);
queue::QuotaOptions quota_options(const Config& config);
/// `secret`: that of the configuration, or the server's own; empty: none.
std::vector<auth::KeySource> key_sources(const Config& config, const std::string& secret);
auth::ClaimRules claim_rules(const Config& config);

}  // namespace rushes::app
