#pragma once
#include "async/task.h"
#include "base/counters.h"
#include "webhooks/model.h"

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace rushes::webhooks {

/// Something that happened to a job, as far as webhooks are told of it.
struct Told {
  std::int64_t event = 0;  // its id in the event log
  UserId user;
  std::string type;  // of kTypes
  std::string data;  // JSON
  Timestamp at;
};

/// A delivery with what is needed to send it.
struct DueDelivery {
  Delivery delivery;
  UserId user;
  std::string url;
  std::vector<std::string> secrets;  // that sign it, the newest first
};

/// What may be sent beside what is being sent: one delivery at a time to a webhook, so many to a user's webhooks.
struct Share {
  std::vector<std::pair<UserId, WebhookId>> busy;  // each with a delivery that is being sent
  int most_of_user = 1;
  int limit = 1;  // how many more in all
};

/// What `due` gives.
struct Turn {
  std::vector<DueDelivery> due;
  /// When there is more to send, to webhooks and users that have room; nothing where there is none.
  std::optional<Timestamp> next;
};

/// How attempts at deliveries went since the start. Read from any thread.
struct DeliveryCounts {
  Counter delivered;
  Counter failed;    // attempts, each of which another follows
  Counter given_up;  // the last one failed, or the webhook is gone
};

/// The webhooks and what is under way to them. One implementation per database.
///
/// It also keeps where the consumer of the event log stands, in the same transaction as what the events made: after a
/// crash no end is left out. What was sent and not yet recorded is sent again, under the same id.
///
/// Threads:  safe to call from any executor; resumes on the caller's.
/// Errors:   `unavailable` from any method; another user's webhook is `not_found` (WEBHOOK_NOT_FOUND).
class WebhookStore {
 public:
  virtual ~WebhookStore() = default;

  /// Errors: `conflict` (WEBHOOK_LIMIT) where the user has `most` already.
  virtual Task<Result<Webhook>> add(Webhook webhook, int most) = 0;
  virtual Task<Result<std::vector<Webhook>>> list(UserId user) = 0;
  /// Gives it as it is then. Disabling it fails what is under way to it.
  virtual Task<Result<Webhook>> change(UserId user, WebhookId id, WebhookChange change) = 0;
  /// With what is under way to it.
  virtual Task<Result<void>> remove(UserId user, WebhookId id) = 0;

  /// Files a delivery to each webhook of the user that asks for the type; `upto` is dealt with then. What is at or
  /// below the recorded event files nothing. Gives how many were filed.
  virtual Task<Result<int>> consume(std::vector<Told> told, std::int64_t upto) = 0;
  /// The last event dealt with; 0 at first.
  virtual Task<Result<std::int64_t>> consumed() = 0;
  /// Files one delivery to one webhook, whatever it asks for. Errors: `conflict` (WEBHOOK_DISABLED); `exhausted`
  /// (WEBHOOK_BUSY) where kMostPending are pending already.
  virtual Task<Result<Delivery>> file(UserId user, WebhookId id, std::string type, std::string data) = 0;
  /// Makes a delivery due now, under its id and with all its attempts before it. Errors: as those of `file`;
  /// `not_found` (DELIVERY_NOT_FOUND).
  virtual Task<Result<Delivery>> resend(UserId user, WebhookId id, DeliveryId delivery) = 0;

  /// Pending deliveries whose time has come and for which the share has room: those of the users with the fewest on
  /// the way first, then the earliest.
  virtual Task<Result<Turn>> due(Timestamp now, Share share) = 0;
  /// How an attempt went: `state` pending with the next time, or its end. `gone`: the webhook is disabled. So is one
  /// whose attempts fail as kMostFailures says. All that is under way to a disabled one has failed.
  struct Outcome {
    DeliveryState state = DeliveryState::delivered;
    std::string answer;
    std::optional<Timestamp> next_at;
    std::optional<Timestamp> hold_until;  // it asked for nothing to be sent before
    bool gone = false;
  };
  /// The webhook where this disabled it. From one thread at a time.
  virtual Task<Result<std::optional<Webhook>>> record(DeliveryId id, Outcome outcome) = 0;
  /// Of what was recorded.
  virtual const DeliveryCounts& counts() const noexcept = 0;
  /// How many deliveries are pending, counted up to `most`.
  virtual Task<Result<int>> pending(int most) = 0;
  /// The newest first.
  virtual Task<Result<std::vector<Delivery>>> deliveries(UserId user, WebhookId id, int limit) = 0;
  /// Forgets ended deliveries from before `before`, at most `limit`. Gives how many.
  virtual Task<Result<int>> prune(Timestamp before, int limit) = 0;
};

}  // namespace rushes::webhooks
