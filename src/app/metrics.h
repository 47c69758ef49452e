#pragma once
#include "gateways/token_guard.h"
#include "net/http_server.h"
#include "net/router.h"
#include "queue/housekeeper.h"
#include "queue/job_service.h"
#include "queue/rates.h"
#include "queue/schedule_runner.h"
#include "socketio/server.h"
#include "webhooks/webhook_store.h"

#include <functional>
#include <optional>
#include <string>

namespace rushes::app {

/// What the store, its housekeeping, the schedules and the webhooks tell of themselves.
struct Upkeep {
  const queue::HousekeepingCounts& removed;
  queue::DiskQuota& quota;
  std::function<std::optional<Error>()> refusal;  // why the disk takes nothing; see Store::refusal
  std::function<std::size_t()> waiting_changes;
  const queue::ScheduleCounts& scheduled;
  const queue::Rates& rates;
  const Clock& clock;
  webhooks::WebhookStore& webhooks;
};

/// `GET /metrics`, in the text format of Prometheus: sockets, events, HTTP, jobs, this process. Asks for `token` as a
/// bearer token; open where it is empty. What each metric says: docs/operations.md.
/// https://prometheus.io/docs/instrumenting/exposition_formats/
///
/// Lifetime:  the parts outlive the router.
void add_metrics_route(net::Router& router, const socketio::Server& sockets, const gateways::TokenGuard& guard,
                       const net::HttpServer& http, queue::JobService& jobs, Upkeep upkeep, std::string token);

}  // namespace rushes::app
