#include "app/metrics.h"

#include "app/version.h"
#include "auth/signature.h"
#include "base/file.h"
#include "base/text.h"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>

namespace rushes::app {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;
using Labels = std::vector<std::pair<std::string, std::string>>;

/// Collects families in the order of their first mention.
class Page {
 public:
  void counter(const std::string& name, const char* help, double value, const Labels& labels = {}) {
    metric(name, help, MetricType::Counter, labels).counter.value = value;
  }
  void gauge(const std::string& name, const char* help, double value, const Labels& labels = {}) {
    metric(name, help, MetricType::Gauge, labels).gauge.value = value;
  }
  void histogram(const std::string& name, const char* help, const ClientMetric::Histogram& histogram) {
    metric(name, help, MetricType::Histogram, {}).histogram = histogram;
  }
  std::string text() const { return prometheus::TextSerializer().Serialize(families_); }

 private:
  ClientMetric& metric(const std::string& name, const char* help, MetricType type, const Labels& labels) {
    if (families_.empty() || families_.back().name != name) families_.push_back({name, help, type, {}});
    auto& added = families_.back().metric.emplace_back();
    for (const auto& [label, value] : labels) added.label.push_back({label, value});
    return added;
  }

  std::vector<MetricFamily> families_;
};

/// The sum over all shards of what `pick` finds in one.
template <class Pick>
double sum(std::size_t shards, Pick pick) {
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < shards; ++i) total += pick(i).value();
  return static_cast<double>(total);
}

void write_transports(Page& page, const socketio::Server& sockets) {
  const auto n = sockets.shards();
  const auto all = [&](const Counter engineio::SessionCounts::*which) {
    return sum(n, [&](std::size_t i) -> const Counter& { return sockets.session_counts(i).*which; });
  };
  using Counts = engineio::SessionCounts;
  const auto upgraded = all(&Counts::upgraded);
  const auto* open = "Open connections, by what carries them.";
  page.gauge("rushes_connections", open, all(&Counts::opened_polling) - upgraded - all(&Counts::closed_polling),
             {{"transport", "polling"}});
  page.gauge("rushes_connections", open, all(&Counts::opened_websocket) + upgraded - all(&Counts::closed_websocket),
             {{"transport", "websocket"}});
  const auto* opened = "Connections that were opened, by what carried them first.";
  page.counter("rushes_connections_opened_total", opened, all(&Counts::opened_polling), {{"transport", "polling"}});
  page.counter("rushes_connections_opened_total", opened, all(&Counts::opened_websocket), {{"transport", "websocket"}});
  page.counter("rushes_connections_upgraded_total", "Connections that moved from polling to a WebSocket.", upgraded);
  for (std::size_t reason = 0; reason < Counts().closed_by.size(); ++reason) {
    page.counter("rushes_connections_closed_total", "Connections that ended, by reason.",
                 sum(n, [&](std::size_t i) -> const Counter& { return sockets.session_counts(i).closed_by[reason]; }),
                 {{"reason", std::string(engineio::to_text(static_cast<engineio::CloseReason>(reason)))}});
  }
}

void write_wire(Page& page, const socketio::Server& sockets) {
  const auto n = sockets.shards();
  const auto all = [&](const Counter net::WebSocketCounts::*which) {
    return sum(n, [&](std::size_t i) -> const Counter& { return sockets.websocket_counts(i).*which; });
  };
  using Counts = net::WebSocketCounts;
  page.counter("rushes_websocket_received_bytes_total", "Bytes that WebSockets received.", all(&Counts::bytes_in));
  page.counter("rushes_websocket_sent_bytes_total", "Bytes that WebSockets sent.", all(&Counts::bytes_out));
  page.counter("rushes_websocket_writes_total", "System calls that sent them.", all(&Counts::writes));
  page.gauge("rushes_out_queue_bytes", "Bytes that wait for clients to take them.", all(&Counts::queued_bytes));
  page.counter("rushes_events_merged_total", "Progress that a slow client did not get, since newer followed.",
               all(&Counts::merged));

  ClientMetric::Histogram histogram;
  double seconds = 0;
  for (std::size_t i = 0; i < n; ++i) seconds += static_cast<double>(sockets.websocket_counts(i).emit_to_write.sum());
  histogram.sample_sum = seconds / 1e9;
  const auto borders = DurationHistogram::kBorders.size();
  for (std::size_t bucket = 0; bucket <= borders; ++bucket) {
    for (std::size_t i = 0; i < n; ++i) {
      histogram.sample_count += sockets.websocket_counts(i).emit_to_write.count(bucket);
    }
    const auto border = bucket < borders ? static_cast<double>(DurationHistogram::kBorders[bucket]) / 1e9
                                         : std::numeric_limits<double>::infinity();
    histogram.bucket.push_back({histogram.sample_count, border});
  }
  page.histogram("rushes_emit_to_write_seconds", "From the making of an event to the system's taking it.", histogram);
}

