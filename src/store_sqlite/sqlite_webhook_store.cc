#include "store_sqlite/sqlite_webhook_store.h"

#include "base/json.h"
#include "base/json_writer.h"
#include "store_sqlite/webhook_rows.h"

#include <algorithm>
#include <optional>
#include <span>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace rushes::store_sqlite {

using webhooks::Delivery;
using webhooks::DeliveryId;
using webhooks::DeliveryState;
using webhooks::DisabledReason;
using webhooks::DueDelivery;
using webhooks::Share;
using webhooks::Turn;
using webhooks::Webhook;
using webhooks::WebhookId;

namespace {

/// A webhook with something pending.
struct Waiting {
  WebhookId webhook;
  UserId user;
  Timestamp at;   // its earliest
  int ahead = 0;  // of the same user: what is being sent, and what is chosen before it
};

/// Each webhook with something pending, from one to the next in the index: what waits behind its first is not looked
/// at.
std::vector<Waiting> waiting_webhooks(sqlite::Connection& database) {
  auto& rows = database.statement(
      "WITH RECURSIVE waiting(hook) AS ("
      " SELECT min(webhook_id) FROM deliveries INDEXED BY deliveries_pending WHERE state = 0"
      " UNION ALL SELECT (SELECT min(webhook_id) FROM deliveries INDEXED BY deliveries_pending"
      " WHERE state = 0 AND webhook_id > hook) FROM waiting"
      " WHERE hook IS NOT NULL)"
      " SELECT w.id, w.user_id,"
      " max(w.hold_until, (SELECT min(next_at) FROM deliveries WHERE state = 0 AND webhook_id = w.id))"
      " FROM waiting JOIN webhooks w ON w.id = hook");
  std::vector<Waiting> all;
  while (rows.next()) all.push_back({WebhookId(rows.text(0)), UserId(rows.text(1)), from_millis(rows.integer(2))});
  return all;
}

/// Leaves those for which the share has room whatever the time, the earliest first.
void leave_room(std::vector<Waiting>& waiting, const Share& share) {
  std::unordered_map<UserId, int> of_user;
  std::unordered_set<WebhookId> busy;
  for (const auto& [user, webhook] : share.busy) {
    ++of_user[user];
    busy.insert(webhook);
  }
  std::erase_if(waiting, [&](const Waiting& one) { return busy.contains(one.webhook); });
  std::stable_sort(waiting.begin(), waiting.end(), [](const auto& a, const auto& b) { return a.at < b.at; });
  for (auto& one : waiting) one.ahead = of_user[one.user]++;
  std::erase_if(waiting, [&](const Waiting& one) { return one.ahead >= share.most_of_user; });
}

/// Nothing where the webhook was removed a moment ago.
std::optional<DueDelivery> first_of(sqlite::Connection& database, const Waiting& waiting, Timestamp now) {
  auto& row = database.statement(
      "SELECT d.id, d.webhook_id, d.type, d.body, d.state, d.attempts, d.last_answer, d.created_at, d.next_at, w.url,"
      " w.secret, CASE WHEN w.previous_until > ?1 THEN w.previous_secret END"
      " FROM deliveries d JOIN webhooks w ON w.id = d.webhook_id"
      " WHERE d.state = 0 AND d.webhook_id = ?2 ORDER BY d.next_at, d.rowid LIMIT 1");
  row.bind(to_millis(now), waiting.webhook.value());
  if (!row.next()) return std::nullopt;
  DueDelivery due{read_delivery(row), waiting.user, row.text(9), {row.text(10)}};
  if (!row.is_null(11)) due.secrets.push_back(row.text(11));
  row.reset();
  return due;
}

}  // namespace

