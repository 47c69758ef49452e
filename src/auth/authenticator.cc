#include "auth/authenticator.h"

#include "auth/jose_json.h"
#include "base/log.h"
#include "base/text.h"

#include <boost/asio/redirect_error.hpp>

#include <utility>

namespace rushes::auth {
namespace {

constexpr std::chrono::minutes kUsesEvery{1};

std::string_view without_scheme(std::string_view credential) {
  constexpr std::string_view kScheme = "Bearer ";
  credential = trim(credential);
  return equals_ignore_case(credential.substr(0, kScheme.size()), kScheme) ? trim(credential.substr(kScheme.size()))
                                                                           : credential;
}

}  // namespace

Authenticator::Authenticator(Executor executor, const TokenVerifier& tokens, CredentialStore& store,
                             std::string ticket_secret, const Clock& clock, Rng& rng)
    : executor_(executor),
      tokens_(tokens),
      store_(store),
      clock_(clock),
      rng_(rng),
      tickets_(std::move(ticket_secret), clock, rng),
      watch_(executor, store, clock),
      gate_(executor),
      timer_(executor) {}

Task<Result<void>> Authenticator::start() {
  auto keys = co_await store_.all_keys();
  if (!keys) co_return keys.error();
  for (auto& key : *keys) keys_.put(std::move(key));
  const auto sign_outs = co_await store_.all_sign_outs();
  if (!sign_outs) co_return sign_outs.error();
  for (const auto& one : *sign_outs) sign_outs_.put(one);
  if (auto pass = gate_.try_enter()) spawn_detached(executor_, "auth", keep_uses(std::move(*pass)));
  co_return Result<void>();
}

Task<> Authenticator::stop() {
  timer_.cancel();
  co_await gate_.close();
  co_await write_uses();
  co_await watch_.stop();
}

Task<> Authenticator::keep_uses(Gate::Pass pass) {
  const auto held = std::move(pass);
  while (!gate_.closed()) {
    timer_.expires_after(kUsesEvery);
    boost::system::error_code ended;
    co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, ended));
    if (ended) co_return;
    co_await write_uses();
  }
}

Task<> Authenticator::write_uses() {
  auto uses = keys_.take_uses();
  if (uses.empty()) co_return;
  const auto written = co_await store_.record_uses(std::move(uses));
  if (!written) log::warning("auth", "cannot record the last uses of API keys: {}", written.error().what());
}

std::optional<Result<Identity>> Authenticator::verify_by_known_keys(std::string_view credential) {
  const auto text = without_scheme(credential);
  if (looks_like_api_key(text)) return keys_.find(text, clock_.now());
  auto identity = tokens_.verify_by_known_keys(credential);
  if (!identity || !*identity) return identity;
  if (auto stands = sign_outs_.check(**identity); !stands) return Result<Identity>(stands.error());
  return identity;
}

Task<Result<Identity>> Authenticator::authenticate(std::string credential) {
  if (auto known = verify_by_known_keys(credential)) co_return std::move(*known);
  auto identity = co_await tokens_.authenticate(std::move(credential));
  if (!identity) co_return identity;
  if (auto stands = check(*identity); !stands) co_return stands.error();
  co_return identity;
}

Result<Identity> Authenticator::redeem(std::string_view ticket, std::string_view path) {
  auto identity = tickets_.redeem(ticket, path);
  if (!identity) return identity;
  if (auto stands = check(*identity); !stands) return stands.error();
  return identity;
}

Result<void> Authenticator::check(const Identity& identity) const {
  if (identity.key.value().empty()) return sign_outs_.check(identity);
  if (keys_.contains(identity.key)) return {};
  return Error::for_user(Errc::unauthenticated, "TOKEN_INVALID", "The API key was revoked.");
}

void Authenticator::witness(std::string_view credential, const Result<Identity>& outcome, std::string_view address,
                            std::string_view user_agent) {
  if (outcome) return watch_.signed_in(outcome->user, address, user_agent);
  if (outcome.error().code() != Errc::unauthenticated) return;
  const auto text = without_scheme(credential);
  const bool expired = outcome.error().public_name() == "TOKEN_EXPIRED";
  if (looks_like_api_key(text)) {
    if (const auto owner = keys_.owner(text)) watch_.refused(*owner, address, expired);
    return;
  }
  const auto user = tokens_.claimed_user(text);
  // What the verifier takes was refused because its user has signed out.
  if (user) watch_.refused(*user, address, expired || tokens_.verify(text).has_value());
}

Task<Result<MadeApiKey>> Authenticator::make_key(NewApiKey wanted) {
  auto [text, id] = new_api_key_text(rng_);
  ApiKey key;
  key.id = std::move(id);
  key.user = std::move(wanted.user);
  key.name = std::move(wanted.name);
  key.digest = digest_of_api_key(text);
  key.scopes = wanted.scopes;
  key.role = std::move(wanted.role);
  key.created_at = clock_.now();
  key.expires_at = wanted.expires_at;
  const auto added = co_await store_.add_key(key, KeyLimits());
  if (!added) co_return added.error();
  keys_.put(key);
  co_return MadeApiKey{std::move(key), std::move(text)};
}

Task<Result<std::vector<ApiKey>>> Authenticator::keys_of(UserId user) {
  auto keys = co_await store_.keys_of(std::move(user));
  if (!keys) co_return keys;
  for (auto& key : *keys) {
    if (const auto used = keys_.last_used(key.id)) key.last_used_at = used;
  }
  co_return keys;
}

Task<Result<void>> Authenticator::revoke_key(UserId user, KeyId id) {
  auto removed = co_await store_.remove_key(user, id);
  if (!removed) co_return removed;
  keys_.remove(id);
  if (ended_) ended_({std::move(user), std::move(id)});
  co_return removed;
}

Task<Result<Timestamp>> Authenticator::sign_out_everywhere(UserId user, bool keys) {
  const Timestamp moment = std::chrono::floor<std::chrono::seconds>(clock_.now()) + std::chrono::seconds(1);
  SignOut sign_out{user, moment};
  const auto removed = co_await store_.sign_out(sign_out, keys);
  if (!removed) co_return removed.error();
  sign_outs_.put(sign_out);
  for (const auto& id : *removed) keys_.remove(id);
  if (ended_) ended_({std::move(user), {}, keys});
  co_return moment;
}

}  // namespace rushes::auth
