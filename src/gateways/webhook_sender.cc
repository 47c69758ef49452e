#include "gateways/webhook_sender.h"

#include "base/log.h"
#include "base/text.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <algorithm>

namespace rushes::gateways {
namespace {

constexpr int kEventsAtOnce = 500;
constexpr int kPrunedAtOnce = 500;
constexpr std::chrono::milliseconds kLongestSleep{60'000};
constexpr long kGone = 410;

bool is_end(const jobs::Event& event) {
  return event.type == jobs::EventType::completed || event.type == jobs::EventType::failed ||
         event.type == jobs::EventType::cancelled;
}

}  // namespace

std::optional<webhooks::Told> told_of(const jobs::Event& event) {
  webhooks::Told told;
  switch (event.type) {
    case jobs::EventType::completed:
      told.type = "job.completed";
      break;
    case jobs::EventType::failed:
      told.type = "job.failed";
      break;
    case jobs::EventType::cancelled:
      told.type = "job.cancelled";
      break;
    case jobs::EventType::queued:
    case jobs::EventType::started:
    case jobs::EventType::progress:
      return std::nullopt;
  }
  told.event = event.id;
  told.user = event.user;
  told.data = event.payload;
  told.at = event.at;
  return told;
}

WebhookSender::WebhookSender(Executor executor, jobs::EventLog& log, webhooks::WebhookStore& store, Post post,
                             const Clock& clock, Rng& rng, WebhookSenderOptions options)
    : executor_(executor),
      log_(log),
      store_(store),
      post_(std::move(post)),
      clock_(clock),
      rng_(rng),
      options_(options),
      pool_(options.at_once),
      gate_(executor),
      follow_timer_(executor),
      send_timer_(executor),
      record_timer_(executor) {}

Task<> WebhookSender::start() {
  for (const auto loop : {&WebhookSender::follow, &WebhookSender::send_loop}) {
    if (auto pass = gate_.try_enter()) spawn_detached(executor_, "webhooks", (this->*loop)(std::move(*pass)));
  }
  co_return;
}

void WebhookSender::publish(std::span<const jobs::Event> events) {
  if (!silent_.publish(events, is_end)) return;
  asio::post(executor_, [this] {
    more_events_ = true;
    follow_timer_.cancel();
  });
}

void WebhookSender::wake() {
  asio::post(executor_, [this] {
    more_due_ = true;
    send_timer_.cancel();
  });
}

Task<> WebhookSender::follow(Gate::Pass pass) {
  const auto held = std::move(pass);
  auto at = co_await store_.consumed();
  while (!stopping_) {
    if (!at) {
      log::warning("webhooks", "cannot read where they stand: {}", at.error().what());
      co_await wait(follow_timer_, options_.after_trouble);
      at = co_await store_.consumed();
      continue;
    }
    more_events_ = false;
    *at = silent_.skip(*at);
    const auto events = co_await log_.after(*at, kEventsAtOnce);
    std::vector<webhooks::Told> told;
    auto upto = *at;
    if (events) {
      for (const auto& event : *events) {
        upto = std::max(upto, event.id);
        if (auto one = told_of(event)) told.push_back(std::move(*one));
      }
    }
    // Where nothing ended there is nothing to write down: after a crash it is read again.
    auto filed = Result<int>(0);
    if (!told.empty()) filed = co_await store_.consume(std::move(told), upto);
    if (!events || !filed) {
      log::warning("webhooks", "cannot follow the event log: {}", (events ? filed.error() : events.error()).what());
      co_await wait(follow_timer_, options_.after_trouble);
      continue;
    }
    *at = upto;
    if (*filed > 0) wake();
    if (events->size() == static_cast<std::size_t>(kEventsAtOnce) || more_events_) continue;
    co_await wait(follow_timer_, kLongestSleep);
  }
}

Task<> WebhookSender::send_loop(Gate::Pass pass) {
  const auto held = std::move(pass);
  auto pruned_at = Timestamp();
  while (!stopping_) {
    more_due_ = false;
    const auto now = clock_.now();
    auto sleep = kLongestSleep;
    if (sending_.size() < options_.at_once) {
      webhooks::Share share;
      share.busy = sending_;
      share.most_of_user = options_.at_once_of_user;
      share.limit = static_cast<int>(options_.at_once - sending_.size());
      auto turn = co_await store_.due(now, std::move(share));
      if (!turn) {
        log::warning("webhooks", "cannot read what is due: {}", turn.error().what());
        sleep = options_.after_trouble;
      } else {
        for (auto& one : turn->due) {
          auto entered = gate_.try_enter();
          if (!entered) co_return;
          Lane lane(sending_, {one.user, one.delivery.webhook});
          spawn_detached(executor_, "webhooks", send(std::move(one), std::move(lane), std::move(*entered)));
        }
        if (turn->next && sending_.size() < options_.at_once) {
          sleep = std::clamp(*turn->next - clock_.now(), std::chrono::milliseconds(10), kLongestSleep);
        }
      }
    }
    if (now - pruned_at > std::chrono::minutes(10)) {
      pruned_at = now;
      const auto pruned = co_await store_.prune(now - options_.keep, kPrunedAtOnce);
      if (!pruned) log::warning("webhooks", "cannot forget old deliveries: {}", pruned.error().what());
    }
    if (!more_due_) co_await wait(send_timer_, sleep);
  }
}

WebhookSender::Lane::~Lane() {
  if (busy_ != nullptr) busy_->erase(std::find(busy_->begin(), busy_->end(), webhook_));
}

Task<> WebhookSender::send(webhooks::DueDelivery due, Lane lane, Gate::Pass pass) {
  const auto held = std::move(pass);
  const auto busy = std::move(lane);
  const auto id = due.delivery.id;
  const auto attempts = due.delivery.attempts + 1;
  auto work = [this, due = std::move(due)] { return attempt(due); };
  const auto result = co_await pool_.run(std::move(work));
  if (give_up_ && !result.arrived()) co_return;
  webhooks::WebhookStore::Outcome outcome;
  outcome.answer = result.status != 0 ? std::to_string(result.status) : result.problem;
  if (!result.arrived()) {
    const auto delay = webhooks::retry_delay(attempts, rng_);
    outcome.gone = result.status == kGone;
    outcome.state = delay && !outcome.gone ? webhooks::DeliveryState::pending : webhooks::DeliveryState::failed;
    const auto now = clock_.now();
    if (delay) outcome.next_at = now + *delay;
    if (result.retry_after.count() > 0) {
      outcome.hold_until = now + std::min<std::chrono::seconds>(result.retry_after, options_.longest_hold);
      if (delay) outcome.next_at = std::max(*outcome.next_at, *outcome.hold_until);
    }
    log::info("webhooks", "delivery={} attempt={} not delivered: {}", id.value(), attempts, outcome.answer);
  }
  co_await record(id, std::move(outcome));
  wake();  // comes when the lane is free
}

PostResult WebhookSender::attempt(const webhooks::DueDelivery& due) const {
  try {
    return post_(due, clock_.now(), options_.timeout, give_up_);
  } catch (const std::exception& error) {
    // Counted as an attempt: what throws each time comes to its end as what never answers does.
    log::error("webhooks", "delivery={} cannot be sent: {}", due.delivery.id.value(), error.what());
    return {0, "it could not be sent", {}};
  }
}

Task<> WebhookSender::tell_disabled(webhooks::Webhook webhook) {
  const bool gone = webhook.disabled_by == webhooks::DisabledReason::gone;
  log::info("webhooks", "webhook={} disabled: {}", webhook.id.value(), gone ? "it answered 410" : "its attempts fail");
  if (options_.notices == nullptr) co_return;
  notifications::NewNotification notice;
  notice.user = webhook.user;
  notice.type = notifications::Type::system;
  notice.severity = notifications::Severity::warning;
  notice.title = "Webhook disabled";
  notice.message = "Nothing more is sent to " + shorten(webhook.url, 200) +
                   (gone ? ", which answered that it is gone (410)."
                         : ", which has not taken anything for a day. Switch it on again when it is well.");
  notice.metadata = {{"webhookId", webhook.id.value()}};
  const auto added = co_await options_.notices->add(std::move(notice));
  if (!added) log::warning("webhooks", "cannot tell of a disabled webhook: {}", added.error().what());
}

Task<> WebhookSender::record(webhooks::DeliveryId id, webhooks::WebhookStore::Outcome outcome) {
  for (bool first = true;; first = false) {
    auto recorded = co_await store_.record(id, outcome);
    if (recorded) {
      if (*recorded) co_await tell_disabled(std::move(**recorded));
      co_return;
    }
    if (first) log::warning("webhooks", "delivery={} not recorded yet: {}", id.value(), recorded.error().what());
    if (stopping_) co_return;
    if (record_timer_.expiry() <= asio::steady_timer::clock_type::now()) {
      record_timer_.expires_after(options_.after_trouble);
    }
    boost::system::error_code woken;
    co_await record_timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  }
}

Task<> WebhookSender::wait(asio::steady_timer& timer, std::chrono::milliseconds length) {
  if (stopping_) co_return;
  timer.expires_after(length);
  boost::system::error_code woken;
  co_await timer.async_wait(asio::redirect_error(asio::use_awaitable, woken));
}

Task<> WebhookSender::stop() {
  give_up_ = true;
  stopping_ = true;
  follow_timer_.cancel();
  send_timer_.cancel();
  record_timer_.cancel();
  co_await gate_.close();
  pool_.stop();
}

}  // namespace rushes::gateways
