#include "auth/sign_in_watch.h"

#include "auth/client.h"
#include "base/log.h"

#include <boost/asio/post.hpp>

#include <utility>

namespace rushes::auth {
namespace {

constexpr std::size_t kRemembered = 65'536;  // sign-ins of today, in each of two generations
constexpr std::size_t kMostTallies = 4'096;
constexpr int kMostPending = 1'000;

std::size_t mix(std::size_t seed, std::size_t value) {
  return seed ^ (value + std::size_t{0x9e3779b97f4a7c15} + (seed << 6U) + (seed >> 2U));
}

}  // namespace

SignInWatch::SignInWatch(Executor executor, CredentialStore& store, const Clock& clock)
    : executor_(executor), store_(store), clock_(clock), gate_(executor) {}

bool SignInWatch::is_new_today(const UserId& user, std::string_view address, std::string_view user_agent) {
  const auto day = std::chrono::floor<std::chrono::days>(clock_.now()).time_since_epoch().count();
  auto key = mix(std::hash<UserId>{}(user), std::hash<std::string_view>{}(address));
  key = mix(mix(key, std::hash<std::string_view>{}(user_agent)), static_cast<std::size_t>(day));
  const std::lock_guard lock(mutex_);
  if (seen_.contains(key)) return false;
  const bool known = seen_before_.contains(key);
  if (seen_.size() >= kRemembered) seen_before_ = std::exchange(seen_, {});
  seen_.insert(key);
  return !known;
}

void SignInWatch::signed_in(const UserId& user, std::string_view address, std::string_view user_agent) {
  if (pending_ >= kMostPending || !is_new_today(user, address, user_agent)) return;
  SignIn sign_in{user, network_of(address), std::string(browser_of(user_agent))};
  if (sign_in.network.empty()) return;
  spawn([this, sign_in = std::move(sign_in)](Gate::Pass pass) { return record(sign_in, std::move(pass)); });
}

void SignInWatch::refused(const UserId& user, std::string_view address, bool was_good) {
  BadTokens bad{user, network_of(address)};
  if (bad.network.empty()) return;
  const auto now = clock_.now();
  {
    const std::lock_guard lock(mutex_);
    if (tallies_.size() >= kMostTallies) tallies_.clear();
    auto& tally = tallies_[user.value() + '\n' + bad.network];
    if (now - tally.since >= kWithin) tally = {now};
    ++(was_good ? tally.were_good : tally.never_good);
    // Asked once for each sort: a flood costs no more of the database than a trickle.
    bad.only_expired = was_good;
    if ((was_good ? tally.were_good : tally.never_good) != kMany) return;
  }
  if (pending_ >= kMostPending) return;
  spawn([this, bad = std::move(bad)](Gate::Pass pass) { return record_bad(bad, std::move(pass)); });
}

void SignInWatch::spawn(std::function<Task<>(Gate::Pass)> work) {
  ++pending_;
  asio::post(executor_, [this, work = std::move(work)] {
    --pending_;
    if (gate_.in_flight() >= static_cast<std::size_t>(kMostPending)) return;
    if (auto pass = gate_.try_enter()) spawn_detached(executor_, "sign-ins", work(std::move(*pass)));
  });
}

Task<> SignInWatch::record(SignIn sign_in, Gate::Pass pass) {
  const auto held = std::move(pass);
  SecurityAlert alert{SecurityAlert::Kind::new_device, sign_in.user, sign_in.network, sign_in.browser};
  const auto due = co_await store_.record_sign_in(std::move(sign_in));
  if (!due) log::warning("auth", "cannot record a sign-in: {}", due.error().what());
  if (due && *due && listener_) co_await listener_(std::move(alert));
}

Task<> SignInWatch::record_bad(BadTokens bad, Gate::Pass pass) {
  const auto held = std::move(pass);
  SecurityAlert alert{SecurityAlert::Kind::bad_tokens, bad.user, bad.network, {}};
  const auto due = co_await store_.record_bad_tokens(std::move(bad));
  if (!due) log::warning("auth", "cannot record bad tokens: {}", due.error().what());
  if (due && *due && listener_) co_await listener_(std::move(alert));
}

}  // namespace rushes::auth
