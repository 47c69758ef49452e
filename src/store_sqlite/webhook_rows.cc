#include "store_sqlite/webhook_rows.h"

#include "base/json.h"

namespace rushes::store_sqlite {

using webhooks::Delivery;
using webhooks::DeliveryId;
using webhooks::DeliveryState;
using webhooks::DisabledReason;
using webhooks::Webhook;
using webhooks::WebhookId;

namespace {

constexpr std::string_view kWebhooksOf =
    "SELECT id, user_id, url, secret, types, created_at, disabled_at, description, previous_until, disabled_by"
    " FROM webhooks WHERE user_id = ? ORDER BY id";
constexpr std::string_view kWebhook =
    "SELECT id, user_id, url, secret, types, created_at, disabled_at, description, previous_until, disabled_by"
    " FROM webhooks WHERE id = ?";

Webhook read_webhook(const sqlite::Statement& row) {
  Webhook webhook;
  webhook.id = WebhookId(row.text(0));
  webhook.user = UserId(row.text(1));
  webhook.url = row.text(2);
  webhook.secret = row.text(3);
  const auto types = parse_json(row.text(4));
  if (types && types->is_array()) {
    for (const auto& type : types->get_array()) {
      if (type.is_string()) webhook.types.emplace_back(type.get_string());
    }
  }
  webhook.created_at = from_millis(row.integer(5));
  if (!row.is_null(6)) webhook.disabled_at = from_millis(row.integer(6));
  webhook.description = row.text(7);
  if (!row.is_null(8)) webhook.previous_until = from_millis(row.integer(8));
  if (!row.is_null(9)) webhook.disabled_by = static_cast<DisabledReason>(row.integer(9));
  return webhook;
}

}  // namespace

Error webhook_not_found() { return Error::for_user(Errc::not_found, "WEBHOOK_NOT_FOUND", "There is no such webhook."); }

std::vector<Webhook> webhooks_of(sqlite::Connection& database, const UserId& user) {
  auto& rows = database.statement(kWebhooksOf);
  rows.bind(user.value());
  std::vector<Webhook> all;
  while (rows.next()) all.push_back(read_webhook(rows));
  return all;
}

std::optional<Webhook> find_webhook(sqlite::Connection& database, const WebhookId& id) {
  auto& row = database.statement(kWebhook).bind(id.value());
  if (!row.next()) return std::nullopt;
  auto webhook = read_webhook(row);
  row.reset();
  return webhook;
}

Result<void> may_send(sqlite::Connection& database, const UserId& user, const WebhookId& id) {
  const auto webhook = find_webhook(database, id);
  if (!webhook || webhook->user != user) return webhook_not_found();
  if (webhook->disabled_at) {
    return Error::for_user(Errc::conflict, "WEBHOOK_DISABLED",
                           "This webhook is disabled; switch it on first, with {\"enabled\": true}.");
  }
  auto& row = database.statement("SELECT count(*) FROM deliveries WHERE state = 0 AND webhook_id = ?").bind(id.value());
  row.next();
  const auto pending = row.integer(0);
  row.reset();
  if (pending < webhooks::kMostPending) return {};
  return Error::for_user(Errc::exhausted, "WEBHOOK_BUSY",
                         "This webhook has " + std::to_string(pending) +
                             " pending deliveries; ask again with fewer than " +
                             std::to_string(webhooks::kMostPending) + ".");
}

std::uint64_t disable_webhook(sqlite::Connection& database, const WebhookId& id, DisabledReason reason,
                              std::int64_t now) {
  database.run("UPDATE webhooks SET disabled_at = ?, disabled_by = ? WHERE id = ?", now, static_cast<int>(reason),
               id.value());
  return static_cast<std::uint64_t>(
      database.run("UPDATE deliveries SET state = 2, next_at = ? WHERE state = 0 AND webhook_id = ?", now, id.value()));
}

void count_anew(sqlite::Connection& database, const WebhookId& id) {
  database.run("UPDATE webhooks SET failures = 0, failing_since = NULL, hold_until = 0 WHERE id = ?", id.value());
}

bool fails_too_long(sqlite::Connection& database, const WebhookId& id, std::int64_t now) {
  database.run(
      "UPDATE webhooks SET failures = failures + 1, failing_since = ifnull(failing_since, ?)"
      " WHERE id = ? AND disabled_at IS NULL",
      now, id.value());
  auto& row =
      database
          .statement(
              "SELECT 1 FROM webhooks WHERE id = ? AND disabled_at IS NULL AND failures >= ? AND failing_since <= ?")
          .bind(id.value(), webhooks::kMostFailures,
                now - std::chrono::milliseconds(webhooks::kLongestFailing).count());
  const bool found = row.next();
  if (found) row.reset();
  return found;
}

bool is_owned(sqlite::Connection& database, const UserId& user, const WebhookId& id) {
  auto& row = database.statement("SELECT 1 FROM webhooks WHERE id = ? AND user_id = ?").bind(id.value(), user.value());
  const bool found = row.next();
  if (found) row.reset();
  return found;
}

Delivery read_delivery(const sqlite::Statement& row) {
  Delivery delivery;
  delivery.id = DeliveryId(row.text(0));
  delivery.webhook = WebhookId(row.text(1));
  delivery.type = row.text(2);
  delivery.body = row.text(3);
  delivery.state = static_cast<DeliveryState>(row.integer(4));
  delivery.attempts = static_cast<int>(row.integer(5));
  delivery.last_answer = row.text(6);
  delivery.created_at = from_millis(row.integer(7));
  if (delivery.state == DeliveryState::pending) delivery.next_at = from_millis(row.integer(8));
  return delivery;
}

std::optional<WebhookId> webhook_of(sqlite::Connection& database, const DeliveryId& delivery) {
  auto& row = database.statement("SELECT webhook_id FROM deliveries WHERE id = ?").bind(delivery.value());
  if (!row.next()) return std::nullopt;
  WebhookId id(row.text(0));
  row.reset();
  return id;
}

}  // namespace rushes::store_sqlite