Task<Result<Webhook>> SqliteWebhookStore::add(Webhook webhook, int most) {
  std::function work = [webhook = std::move(webhook), most](Transaction& transaction) -> Result<Webhook> {
    auto& database = transaction.database();
    if (static_cast<int>(webhooks_of(database, webhook.user).size()) >= most) {
      return Error::for_user(Errc::conflict, "WEBHOOK_LIMIT",
                             "You have " + std::to_string(most) + " webhooks, the most allowed; remove one first.");
    }
    database.run(
        "INSERT INTO webhooks (id, user_id, url, secret, types, created_at, description) VALUES (?, ?, ?, ?, ?, ?, ?)",
        webhook.id.value(), webhook.user.value(), webhook.url, webhook.secret,
        to_json_text(to_json_array(webhook.types)), to_millis(webhook.created_at), webhook.description);
    return webhook;
  };
  return writer_.write(std::move(work));
}

Task<Result<std::vector<Webhook>>> SqliteWebhookStore::list(UserId user) {
  std::function question = [user = std::move(user)](sqlite::Connection& database) -> Result<std::vector<Webhook>> {
    return webhooks_of(database, user);
  };
  return readers_.read(std::move(question));
}

Task<Result<Webhook>> SqliteWebhookStore::change(UserId user, WebhookId id, webhooks::WebhookChange change) {
  std::function work = [this, user = std::move(user), id = std::move(id),
                        change = std::move(change)](Transaction& transaction) -> Result<Webhook> {
    auto& database = transaction.database();
    if (!is_owned(database, user, id)) return webhook_not_found();
    const auto now = clock_.now();
    std::optional<std::string> types;
    if (change.types) types = to_json_text(to_json_array(*change.types));
    database.run(
        "UPDATE webhooks SET url = ifnull(?, url), description = ifnull(?, description), types = ifnull(?, types)"
        " WHERE id = ?",
        change.url, change.description, types, id.value());
    if (change.secret) {
      database.run("UPDATE webhooks SET previous_secret = secret, previous_until = ?, secret = ? WHERE id = ?",
                   to_millis(now + webhooks::kBothSecrets), *change.secret, id.value());
    }
    if (change.url || change.enabled.value_or(false)) count_anew(database, id);
    if (change.enabled.value_or(false)) {
      database.run("UPDATE webhooks SET disabled_at = NULL, disabled_by = NULL WHERE id = ?", id.value());
    }
    if (!change.enabled.value_or(true) && !find_webhook(database, id)->disabled_at) {
      disable_webhook(database, id, DisabledReason::asked, to_millis(now));
    }
    return *find_webhook(database, id);
  };
  return writer_.write(std::move(work));
}

Task<Result<void>> SqliteWebhookStore::remove(UserId user, WebhookId id) {
  std::function work = [user = std::move(user), id = std::move(id)](Transaction& transaction) -> Result<void> {
    auto& database = transaction.database();
    if (!is_owned(database, user, id)) return webhook_not_found();
    database.run("DELETE FROM deliveries WHERE webhook_id = ?", id.value());
    database.run("DELETE FROM webhooks WHERE id = ?", id.value());
    return {};
  };
  return writer_.write(std::move(work));
}

Delivery SqliteWebhookStore::insert(sqlite::Connection& database, const WebhookId& webhook, const std::string& type,
                                    const std::string& body) {
  Delivery delivery;
  delivery.id = DeliveryId("msg_" + new_uuid(clock_, rng_));
  delivery.webhook = webhook;
  delivery.type = type;
  delivery.body = body;
  delivery.created_at = clock_.now();
  delivery.next_at = delivery.created_at;
  database.run(
      "INSERT INTO deliveries (id, webhook_id, type, body, state, attempts, last_answer, created_at, next_at)"
      " VALUES (?, ?, ?, ?, 0, 0, '', ?, ?)",
      delivery.id.value(), webhook.value(), type, body, to_millis(delivery.created_at), to_millis(delivery.created_at));
  return delivery;
}

