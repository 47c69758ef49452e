#pragma once
#include "base/clock.h"
#include "base/id.h"
#include "base/random.h"
#include "base/result.h"

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::webhooks {

using WebhookId = Strong<std::string, struct WebhookIdTag>;
/// Also the message's `webhook-id`: the same for each attempt, so that a receiver can leave out repetitions.
using DeliveryId = Strong<std::string, struct DeliveryIdTag>;

/// What can be told, in the words of `type`.
inline constexpr std::array<std::string_view, 3> kTypes{"job.completed", "job.failed", "job.cancelled"};
/// Sent on request, whatever a webhook asks for.
inline constexpr std::string_view kTestType = "webhook.test";

/// Why a webhook is disabled: it answered 410, its attempts failed for too long, or its user asked for it.
enum class DisabledReason : std::uint8_t { gone, failing, asked };
std::string_view to_string(DisabledReason reason) noexcept;

/// Where a user wants to be told of the ends of their jobs.
struct Webhook {
  WebhookId id;
  UserId user;
  std::string url;
  std::string description;
  std::string secret;              // `whsec_` and base64
  std::vector<std::string> types;  // of kTypes
  Timestamp created_at;
  std::optional<Timestamp> previous_until;    // the secret before this one signs too until then
  std::optional<Timestamp> disabled_at;       // nothing is sent to it since then
  std::optional<DisabledReason> disabled_by;  // where it is disabled
};

/// What its user changes of a webhook. With an URL, or switched on, it counts its failures anew.
struct WebhookChange {
  std::optional<std::string> url;
  std::optional<std::string> description;
  std::optional<std::vector<std::string>> types;
  std::optional<bool> enabled;
  std::optional<std::string> secret;  // the one before signs too for kBothSecrets
};

/// How long a replaced secret signs beside the new one.
inline constexpr std::chrono::hours kBothSecrets{24};
/// A webhook is disabled once so many attempts in a row have failed, over so long a time.
inline constexpr int kMostFailures = 10;
inline constexpr std::chrono::hours kLongestFailing{24};
/// What a user may ask to be sent to one webhook while so many deliveries are pending.
inline constexpr int kMostPending = 100;

enum class DeliveryState : std::uint8_t { pending, delivered, failed };
std::string_view to_string(DeliveryState state) noexcept;

/// One message to one webhook, until it has arrived.
struct Delivery {
  DeliveryId id;
  WebhookId webhook;
  std::string type;
  std::string body;  // what is signed and sent
  DeliveryState state = DeliveryState::pending;
  int attempts = 0;
  std::string last_answer;  // of the last attempt: `204`, or why there was none
  Timestamp created_at;
  std::optional<Timestamp> next_at;  // while pending
};

/// How long to wait after so many attempts that did not arrive (from 1), less a random fifth; nothing when that was the
/// last. About three days in all, in steps that Standard Webhooks recommends.
std::optional<std::chrono::milliseconds> retry_delay(int attempts, Rng& rng);

/// `{type, timestamp, data}`, with `data` as JSON text.
std::string message_of(std::string_view type, Timestamp at, std::string_view data);

}  // namespace rushes::webhooks
