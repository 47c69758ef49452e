#include "app/server.h"

#include "api/context.h"
#include "app/metrics.h"
#include "app/open_files.h"
#include "app/options.h"
#include "app/pages.h"
#include "app/sandbox.h"
#include "async/run.h"
#include "async/shards.h"
#include "auth/authenticator.h"
#include "auth/secret.h"
#include "gateways/job_notices.h"
#include "gateways/notification_gateway.h"
#include "gateways/queue_gateway.h"
#include "gateways/security_notices.h"
#include "gateways/usage_notices.h"
#include "gateways/webhook_sender.h"
#include "net/http_server.h"
#include "queue/housekeeper.h"
#include "queue/schedule_runner.h"
#include "socketio/server.h"
#include "store_sqlite/store.h"
#include "worker/pool.h"

#include <sys/prctl.h>

#include <algorithm>
#include <filesystem>

namespace rushes::app {
namespace {

constexpr std::size_t kBlockingThreads = 4;
constexpr std::chrono::seconds kGrace{5};

/// What an operator should know about keys that work, but let in more than may be meant.
void warn_of_wide_doors(const Config& config) {
  for (const auto& [place, issuer] : jwks_places(config)) {
    if (!auth::is_in_clear(place)) continue;
    log::warning("app", "jwt_jwks: {} is not encrypted: who can change it on its way can sign in as anyone; use https",
                 place);
  }
  if (config.development) {
    log::warning("app",
                 "development mode: every program on this machine gets a token from GET /dev/token; not for a server "
                 "that others use, and never behind a proxy");
  }
  const bool issued_elsewhere = !config.jwt_public_key.empty() || !config.jwt_jwks.empty();
  if (issued_elsewhere && config.jwt_issuer.empty()) {
    log::warning("app", "jwt_issuer is not set: tokens of every issuer (iss) that the keys sign for are accepted");
  }
  if (issued_elsewhere && config.jwt_audience.empty()) {
    log::warning("app", "jwt_audience is not set: tokens that the issuer made for other services are accepted too");
  }
}

/// In `/` nothing is ever sent: a client that names no namespace would wait in it, without a token, for ever.
Task<std::optional<socketio::ConnectError>> refuse_root(socketio::SocketPtr socket) {
  (void)socket;
  socketio::ConnectError refusal("Connect to /queue or /notifications.", json::object{{"code", "NAMESPACE_UNKNOWN"}});
  co_return refusal;
}

/// Members stand in the order in which they need each other; `stop` goes the other way.
class WiredServer final : public Server {
 public:
  WiredServer(const Config& config, const box::HostReport& host, std::string secret, std::string ticket_secret,
              std::unique_ptr<const auth::KeyArchive> archive, std::unique_ptr<auth::KeyRing> keys, SystemClock& clock,
              SystemRng& rng, std::unique_ptr<store_sqlite::Store> store)
      : config_(config),
        clock_(clock),
        rng_(rng),
        secret_(std::move(secret)),
        archive_(std::move(archive)),
        keys_(std::move(keys)),
        folder_(config.data_dir),
        addresses_(config.allow_private_addresses),
        shards_(static_cast<std::size_t>(config.threads)),
        blocking_(kBlockingThreads),
        key_refresher_(shards_.executor(0), blocking_, *keys_),
        tokens_(*keys_, claim_rules(config), clock_, &key_refresher_),
        store_(std::move(store)),
        credentials_(shards_.executor(0), tokens_, store_->credentials(), std::move(ticket_secret), clock_, rng_),
        pool_(shards_.executor(0), folder_, blocking_, clock_, rng_, pool_options(config, host)),
        quota_(store_->storage(), folder_, blocking_, clock_, quota_options(config)),
        housekeeper_(shards_.executor(0), store_->housekeeping(), quota_, folder_, blocking_, clock_,
                     retention(config)),
        scheduler_(shards_.executor(0), store_->jobs(), store_->queries(), pool_, rng_,
                   scheduler_options(config, folder_)),
        jobs_(store_->jobs(), store_->queries(), scheduler_, clock_, rng_,
              {config.max_queued_per_user, config.submits_per_minute}),
        schedules_(shards_.executor(0), store_->schedules(), jobs_, clock_, {config.max_attempts, config.max_priority}),
        rates_(clock_),
        notifications_(store_->notifications()),
        sockets_(shards_, socket_options(config), clock_, rng_),
        guard_(shards_.executor(0), credentials_, clock_),
        queue_gateway_(sockets_, guard_, store_->queries(), store_->events()),
        notification_gateway_(sockets_, guard_, notifications_),
        notices_(shards_.executor(0), store_->events(), notifications_),
        usage_notices_(shards_.executor(0), notifications_, config.max_bytes_per_user),
        webhooks_(shards_.executor(0), store_->events(), store_->webhooks(),
                  [this](const webhooks::DueDelivery& due, Timestamp now, std::chrono::milliseconds timeout,
                         const std::atomic<bool>& give_up) {
                    return gateways::post_delivery(due, addresses_, now, timeout, give_up);
                  },
                  clock_, rng_, {.notices = &notifications_}),
        context_{jobs_,
                 store_->events(),
                 event_streams_,
                 notifications_,
                 credentials_,
                 addresses_,
                 folder_,
                 quota_,
                 blocking_,
                 rng_,
                 clock_,
                 rates_,
                 store_->webhooks(),
                 [this] { webhooks_.wake(); },
                 schedules_,
                 api_limits(config)},
        http_(shards_, router_, http_options(config)) {
    notifications_.on_change([this](const notifications::Change& change) { notification_gateway_.tell(change); });
    credentials_.on_ended([this](const auth::EndedCredentials& ended) {
      guard_.end(ended);
      event_streams_.wake_all();
    });
    credentials_.on_alert([this](auth::SecurityAlert alert) { return tell(std::move(alert)); });
    jobs_.set_quota(quota_);
    quota_.on_step([this](jobs::UsageStep step) { usage_notices_.tell(std::move(step)); });
    store_->events().on_committed([this](std::span<const jobs::Event> events) {
      queue_gateway_.publish(events);
      event_streams_.publish(events);
      notices_.publish(events);
      webhooks_.publish(events);
      rates_.publish(events);
    });
    sockets_.of("/").use(refuse_root);
    sockets_.attach(router_);
    api::add_routes(router_, context_);
    const auto refusal = [this]() -> std::optional<Error> {
      if (auto refused = store_->refusal()) return refused;
      const auto room = folder_.has_room();
      return room ? std::nullopt : std::optional(room.error());
    };
    add_health_routes(router_, jobs_.queries(), refusal, host);
    add_metrics_route(router_, sockets_, guard_, http_, jobs_,
                      {housekeeper_.counts(), quota_, refusal, [this] { return store_->waiting_changes(); },
                       schedules_.counts(), rates_, clock_, store_->webhooks()},
                      config_.metrics_token);
    add_page_routes(router_);
    if (config_.development) add_development_route(router_, [this] { return development_token(); });
  }

