#pragma once
#include "async/blocking_pool.h"
#include "async/gate.h"
#include "base/random.h"
#include "gateways/silent_ranges.h"
#include "jobs/event.h"
#include "net/address_filter.h"
#include "webhooks/webhook_store.h"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace rushes::gateways {

/// What a webhook is told of an event; nothing for what is no end.
std::optional<webhooks::Told> told_of(const jobs::Event& event);

struct WebhookSenderOptions {
  // Threads; those of one user are at most two of them, so that dead webhooks take no one else's.
  std::size_t at_once = 64;
  int at_once_of_user = 2;
  std::chrono::milliseconds timeout{15'000};
  std::chrono::hours keep{24 * 7};  // ended deliveries
};

/// Follows the event log, files a delivery for each end that a webhook asks for, and sends what is due, with retries.
///
/// Threads:  `publish` and `wake` may be called from any thread; the rest runs on `executor`.
/// Lifetime: log, store, addresses, clock and rng outlive it; `stop()` before destruction.
class WebhookSender {
 public:
  WebhookSender(Executor executor, jobs::EventLog& log, webhooks::WebhookStore& store,
                const net::AddressFilter& addresses, const Clock& clock, Rng& rng, WebhookSenderOptions options = {});

  /// Takes up what a stopped server left. Once.
  Task<> start();
  void publish(std::span<const jobs::Event> events);
  /// Something is due.
  void wake();
  Task<> stop();

 private:
  Task<> follow(Gate::Pass pass);
  Task<> send_loop(Gate::Pass pass);
  Task<> send(webhooks::DueDelivery due, Gate::Pass pass);
  Task<> wait(asio::steady_timer& timer, std::chrono::milliseconds length);

  const Executor executor_;
  jobs::EventLog& log_;
  webhooks::WebhookStore& store_;
  const net::AddressFilter& addresses_;
  const Clock& clock_;
  Rng& rng_;
  const WebhookSenderOptions options_;
  std::atomic<bool> give_up_{false};
  BlockingPool pool_;
  SilentRanges silent_;

  // On executor_ only.
  Gate gate_;
  asio::steady_timer follow_timer_;
  asio::steady_timer send_timer_;
  bool stopping_ = false;
  bool more_events_ = true;
  bool more_due_ = true;
  std::vector<std::pair<UserId, webhooks::WebhookId>> sending_;
};

}  // namespace rushes::gateways
