#pragma once

namespace rushes::store_sqlite {

/// API keys, sign-outs, and where users sign in. `scopes` are the bits of auth::Scopes, `alerts.kind` those of
/// SqliteCredentialStore.
inline constexpr const char* kCredentials = R"sql(
CREATE TABLE api_keys (
  id TEXT PRIMARY KEY,
  user_id TEXT NOT NULL,
  name TEXT NOT NULL,
  digest BLOB NOT NULL,
  scopes INTEGER NOT NULL,
  role TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER,
  last_used_at INTEGER
);
CREATE INDEX api_keys_of_user ON api_keys (user_id, created_at);
CREATE TABLE sign_outs (user_id TEXT PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE sign_ins (
  user_id TEXT NOT NULL,
  network TEXT NOT NULL,
  browser TEXT NOT NULL,
  last_at INTEGER NOT NULL,
  PRIMARY KEY (user_id, network, browser)
) WITHOUT ROWID;
CREATE TABLE security_alerts (
  user_id TEXT NOT NULL,
  kind INTEGER NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (user_id, kind)
) WITHOUT ROWID;
)sql";

}  // namespace rushes::store_sqlite