void write_namespaces(Page& page, const socketio::Server& sockets) {
  const auto n = sockets.shards();
  const auto each = [&](const std::string& name, const char* help, const Counter socketio::NamespaceCounts::*which,
                        const Labels& more = {}) {
    for (const auto* nsp : sockets.namespaces()) {
      Labels labels{{"namespace", nsp->name()}};
      labels.insert(labels.end(), more.begin(), more.end());
      page.counter(name, help, sum(n, [&](std::size_t i) -> const Counter& { return nsp->counts(i).*which; }), labels);
    }
  };
  using Counts = socketio::NamespaceCounts;
  for (const auto* nsp : sockets.namespaces()) {
    page.gauge("rushes_sockets", "Connected sockets.", static_cast<double>(nsp->size()), {{"namespace", nsp->name()}});
  }
  each("rushes_socket_connects_total", "Sockets that came in.", &Counts::connects);
  each("rushes_socket_refusals_total", "Sockets that were refused, mostly for their token.", &Counts::refused);
  const auto* recoveries = "Clients that came back to a session that was cut, by whether it went on.";
  each("rushes_socket_recoveries_total", recoveries, &Counts::recovered, {{"outcome", "recovered"}});
  each("rushes_socket_recoveries_total", recoveries, &Counts::not_recovered, {{"outcome", "new session"}});
  each("rushes_events_received_total", "Events from clients.", &Counts::events_in);
  each("rushes_events_sent_total", "Events to clients, each socket counted.", &Counts::events_out);
  for (const auto* nsp : sockets.namespaces()) {
    for (std::size_t reason = 0; reason < socketio::kDisconnectReasons.size(); ++reason) {
      page.counter("rushes_socket_disconnects_total", "Sockets that left, by reason.",
                   sum(n, [&](std::size_t i) -> const Counter& { return nsp->counts(i).disconnects[reason]; }),
                   {{"namespace", nsp->name()}, {"reason", std::string(socketio::kDisconnectReasons[reason])}});
    }
  }
}

void write_limits(Page& page, const socketio::Server& sockets, const net::HttpServer& http,
                  const queue::JobService& jobs) {
  const auto limit = [&](const char* name, double value) {
    page.counter("rushes_limit_hits_total", "Clients that ran into a limit.", value, {{"limit", name}});
  };
  const auto n = sockets.shards();
  const auto connection = [&](const char* name, const Counter socketio::ConnectionCounts::*which) {
    limit(name, sum(n, [&](std::size_t i) -> const Counter& { return sockets.connection_counts(i).*which; }));
  };
  const auto websocket = [&](const char* name, const Counter net::WebSocketCounts::*which) {
    limit(name, sum(n, [&](std::size_t i) -> const Counter& { return sockets.websocket_counts(i).*which; }));
  };
  connection("no namespace in time", &socketio::ConnectionCounts::no_namespace_in_time);
  connection("attachments late", &socketio::ConnectionCounts::attachments_late);
  connection("bad packet", &socketio::ConnectionCounts::bad_packets);
  connection("unknown namespace", &socketio::ConnectionCounts::unknown_namespaces);
  connection("namespaces of a connection", &socketio::ConnectionCounts::too_many_namespaces);
  connection("rooms of a socket", &socketio::ConnectionCounts::too_many_rooms);
  limit("upgrade late",
        sum(n, [&](std::size_t i) -> const Counter& { return sockets.session_counts(i).upgrades_late; }));
  websocket("too slow", &net::WebSocketCounts::too_slow);
  websocket("websocket protocol", &net::WebSocketCounts::protocol_errors);
  const auto accepting = [&](const char* name, const Counter net::HttpCounts::*which) {
    limit(name, sum(http.shards(), [&](std::size_t i) -> const Counter& { return http.counts(i).*which; }));
  };
  accepting("origin", &net::HttpCounts::refused_origins);
  accepting("connections", &net::HttpCounts::refused_connections);
  accepting("idle connections", &net::HttpCounts::shed);
  accepting("connections of an address", &net::HttpCounts::refused_too_many);
  accepting("connects of an address", &net::HttpCounts::refused_too_fast);
  limit("submits of a user", static_cast<double>(jobs.rate().refused()));
}

