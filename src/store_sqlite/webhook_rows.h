#pragma once
#include "sqlite/connection.h"
#include "webhooks/webhook_store.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace rushes::store_sqlite {

// The rows of webhooks and of the deliveries to them. All throw sqlite::Failure.

Error webhook_not_found();

std::vector<webhooks::Webhook> webhooks_of(sqlite::Connection& database, const UserId& user);
std::optional<webhooks::Webhook> find_webhook(sqlite::Connection& database, const webhooks::WebhookId& id);
bool is_owned(sqlite::Connection& database, const UserId& user, const webhooks::WebhookId& id);
/// Nothing where it was removed with its webhook.
std::optional<webhooks::WebhookId> webhook_of(sqlite::Connection& database, const webhooks::DeliveryId& delivery);
/// The columns id, webhook_id, type, body, state, attempts, last_answer, created_at, next_at.
webhooks::Delivery read_delivery(const sqlite::Statement& row);

/// Whether the user may have something sent to it. Errors: those of WebhookStore::file.
Result<void> may_send(sqlite::Connection& database, const UserId& user, const webhooks::WebhookId& id);

/// Fails what is under way to it, and gives how many deliveries that are. `now` is in ms.
std::uint64_t disable_webhook(sqlite::Connection& database, const webhooks::WebhookId& id,
                              webhooks::DisabledReason reason, std::int64_t now);
/// Counts a failed attempt, and gives whether the webhook is to be disabled: see kMostFailures.
bool fails_too_long(sqlite::Connection& database, const webhooks::WebhookId& id, std::int64_t now);
/// Forgets its failures, and until when nothing was to be sent.
void count_anew(sqlite::Connection& database, const webhooks::WebhookId& id);

}  // namespace rushes::store_sqlite