  ~WiredServer() override { stop(); }

  Result<void> listen() {
    shards_.start();
    running_ = true;
    auto recovery = queue_gateway_.start();
    if (auto started = run_to_end(run_on(shards_.executor(0), std::move(recovery))); !started) return started.error();
    asio::post(shards_.executor(0), [this] { key_refresher_.start(); });
    auto credentials = credentials_.start();
    const auto known = run_to_end(run_on(shards_.executor(0), std::move(credentials)));
    if (!known) return known.error();
    run_to_end(run_on(shards_.executor(0), notices_.start()));
    run_to_end(run_on(shards_.executor(0), webhooks_.start()));
    run_to_end(run_on(shards_.executor(0), start_pool()));
    run_to_end(run_on(shards_.executor(0), scheduler_.start()));
    asio::post(shards_.executor(0), [this] { housekeeper_.start(); });
    asio::post(shards_.executor(0), [this] { schedules_.start(); });
    const auto port = http_.start();
    if (!port) return port.error();
    port_ = *port;
    return {};
  }

  std::string address() const override {
    const bool v6 = config_.host.find(':') != std::string::npos;
    return "http://" + (v6 ? "[" + config_.host + "]" : config_.host) + ":" + std::to_string(port_) + config_.base_path;
  }

  std::string development_token() override {
    if (!config_.development) return {};
    constexpr std::int64_t kDay = 86'400;
    const auto now = to_millis(clock_.now()) / 1000;
    json::object claims{{"sub", "developer"}, {"iat", now}, {"exp", now + kDay}};
    if (!config_.jwt_issuer.empty()) claims["iss"] = config_.jwt_issuer.front();
    if (!config_.jwt_audience.empty()) claims["aud"] = config_.jwt_audience.front();
    return auth::sign_token(secret_, claims);
  }

  void stop() override {
    if (!std::exchange(running_, false)) return;
    run_to_end(run_on(shards_.executor(0), stop_parts()));
    store_->events().on_committed({});
    shards_.stop();
    blocking_.stop();
  }

 private:
  // On its own shard: the boxes' lives are tied to the thread that starts the zygote.
  Task<> start_pool() {
    const auto started = pool_.start();
    if (!started) log::error("app", "{}", started.error().what());
    co_return;
  }