void write_http(Page& page, const net::HttpServer& http) {
  const auto n = http.shards();
  page.gauge("rushes_http_connections", "Open HTTP connections, WebSockets not counted.",
             static_cast<double>(http.connections()));
  page.gauge("rushes_http_body_bytes", "Memory that the bodies of requests hold while they come in.",
             static_cast<double>(http.body_bytes()));
  page.counter("rushes_http_bodies_refused_total", "Bodies for which there was no memory.",
               static_cast<double>(http.refused_bodies()));
  page.counter("rushes_http_upgrades_total", "Requests that became WebSockets.",
               sum(n, [&](std::size_t i) -> const Counter& { return http.counts(i).upgrades; }));
  for (std::size_t status = 100; status < net::HttpCounts().answers.size(); ++status) {
    const auto count = sum(n, [&](std::size_t i) -> const Counter& { return http.counts(i).answers[status]; });
    if (count == 0) continue;
    page.counter("rushes_http_answers_total", "HTTP answers, by status.", count, {{"code", std::to_string(status)}});
  }
}

void write_jobs(Page& page, const jobs::JobCounts& counts) {
  const auto* help = "Jobs that have not ended, by state.";
  page.gauge("rushes_jobs", help, static_cast<double>(counts.pending), {{"state", "pending"}});
  page.gauge("rushes_jobs", help, static_cast<double>(counts.processing), {{"state", "processing"}});
}

/// Gives each type's label and number to `write`.
template <class Write>
void each_type(Write write) {
  for (std::size_t type = 0; type < jobs::kJobTypes; ++type) {
    write(type, Labels{{"type", std::string(to_string(static_cast<jobs::JobType>(type)))}});
  }
}

void write_queue(Page& page, const jobs::JobCounts& counts, Timestamp now) {
  each_type([&](std::size_t type, const Labels& labels) {
    const auto depth = [&](const char* state, std::int64_t jobs) {
      page.gauge("rushes_queue_jobs", "Jobs that have not ended, by type and by what they wait for.",
                 static_cast<double>(jobs), {labels.front(), {"state", state}});
    };
    depth("waiting", counts.types[type].waiting);
    depth("scheduled", counts.types[type].scheduled);
    depth("running", counts.types[type].running);
  });
  each_type([&](std::size_t type, const Labels& labels) {
    const auto since = counts.types[type].oldest_waiting.value_or(now);
    page.gauge("rushes_queue_oldest_waiting_seconds", "How long the job has waited that has waited longest; 0: none.",
               static_cast<double>(std::max<std::int64_t>(0, (now - since).count())) / 1000, labels);
  });
  each_type([&](std::size_t type, const Labels& labels) {
    page.gauge("rushes_queue_paused", "1 where no job of the type starts.", counts.types[type].paused ? 1 : 0, labels);
  });
  page.gauge("rushes_queue_dead_jobs", "Failed jobs that are kept.", static_cast<double>(counts.dead));
}

