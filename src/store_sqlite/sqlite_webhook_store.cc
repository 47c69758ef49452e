#include "store_sqlite/sqlite_webhook_store.h"

#include "base/json.h"

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
using webhooks::DueDelivery;
using webhooks::Share;
using webhooks::Turn;
using webhooks::Webhook;
using webhooks::WebhookId;

namespace {

Error not_found() { return Error::for_user(Errc::not_found, "WEBHOOK_NOT_FOUND", "There is no such webhook."); }

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
  return webhook;
}

std::vector<Webhook> webhooks_of(sqlite::Connection& database, const UserId& user) {
  auto& rows = database.statement(
      "SELECT id, user_id, url, secret, types, created_at, disabled_at FROM webhooks WHERE user_id = ? ORDER BY id");
  rows.bind(user.value());
  std::vector<Webhook> all;
  while (rows.next()) all.push_back(read_webhook(rows));
  return all;
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
      " SELECT w.id, w.user_id, (SELECT min(next_at) FROM deliveries WHERE state = 0 AND webhook_id = w.id)"
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
std::optional<DueDelivery> first_of(sqlite::Connection& database, const Waiting& waiting) {
  auto& row = database.statement(
      "SELECT d.id, d.webhook_id, d.type, d.body, d.state, d.attempts, d.last_answer, d.created_at, d.next_at, w.url,"
      " w.secret FROM deliveries d JOIN webhooks w ON w.id = d.webhook_id"
      " WHERE d.state = 0 AND d.webhook_id = ? ORDER BY d.next_at, d.rowid LIMIT 1");
  row.bind(waiting.webhook.value());
  if (!row.next()) return std::nullopt;
  DueDelivery due{read_delivery(row), waiting.user, row.text(9), row.text(10)};
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
    database.run("INSERT INTO webhooks (id, user_id, url, secret, types, created_at) VALUES (?, ?, ?, ?, ?, ?)",
                 webhook.id.value(), webhook.user.value(), webhook.url, webhook.secret,
                 json::serialize(to_json_array(webhook.types)), to_millis(webhook.created_at));
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

Task<Result<void>> SqliteWebhookStore::remove(UserId user, WebhookId id) {
  std::function work = [user = std::move(user), id = std::move(id)](Transaction& transaction) -> Result<void> {
    auto& database = transaction.database();
    if (!is_owned(database, user, id)) return not_found();
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
    if (!is_owned(transaction.database(), user, id)) return not_found();
    return insert(transaction.database(), id, type, webhooks::message_of(type, clock_.now(), data));
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
      if (auto first = first_of(database, one)) turn.due.push_back(std::move(*first));
    }
    return turn;
  };
  return readers_.read(std::move(question));
}

Task<Result<void>> SqliteWebhookStore::record(DeliveryId id, Outcome outcome) {
  const auto state = outcome.state;
  std::function work = [this, id = std::move(id),
                        outcome = std::move(outcome)](Transaction& transaction) -> Result<std::uint64_t> {
    auto& database = transaction.database();
    const auto now = to_millis(clock_.now());
    // What ended at `next_at` is forgotten some time after it.
    const auto next_at = outcome.next_at ? to_millis(*outcome.next_at) : now;
    database.run("UPDATE deliveries SET state = ?, attempts = attempts + 1, last_answer = ?, next_at = ? WHERE id = ?",
                 static_cast<int>(outcome.state), outcome.answer, next_at, id.value());
    if (!outcome.gone) return 0;
    database.run("UPDATE webhooks SET disabled_at = ? WHERE id = (SELECT webhook_id FROM deliveries WHERE id = ?)", now,
                 id.value());
    return static_cast<std::uint64_t>(
        database.run("UPDATE deliveries SET state = 2, next_at = ? WHERE state = 0 AND"
                     " webhook_id = (SELECT webhook_id FROM deliveries WHERE id = ?)",
                     now, id.value()));
  };
  const auto others = co_await writer_.write(std::move(work));
  if (!others) co_return others.error();
  (state == DeliveryState::delivered ? counts_.delivered
   : state == DeliveryState::pending ? counts_.failed
                                     : counts_.given_up)
      .add(1);
  counts_.given_up.add(*others);
  co_return Result<void>();
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
    if (!is_owned(database, user, id)) return not_found();
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
