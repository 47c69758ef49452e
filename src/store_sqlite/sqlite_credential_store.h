#pragma once
#include "auth/credential_store.h"
#include "store_sqlite/readers.h"
#include "store_sqlite/writer.h"

namespace rushes::store_sqlite {

/// API keys, sign-outs and sign-ins in SQLite.
class SqliteCredentialStore final : public auth::CredentialStore {
 public:
  SqliteCredentialStore(Readers& readers, Writer& writer, const Clock& clock)
      : readers_(readers), writer_(writer), clock_(clock) {}

  Task<Result<void>> add_key(auth::ApiKey key, auth::KeyLimits limits) override;
  Task<Result<std::vector<auth::ApiKey>>> all_keys() override;
  Task<Result<std::vector<auth::ApiKey>>> keys_of(UserId user) override;
  Task<Result<void>> remove_key(UserId user, auth::KeyId id) override;
  Task<Result<void>> record_uses(std::vector<std::pair<auth::KeyId, Timestamp>> uses) override;
  Task<Result<std::vector<auth::KeyId>>> sign_out(auth::SignOut sign_out, bool keys) override;
  Task<Result<std::vector<auth::SignOut>>> all_sign_outs() override;
  Task<Result<bool>> record_sign_in(auth::SignIn sign_in) override;
  Task<Result<bool>> record_bad_tokens(auth::BadTokens bad) override;

 private:
  Readers& readers_;
  Writer& writer_;
  const Clock& clock_;
};

}  // namespace rushes::store_sqlite