void write_totals(Page& page, const queue::Totals& totals) {
  const auto each = [&](const char* name, const char* help, std::int64_t queue::Totals::Type::*which) {
    each_type([&](std::size_t type, const Labels& labels) {
      page.counter(name, help, static_cast<double>(totals.types[type].*which), labels);
    });
  };
  using Type = queue::Totals::Type;
  each("rushes_jobs_submitted_total", "Jobs that came: submitted, restarted or redriven.", &Type::submitted);
  each("rushes_jobs_started_total", "Attempts that began.", &Type::started);
  each("rushes_jobs_retried_total", "Those of them that were not their job's first.", &Type::retried);
  each("rushes_jobs_completed_total", "Jobs that completed.", &Type::completed);
  each("rushes_jobs_failed_total", "Jobs that failed, with no attempt left.", &Type::failed);
  each("rushes_jobs_cancelled_total", "Jobs that were cancelled.", &Type::cancelled);
  for (const auto& [code, count] : totals.failed) {
    page.counter("rushes_job_failures_total", "The same failed jobs, by the error's code.", static_cast<double>(count),
                 {{"code", code}});
  }
}

Task<> write_webhooks(Page& page, webhooks::WebhookStore& store) {
  constexpr int kMostCounted = 10'000;
  const auto attempts = [&](const char* outcome, const Counter& counter) {
    page.counter("rushes_webhook_deliveries_total", "Attempts to deliver to webhooks, by what came of them.",
                 static_cast<double>(counter.value()), {{"outcome", outcome}});
  };
  attempts("delivered", store.counts().delivered);
  attempts("failed", store.counts().failed);
  attempts("given up", store.counts().given_up);
  const auto pending = co_await store.pending(kMostCounted);
  if (pending) {
    page.gauge("rushes_webhook_pending_deliveries", "Deliveries that are still to arrive, counted up to 10000.",
               static_cast<double>(*pending));
  }
}

void write_process(Page& page) {
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  page.counter("process_cpu_seconds_total", "CPU time of this process.",
               seconds(used.ru_utime) + seconds(used.ru_stime));
  if (const auto statm = read_file("/proc/self/statm")) {
    std::uint64_t pages = 0;
    const auto second = statm->find(' ') + 1;
    std::from_chars(statm->data() + second, statm->data() + statm->size(), pages);
    page.gauge("process_resident_memory_bytes", "Resident memory of this process.",
               static_cast<double>(pages) * static_cast<double>(::sysconf(_SC_PAGESIZE)));
  }
  std::error_code failed;
  const std::filesystem::directory_iterator files("/proc/self/fd", failed);
  if (!failed) {
    page.gauge("process_open_fds", "Open files of this process.",
               static_cast<double>(std::distance(begin(files), end(files))));
  }
  page.gauge("rushes_build_info", "1, with the version.", 1, {{"version", std::string(kVersion)}});
}

void write_housekeeping(Page& page, const queue::HousekeepingCounts& counts) {
  const auto removed = [&](const char* what, const Counter& counter) {
    page.counter("rushes_housekeeping_removed_total", "What was removed as too old, too many or of nobody.",
                 static_cast<double>(counter.value()), {{"what", what}});
  };
  removed("jobs", counts.jobs);
  removed("events", counts.events);
  removed("analyses", counts.analyses);
  removed("uploads", counts.uploads);
  removed("files", counts.files);
}

void write_store(Page& page, const std::optional<Error>& refusal) {
  const auto* help = "1 where the disk takes nothing at the moment; DISK_FULL also with less than 16 MiB free.";
  for (const auto* reason : {"DISK_FULL", "DISK_READ_ONLY", "DISK_FAILED"}) {
    page.gauge("rushes_store_refuses", help, refusal && refusal->public_name() == reason ? 1 : 0, {{"reason", reason}});
  }
}

void write_schedules(Page& page, const queue::ScheduleCounts& counts) {
  const auto runs = [&](const char* outcome, const Counter& counter) {
    page.counter("rushes_schedule_runs_total", "Runs of recurring jobs, by what came of them.",
                 static_cast<double>(counter.value()), {{"outcome", outcome}});
  };
  runs("submitted", counts.submitted);
  runs("skipped", counts.skipped);
  runs("failed", counts.failed);
}