Task<Result<int>> SqliteWebhookStore::consume(std::vector<webhooks::Told> told, std::int64_t upto) {
  std::function work = [this, told = std::move(told), upto](Transaction& transaction) -> Result<int> {
    auto& database = transaction.database();
    auto& row = database.statement("SELECT value FROM counters WHERE name = 'webhooks'");
    row.next();
    const auto done = row.integer(0);
    row.reset();
    int filed = 0;
    for (const auto& one : told) {
      if (one.event <= done) continue;
      for (const auto& webhook : webhooks_of(database, one.user)) {
        const bool wanted = std::find(webhook.types.begin(), webhook.types.end(), one.type) != webhook.types.end();
        if (!wanted || webhook.disabled_at) continue;
        insert(database, webhook.id, one.type, webhooks::message_of(one.type, one.at, one.data));
        ++filed;
      }
    }
    if (upto > done) database.run("UPDATE counters SET value = ? WHERE name = 'webhooks'", upto);
    return filed;
  };
  return writer_.write(std::move(work));
}

Task<Result<std::int64_t>> SqliteWebhookStore::consumed() {
  std::function question = [](sqlite::Connection& database) -> Result<std::int64_t> {
    auto& row = database.statement("SELECT value FROM counters WHERE name = 'webhooks'");
    row.next();
    return row.integer(0);
  };
  return readers_.read(std::move(question));
}

Task<Result<Delivery>> SqliteWebhookStore::file(UserId user, WebhookId id, std::string type, std::string data) {
  std::function work = [this, user = std::move(user), id = std::move(id), type = std::move(type),
                        data = std::move(data)](Transaction& transaction) -> Result<Delivery> {
    if (auto may = may_send(transaction.database(), user, id); !may) return may.error();
    return insert(transaction.database(), id, type, webhooks::message_of(type, clock_.now(), data));
  };
  return writer_.write(std::move(work));
}

Task<Result<Delivery>> SqliteWebhookStore::resend(UserId user, WebhookId id, DeliveryId delivery) {
  std::function work = [this, user = std::move(user), id = std::move(id),
                        delivery = std::move(delivery)](Transaction& transaction) -> Result<Delivery> {
    auto& database = transaction.database();
    if (auto may = may_send(database, user, id); !may) return may.error();
    database.run("UPDATE deliveries SET state = 0, attempts = 0, next_at = ? WHERE id = ? AND webhook_id = ?",
                 to_millis(clock_.now()), delivery.value(), id.value());
    auto& row = database.statement(
        "SELECT id, webhook_id, type, body, state, attempts, last_answer, created_at, next_at FROM deliveries"
        " WHERE id = ? AND webhook_id = ?");
    if (!row.bind(delivery.value(), id.value()).next()) {
      return Error::for_user(Errc::not_found, "DELIVERY_NOT_FOUND",
                             "This webhook has no such delivery; they are kept for a week.");
    }
    auto found = read_delivery(row);
    row.reset();
    return found;
  };
  return writer_.write(std::move(work));
}

Task<Result<Turn>> SqliteWebhookStore::due(Timestamp now, Share share) {
  std::function question = [now, share = std::move(share)](sqlite::Connection& database) -> Result<Turn> {
    auto waiting = waiting_webhooks(database);
    leave_room(waiting, share);
    const auto later = std::find_if(waiting.begin(), waiting.end(), [&](const auto& one) { return one.at > now; });
    Turn turn;
    if (later != waiting.end()) turn.next = later->at;
    waiting.erase(later, waiting.end());
    std::stable_sort(waiting.begin(), waiting.end(), [](const auto& a, const auto& b) { return a.ahead < b.ahead; });
    const auto limit = static_cast<std::size_t>(std::max(share.limit, 0));
    if (waiting.size() > limit) turn.next = now;
    for (const auto& one : std::span(waiting).first(std::min(limit, waiting.size()))) {
      if (auto first = first_of(database, one, now)) turn.due.push_back(std::move(*first));
    }
    return turn;
  };
  return readers_.read(std::move(question));
}

