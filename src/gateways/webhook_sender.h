#pragma once
#include "async/blocking_pool.h"
#include "async/gate.h"
#include "base/random.h"
#include "gateways/silent_ranges.h"
#include "gateways/webhook_post.h"
#include "jobs/event.h"
#include "notifications/service.h"
#include "webhooks/webhook_store.h"

#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace rushes::gateways {

/// What a webhook is told of an event; nothing for what is no end.
std::optional<webhooks::Told> told_of(const jobs::Event& event);

struct WebhookSenderOptions {
  // Threads. Endpoints that do not answer hold each up for `timeout`: where many users have such, the others wait.
  std::size_t at_once = 16;
  int at_once_of_user = 2;
  std::chrono::milliseconds timeout{15'000};
  std::chrono::milliseconds after_trouble{5'000};  // until what the store refused is tried again
  std::chrono::hours keep{24 * 7};                 // ended deliveries
  std::chrono::hours longest_hold{24};             // of what an endpoint asks for by Retry-After
  notifications::Service* notices = nullptr;       // tells users which webhook was disabled; outlives the sender
};

/// Follows the event log, files a delivery for each end that a webhook asks for, and sends what is due, with retries.
/// Who has nothing on the way comes first. What came of a post is kept until the store has it; only what a stop cuts
/// off is sent again.
///
/// Threads:  `publish` and `wake` may be called from any thread; the rest runs on `executor`.
/// Lifetime: log, store, clock and rng outlive it; `stop()` before destruction.
class WebhookSender {
 public:
  /// One attempt to deliver, signed at `now`; ends soon once `give_up` is set. BLOCKING, and from many threads at once.
  using Post = std::function<PostResult(const webhooks::DueDelivery& due, Timestamp now,
                                        std::chrono::milliseconds timeout, const std::atomic<bool>& give_up)>;

  WebhookSender(Executor executor, jobs::EventLog& log, webhooks::WebhookStore& store, Post post, const Clock& clock,
                Rng& rng, WebhookSenderOptions options = {});

  /// Takes up what a stopped server left. Once.
  Task<> start();
  void publish(std::span<const jobs::Event> events);
  /// Something is due.
  void wake();
  Task<> stop();

 private:
  using Busy = std::vector<std::pair<UserId, webhooks::WebhookId>>;

  /// A webhook that something is being sent to; free again when destroyed.
  class Lane {
   public:
    Lane(Busy& busy, Busy::value_type webhook) : busy_(&busy), webhook_(std::move(webhook)) {
      busy.push_back(webhook_);
    }
    Lane(Lane&& other) noexcept : busy_(std::exchange(other.busy_, nullptr)), webhook_(std::move(other.webhook_)) {}
    Lane& operator=(Lane&&) = delete;
    ~Lane();

   private:
    Busy* busy_;
    Busy::value_type webhook_;
  };

  Task<> follow(Gate::Pass pass);
  Task<> send_loop(Gate::Pass pass);
  Task<> send(webhooks::DueDelivery due, Lane lane, Gate::Pass pass);
  PostResult attempt(const webhooks::DueDelivery& due) const;
  Task<> tell_disabled(webhooks::Webhook webhook);
  /// Until the store takes it, or the stop.
  Task<> record(webhooks::DeliveryId id, webhooks::WebhookStore::Outcome outcome);
  Task<> wait(asio::steady_timer& timer, std::chrono::milliseconds length);

  const Executor executor_;
  jobs::EventLog& log_;
  webhooks::WebhookStore& store_;
  const Post post_;
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
  asio::steady_timer record_timer_;  // one pause for all that wait to be recorded
  bool stopping_ = false;
  bool more_events_ = true;
  bool more_due_ = true;
  Busy sending_;
};

}  // namespace rushes::gateways