Task<> write_storage(Page& page, queue::DiskQuota& quota) {
  const auto stored = co_await quota.stored();
  if (stored) {
    const auto* help = "Bytes that are kept for users.";
    page.gauge("rushes_stored_bytes", help, static_cast<double>(stored->uploads), {{"kind", "uploads"}});
    page.gauge("rushes_stored_bytes", help, static_cast<double>(stored->results), {{"kind", "results"}});
  }
  page.gauge("rushes_reserved_bytes", "Bytes reserved for uploads on their way.",
             static_cast<double>(quota.reserved()));
  const auto& counts = quota.counts();
  const auto* refused = "Uploads that found no room, by what was short.";
  page.counter("rushes_uploads_refused_total", refused, static_cast<double>(counts.refused.value()),
               {{"reason", "quota"}});
  page.counter("rushes_uploads_refused_total", refused, static_cast<double>(counts.no_room.value()),
               {{"reason", "disk"}});
  const auto* removed = "Uploads of ended jobs that were removed: their time had come, or room was short.";
  page.counter("rushes_uploads_removed_total", removed, static_cast<double>(counts.expired.value()),
               {{"reason", "expired"}});
  page.counter("rushes_uploads_removed_total", removed, static_cast<double>(counts.evicted.value()),
               {{"reason", "room"}});
}

Task<net::Response> metrics(const socketio::Server& sockets, const gateways::TokenGuard& guard,
                            const net::HttpServer& http, queue::JobService& jobs, const Upkeep& upkeep) {
  const auto counts = co_await jobs.queries().counts();
  Page page;
  write_transports(page, sockets);
  write_wire(page, sockets);
  write_namespaces(page, sockets);
  page.gauge("rushes_tokens_watched", "Sockets that end when their token expires.",
             static_cast<double>(guard.watched()));
  write_limits(page, sockets, http, jobs);
  write_http(page, http);
  if (counts) {
    write_jobs(page, *counts);
    write_queue(page, *counts, upkeep.clock.now());
  }
  write_totals(page, upkeep.rates.totals());
  co_await write_webhooks(page, upkeep.webhooks);
  write_schedules(page, upkeep.scheduled);
  write_housekeeping(page, upkeep.removed);
  co_await write_storage(page, upkeep.quota);
  write_store(page, upkeep.refusal());
  page.gauge("rushes_store_waiting_changes", "Changes that wait for their turn at the disk.",
             static_cast<double>(upkeep.waiting_changes()));
  write_process(page);
  net::Response response(200, "text/plain; version=0.0.4; charset=utf-8", page.text());
  response.headers.add("Cache-Control", "no-store");
  co_return response;
}

bool has_bearer(const net::Request& request, std::string_view token) {
  constexpr std::string_view kScheme = "Bearer ";
  const auto given = request.headers.get("Authorization");
  return equals_ignore_case(given.substr(0, kScheme.size()), kScheme) &&
         auth::equal_in_constant_time(given.substr(kScheme.size()), token);
}

Task<net::Response> no_metrics() {
  co_return net::problem(Error::for_user(Errc::unauthenticated, "METRICS_TOKEN",
                                         "The metrics need `Authorization: Bearer` and the metrics_token of the "
                                         "server's configuration."));
}

}  // namespace

void add_metrics_route(net::Router& router, const socketio::Server& sockets, const gateways::TokenGuard& guard,
                       const net::HttpServer& http, queue::JobService& jobs, Upkeep upkeep, std::string token) {
  router.add(
      "GET", "/metrics",
      [&sockets, &guard, &http, &jobs, upkeep = std::move(upkeep), token = std::move(token)](net::Request& request) {
        if (!token.empty() && !has_bearer(request, token)) return no_metrics();
        return metrics(sockets, guard, http, jobs, upkeep);
      });
}

}  // namespace rushes::app