  Task<> tell(auth::SecurityAlert alert) {
    auto notice = gateways::notice_of(alert);
    const auto added = co_await notifications_.add(std::move(notice));
    if (!added) log::warning("app", "cannot add a security notification: {}", added.error().what());
  }

  Task<> stop_parts() {
    // Sockets first: clients with a poll under way are answered, and come back elsewhere.
    co_await sockets_.stop();
    co_await http_.stop(kGrace);
    guard_.stop();
    co_await credentials_.stop();
    co_await key_refresher_.stop();
    co_await housekeeper_.stop();
    co_await schedules_.stop();
    co_await scheduler_.stop();
    co_await pool_.close();
    co_await notices_.stop();
    co_await usage_notices_.stop();
    co_await webhooks_.stop();
  }

  const Config config_;
  SystemClock& clock_;
  SystemRng& rng_;
  const std::string secret_;  // empty: others sign the tokens
  const std::unique_ptr<const auth::KeyArchive> archive_;
  const std::unique_ptr<auth::KeyRing> keys_;
  const queue::DataFolder folder_;
  const net::AddressFilter addresses_;
  Shards shards_;
  BlockingPool blocking_;
  auth::KeyRefresher key_refresher_;
  const auth::TokenVerifier tokens_;
  std::unique_ptr<store_sqlite::Store> store_;
  auth::Authenticator credentials_;
  worker::Pool pool_;
  queue::DiskQuota quota_;
  queue::Housekeeper housekeeper_;
  queue::Scheduler scheduler_;
  queue::JobService jobs_;
  queue::ScheduleRunner schedules_;
  queue::Rates rates_;
  notifications::Service notifications_;
  socketio::Server sockets_;
  gateways::TokenGuard guard_;
  gateways::QueueGateway queue_gateway_;
  gateways::NotificationGateway notification_gateway_;
  gateways::JobNotices notices_;
  gateways::UsageNotices usage_notices_;
  gateways::WebhookSender webhooks_;
  api::EventStreams event_streams_;
  const api::Context context_;
  net::Router router_;
  net::HttpServer http_;
  std::uint16_t port_ = 0;
  bool running_ = false;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::start(const Config& config) {
  static SystemClock clock;
  static SystemRng rng;
  raise_open_file_limit();
  // Before anything else: it forks, and there is no thread yet.
  const auto host = box::examine_host(box::box_identity());
  if (auto judged = judge_host(config, host); !judged) return judged.error();
  // What workers leave running when they die becomes our child, so that it can be ended and counted.
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);

  std::error_code failed;
  std::filesystem::create_directories(config.data_dir, failed);
  if (failed) {
    return Error(Errc::unavailable,
                 "cannot make the data folder " + config.data_dir.string() + ": " + failed.message());
  }
  auto absolute = config;
  absolute.data_dir = std::filesystem::absolute(config.data_dir);

  std::string secret = config.jwt_secret;
  if (has_own_secret(config)) {
    const auto file = absolute.data_dir / "secret";
    const auto stored = auth::load_or_create_secret(file, rng);
    if (!stored) return stored.error();
    if (stored->created) log::info("app", "no jwt_secret is configured: made one, kept in {}", file.string());
    secret = stored->value;
  }
  const auto ticket_secret = auth::load_or_create_secret(absolute.data_dir / "ticket-secret", rng);
  if (!ticket_secret) return ticket_secret.error();
  auto archive = std::make_unique<const auth::KeyArchive>(absolute.data_dir / "keys", clock);
  auto keys = std::make_unique<auth::KeyRing>(key_sources(config, secret), auth::FetchLimits(), archive.get());
  if (auto loaded = keys->load(); !loaded) return loaded.error();
  warn_of_wide_doors(config);
  if (auto kept = check_secrecy(absolute); !kept) return kept.error();
  store_sqlite::StoreOptions options;
  options.parallel_jobs = config.workers;
  options.transcript_slots = config.transcript_lane;
  options.reserve_log = true;
  auto store = store_sqlite::Store::open(absolute.data_dir / "rushes.db", options, clock, rng);
  if (!store) return store.error();
  // Only now, when no other server can be using the folder.
  if (auto prepared = queue::DataFolder(absolute.data_dir).prepare(); !prepared) return prepared.error();

  auto server = std::make_unique<WiredServer>(absolute, host, std::move(secret), ticket_secret->value,
                                              std::move(archive), std::move(keys), clock, rng, std::move(*store));
  if (auto listening = server->listen(); !listening) return listening.error();
  return std::unique_ptr<Server>(std::move(server));
}

}  // namespace rushes::app
