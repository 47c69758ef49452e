#pragma once
#include "async/gate.h"
#include "async/task.h"
#include "auth/api_key.h"
#include "auth/credential_store.h"
#include "auth/jwt.h"
#include "auth/key_book.h"
#include "auth/sign_in_watch.h"
#include "auth/sign_outs.h"
#include "auth/tickets.h"

#include <boost/asio/steady_timer.hpp>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::auth {

/// What an API key is to be.
struct NewApiKey {
  UserId user;
  std::string name;
  Scopes scopes;
  std::string role;
  std::optional<Timestamp> expires_at;
};

/// An API key, and its text form, which is not kept.
struct MadeApiKey {
  ApiKey key;
  std::string text;
};

/// Credentials that are no longer good.
struct EndedCredentials {
  UserId user;
  KeyId key;              // this API key; empty: the user's tokens and tickets
  bool all_keys = false;  // beside the tokens, the user's API keys
};

/// Turns a credential into an Identity: a JWT, an API key, or a ticket. The one place that does.
///
/// API keys and sign-outs are kept in memory; each change is in the store first.
///
/// Threads:  thread-safe, but `start` and `stop`, which run on `executor`.
/// Lifetime: verifier, store, clock and rng outlive it; `stop` before destruction.
/// Errors:   `unauthenticated` with public names TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED; `unavailable` where the
///           verifier gives it.
class Authenticator {
 public:
  /// `ticket_secret`: at least 256 random bits, the same after a restart.
  Authenticator(Executor executor, const TokenVerifier& tokens, CredentialStore& store, std::string ticket_secret,
                const Clock& clock, Rng& rng);

  /// Told of credentials that end, on the thread of the call that ended them. Before `start`.
  void on_ended(std::function<void(const EndedCredentials&)> listener) { ended_ = std::move(listener); }
  /// Before `start`.
  void on_alert(SignInWatch::Listener listener) { watch_.on_alert(std::move(listener)); }

  /// Reads what is kept in memory. Before the first request. Errors: those of the store.
  Task<Result<void>> start();
  Task<> stop();

  /// Who `credential`, with or without a leading `Bearer `, speaks for; nothing where `authenticate` would read keys
  /// first (TokenVerifier::verify_by_known_keys).
  std::optional<Result<Identity>> verify_by_known_keys(std::string_view credential);
  Task<Result<Identity>> authenticate(std::string credential);
  /// Who a ticket speaks for: see Tickets::redeem.
  Result<Identity> redeem(std::string_view ticket, std::string_view path);

  /// Whether what was verified before still holds: its key was not revoked, its user has not signed out since. Does not
  /// look at its expiry.
  Result<void> check(const Identity& identity) const;

  /// Notes where a credential came from, and what became of it.
  void witness(std::string_view credential, const Result<Identity>& outcome, std::string_view address,
               std::string_view user_agent);

  Ticket issue_ticket(const Identity& holder, TicketKind kind, std::string_view path) {
    return tickets_.issue(holder, kind, path);
  }

  /// Errors: KEY_LIMIT.
  Task<Result<MadeApiKey>> make_key(NewApiKey wanted);
  Task<Result<std::vector<ApiKey>>> keys_of(UserId user);
  /// Errors: KEY_NOT_FOUND.
  Task<Result<void>> revoke_key(UserId user, KeyId id);

  /// Refuses the user's tokens and tickets from before the returned moment, and with `keys` removes their API keys. The
  /// moment is the next full second, since tokens say no more of theirs: from then on a new token is good.
  Task<Result<Timestamp>> sign_out_everywhere(UserId user, bool keys);

 private:
  Task<> keep_uses(Gate::Pass pass);
  Task<> write_uses();

  const Executor executor_;
  const TokenVerifier& tokens_;
  CredentialStore& store_;
  const Clock& clock_;
  Rng& rng_;
  std::function<void(const EndedCredentials&)> ended_;
  KeyBook keys_;
  SignOuts sign_outs_;
  Tickets tickets_;
  SignInWatch watch_;

  // On executor_ only.
  Gate gate_;
  asio::steady_timer timer_;
};

}  // namespace rushes::auth
