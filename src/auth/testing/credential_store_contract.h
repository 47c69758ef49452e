#pragma once
#include "auth/credential_store.h"
#include "base/clock.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <ostream>
#include <string>

namespace rushes::auth {

/// The credentials of one database, open.
class OpenCredentials {
 public:
  virtual ~OpenCredentials() = default;
  virtual CredentialStore& credentials() = 0;
  /// Closes the database and opens it again, as a restart of the server does.
  virtual void reopen() = 0;
};

struct CredentialBackend {
  std::string name;
  std::function<std::unique_ptr<OpenCredentials>(FakeClock& clock)> open;
};
inline void PrintTo(const CredentialBackend& backend, std::ostream* out) { *out << backend.name; }

/// What credential_store.h promises, for every implementation alike.
class CredentialStoreContract : public ::testing::TestWithParam<CredentialBackend> {
 protected:
  CredentialStoreContract() : open_(GetParam().open(clock_)) {}

  ApiKey key(const std::string& user, const std::string& id);
  Result<void> add(const ApiKey& key, KeyLimits limits = KeyLimits());
  bool sign_in(const std::string& user, const std::string& network, const std::string& browser);
  bool bad_tokens(const std::string& user, const std::string& network, bool only_expired = false);
  CredentialStore& store() { return open_->credentials(); }
  void reopen() { open_->reopen(); }

  FakeClock clock_;

 private:
  std::unique_ptr<OpenCredentials> open_;
};

}  // namespace rushes::auth
