#include "store_sqlite/sqlite_credential_store.h"

#include <utility>

namespace rushes::store_sqlite {

using auth::ApiKey;
using auth::CredentialStore;
using auth::KeyId;
using auth::SignOut;

namespace {

enum AlertKind : int { kNewDevice = 0, kBadTokens = 1 };

std::optional<std::int64_t> millis_or_null(const std::optional<Timestamp>& time) {
  return time ? std::optional(to_millis(*time)) : std::nullopt;
}

std::vector<ApiKey> read_keys(sqlite::Statement& rows) {
  std::vector<ApiKey> keys;
  while (rows.next()) {
    ApiKey key;
    key.id = KeyId(rows.text(0));
    key.user = UserId(rows.text(1));
    key.name = rows.text(2);
    key.digest = rows.text(3);
    key.scopes = auth::Scopes::from_bits(rows.integer(4));
    key.role = rows.text(5);
    key.created_at = from_millis(rows.integer(6));
    if (!rows.is_null(7)) key.expires_at = from_millis(rows.integer(7));
    if (!rows.is_null(8)) key.last_used_at = from_millis(rows.integer(8));
    keys.push_back(std::move(key));
  }
  return keys;
}

std::int64_t number(sqlite::Statement& row) {
  row.next();
  const auto value = row.integer(0);
  row.reset();
  return value;
}

/// Whether the user was not alerted of that kind within CredentialStore::kAlertEvery; counts this alert then.
bool claim_alert(sqlite::Connection& database, const UserId& user, AlertKind kind, Timestamp now) {
  const auto changed = database.run(
      "INSERT INTO security_alerts (user_id, kind, at) VALUES (?1, ?2, ?3)"
      " ON CONFLICT (user_id, kind) DO UPDATE SET at = ?3 WHERE at <= ?4",
      user.value(), static_cast<int>(kind), to_millis(now), to_millis(now - CredentialStore::kAlertEvery));
  return changed > 0;
}

}  // namespace

Task<Result<void>> SqliteCredentialStore::add_key(ApiKey key, auth::KeyLimits limits) {
  std::function work = [key = std::move(key), limits](Transaction& transaction) -> Result<void> {
    auto& database = transaction.database();
    const auto of_user =
        number(database.statement("SELECT count(*) FROM api_keys WHERE user_id = ?").bind(key.user.value()));
    if (of_user >= limits.of_user) {
      return Error::for_user(
          Errc::conflict, "KEY_LIMIT",
          "You have " + std::to_string(limits.of_user) + " API keys, the most allowed; revoke one first.");
    }
    if (number(database.statement("SELECT count(*) FROM api_keys")) >= limits.of_all) {
      return Error::for_user(Errc::conflict, "KEY_LIMIT",
                             "This server has " + std::to_string(limits.of_all) + " API keys, the most that it takes.");
    }
    database.run(
        "INSERT INTO api_keys (id, user_id, name, digest, scopes, role, created_at, expires_at, last_used_at)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        key.id.value(), key.user.value(), key.name, sqlite::Blob{key.digest}, key.scopes.bits(), key.role,
        to_millis(key.created_at), millis_or_null(key.expires_at), millis_or_null(key.last_used_at));
    return {};
  };
  return writer_.write(std::move(work));
}

Task<Result<std::vector<ApiKey>>> SqliteCredentialStore::all_keys() {
  std::function question = [](sqlite::Connection& database) -> Result<std::vector<ApiKey>> {
    return read_keys(
        database.statement("SELECT id, user_id, name, digest, scopes, role, created_at, expires_at, last_used_at"
                           " FROM api_keys"));
  };
  return readers_.read(std::move(question));
}

Task<Result<std::vector<ApiKey>>> SqliteCredentialStore::keys_of(UserId user) {
  std::function question = [user = std::move(user)](sqlite::Connection& database) -> Result<std::vector<ApiKey>> {
    auto& rows = database.statement(
        "SELECT id, user_id, name, digest, scopes, role, created_at, expires_at, last_used_at"
        " FROM api_keys WHERE user_id = ? ORDER BY created_at, id");
    return read_keys(rows.bind(user.value()));
  };
  return readers_.read(std::move(question));
}

Task<Result<void>> SqliteCredentialStore::remove_key(UserId user, KeyId id) {
  std::function work = [user = std::move(user), id = std::move(id)](Transaction& transaction) -> Result<void> {
    const auto removed =
        transaction.database().run("DELETE FROM api_keys WHERE id = ? AND user_id = ?", id.value(), user.value());
    if (removed == 0) return Error::for_user(Errc::not_found, "KEY_NOT_FOUND", "There is no such API key.");
    return {};
  };
  return writer_.write(std::move(work));
}

Task<Result<void>> SqliteCredentialStore::record_uses(std::vector<std::pair<KeyId, Timestamp>> uses) {
  std::function work = [uses = std::move(uses)](Transaction& transaction) -> Result<void> {
    auto& database = transaction.database();
    for (const auto& [id, at] : uses) {
      database.run("UPDATE api_keys SET last_used_at = ? WHERE id = ?", to_millis(at), id.value());
    }
    return {};
  };
  return writer_.write(std::move(work));
}

Task<Result<std::vector<KeyId>>> SqliteCredentialStore::sign_out(SignOut sign_out, bool keys) {
  std::function work = [sign_out = std::move(sign_out), keys](Transaction& transaction) -> Result<std::vector<KeyId>> {
    auto& database = transaction.database();
    database.run(
        "INSERT INTO sign_outs (user_id, at) VALUES (?1, ?2)"
        " ON CONFLICT (user_id) DO UPDATE SET at = max(at, ?2)",
        sign_out.user.value(), to_millis(sign_out.at));
    std::vector<KeyId> removed;
    if (!keys) return removed;
    auto& rows = database.statement("SELECT id FROM api_keys WHERE user_id = ?").bind(sign_out.user.value());
    while (rows.next()) removed.emplace_back(rows.text(0));
    database.run("DELETE FROM api_keys WHERE user_id = ?", sign_out.user.value());
    return removed;
  };
  return writer_.write(std::move(work));
}

Task<Result<std::vector<SignOut>>> SqliteCredentialStore::all_sign_outs() {
  std::function question = [](sqlite::Connection& database) -> Result<std::vector<SignOut>> {
    auto& rows = database.statement("SELECT user_id, at FROM sign_outs");
    std::vector<SignOut> all;
    while (rows.next()) all.push_back({UserId(rows.text(0)), from_millis(rows.integer(1))});
    return all;
  };
  return readers_.read(std::move(question));
}

Task<Result<bool>> SqliteCredentialStore::record_sign_in(auth::SignIn sign_in) {
  std::function work = [this, sign_in = std::move(sign_in)](Transaction& transaction) -> Result<bool> {
    auto& database = transaction.database();
    const auto now = clock_.now();
    const auto& user = sign_in.user.value();
    database.run("DELETE FROM sign_ins WHERE user_id = ? AND last_at < ?", user, to_millis(now - kRemembered));
    auto& known = database
                      .statement(
                          "SELECT count(*), coalesce(sum(network = ?2), 0), coalesce(sum(browser = ?3), 0)"
                          " FROM sign_ins WHERE user_id = ?1")
                      .bind(user, sign_in.network, sign_in.browser);
    known.next();
    const bool is_new = known.integer(0) > 0 && known.integer(1) == 0 && known.integer(2) == 0;
    known.reset();
    database.run(
        "INSERT INTO sign_ins (user_id, network, browser, last_at) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (user_id, network, browser) DO UPDATE SET last_at = ?4",
        user, sign_in.network, sign_in.browser, to_millis(now));
    database.run(
        "DELETE FROM sign_ins WHERE user_id = ?1 AND (network, browser) IN (SELECT network, browser FROM sign_ins"
        " WHERE user_id = ?1 ORDER BY last_at DESC LIMIT -1 OFFSET ?2)",
        user, kMostSignIns);
    return is_new && claim_alert(database, sign_in.user, kNewDevice, now);
  };
  return writer_.write(std::move(work));
}

Task<Result<bool>> SqliteCredentialStore::record_bad_tokens(auth::BadTokens bad) {
  std::function work = [this, bad = std::move(bad)](Transaction& transaction) -> Result<bool> {
    auto& database = transaction.database();
    const auto now = clock_.now();
    auto& known = database
                      .statement(
                          "SELECT count(*), coalesce(sum(network = ?2), 0) FROM sign_ins"
                          " WHERE user_id = ?1 AND last_at >= ?3")
                      .bind(bad.user.value(), bad.network, to_millis(now - kRemembered));
    known.next();
    const bool is_known = known.integer(0) > 0;
    const bool is_their_network = known.integer(1) > 0;
    known.reset();
    if (!is_known || (bad.only_expired && is_their_network)) return false;
    return claim_alert(database, bad.user, kBadTokens, now);
  };
  return writer_.write(std::move(work));
}

}  // namespace rushes::store_sqlite