Task<Result<std::optional<Webhook>>> SqliteWebhookStore::record(DeliveryId id, Outcome outcome) {
  struct Disabled {
    std::optional<Webhook> webhook;
    std::uint64_t deliveries = 0;  // that failed with it, besides this one
  };
  const auto state = outcome.state;
  std::function work = [this, id = std::move(id),
                        outcome = std::move(outcome)](Transaction& transaction) -> Result<Disabled> {
    auto& database = transaction.database();
    const auto now = to_millis(clock_.now());
    // What ended at `next_at` is forgotten some time after it.
    const auto next_at = outcome.next_at ? to_millis(*outcome.next_at) : now;
    database.run("UPDATE deliveries SET state = ?, attempts = attempts + 1, last_answer = ?, next_at = ? WHERE id = ?",
                 static_cast<int>(outcome.state), outcome.answer, next_at, id.value());
    const auto webhook = webhook_of(database, id);
    if (!webhook) return Disabled();
    if (outcome.state == DeliveryState::delivered) {
      count_anew(database, *webhook);
      return Disabled();
    }
    if (outcome.hold_until) {
      database.run("UPDATE webhooks SET hold_until = ? WHERE id = ?", to_millis(*outcome.hold_until), webhook->value());
    }
    const bool failing = fails_too_long(database, *webhook, now);
    auto found = find_webhook(database, *webhook);
    if (!found || found->disabled_at || (!outcome.gone && !failing)) return Disabled();
    const auto reason = outcome.gone ? DisabledReason::gone : DisabledReason::failing;
    const auto failed = disable_webhook(database, *webhook, reason, now);
    found->disabled_at = from_millis(now);
    found->disabled_by = reason;
    return Disabled{std::move(found), failed};
  };
  auto disabled = co_await writer_.write(std::move(work));
  if (!disabled) co_return disabled.error();
  (state == DeliveryState::delivered ? counts_.delivered
   : state == DeliveryState::pending ? counts_.failed
                                     : counts_.given_up)
      .add(1);
  counts_.given_up.add(disabled->deliveries);
  co_return std::move(disabled->webhook);
}

Task<Result<int>> SqliteWebhookStore::pending(int most) {
  std::function question = [most](sqlite::Connection& database) -> Result<int> {
    auto& row = database.statement("SELECT count(*) FROM (SELECT 1 FROM deliveries WHERE state = 0 LIMIT ?)");
    row.bind(most).next();
    return static_cast<int>(row.integer(0));
  };
  return readers_.read(std::move(question));
}

Task<Result<std::vector<Delivery>>> SqliteWebhookStore::deliveries(UserId user, WebhookId id, int limit) {
  std::function question = [user = std::move(user), id = std::move(id),
                            limit](sqlite::Connection& database) -> Result<std::vector<Delivery>> {
    if (!is_owned(database, user, id)) return webhook_not_found();
    auto& rows = database.statement(
        "SELECT id, webhook_id, type, body, state, attempts, last_answer, created_at, next_at FROM deliveries"
        " WHERE webhook_id = ? ORDER BY rowid DESC LIMIT ?");
    rows.bind(id.value(), limit);
    std::vector<Delivery> all;
    while (rows.next()) all.push_back(read_delivery(rows));
    return all;
  };
  return readers_.read(std::move(question));
}

Task<Result<int>> SqliteWebhookStore::prune(Timestamp before, int limit) {
  std::function work = [before, limit](Transaction& transaction) -> Result<int> {
    return transaction.database().run(
        "DELETE FROM deliveries WHERE id IN"
        " (SELECT id FROM deliveries WHERE state > 0 AND next_at < ? LIMIT ?)",
        to_millis(before), limit);
  };
  return writer_.write(std::move(work));
}

}  // namespace rushes::store_sqlite
