#include "async/run.h"
#include "auth/authenticator.h"
#include "auth/client.h"

#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

#include <map>

namespace rushes::auth {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr const char* kSecret = "a secret that is long enough for it";

/// Answers at once, counts what it is asked, and alerts whenever it is asked about bad tokens.
class FakeStore final : public CredentialStore {
 public:
  Task<Result<void>> add_key(ApiKey key, KeyLimits limits) override {
    (void)limits;
    keys.push_back(std::move(key));
    co_return Result<void>();
  }
  Task<Result<std::vector<ApiKey>>> all_keys() override { co_return keys; }
  Task<Result<std::vector<ApiKey>>> keys_of(UserId user) override {
    (void)user;
    co_return keys;
  }
  Task<Result<void>> remove_key(UserId user, KeyId id) override {
    const auto removed = std::erase_if(keys, [&](const ApiKey& key) { return key.id == id && key.user == user; });
    if (removed == 0) co_return Error(Errc::not_found, "no such key");
    co_return Result<void>();
  }
  Task<Result<void>> record_uses(std::vector<std::pair<KeyId, Timestamp>> given) override {
    uses.insert(uses.end(), given.begin(), given.end());
    co_return Result<void>();
  }
  Task<Result<std::vector<KeyId>>> sign_out(SignOut sign_out, bool with_keys) override {
    sign_outs.push_back(sign_out);
    std::vector<KeyId> removed;
    if (with_keys) {
      for (const auto& key : keys) removed.push_back(key.id);
      keys.clear();
    }
    co_return removed;
  }
  Task<Result<std::vector<SignOut>>> all_sign_outs() override { co_return sign_outs; }
  Task<Result<bool>> record_sign_in(SignIn given) override {
    sign_ins.push_back(std::move(given));
    co_return true;
  }
  Task<Result<bool>> record_bad_tokens(BadTokens given) override {
    bad_tokens.push_back(std::move(given));
    co_return true;
  }

  std::vector<ApiKey> keys;
  KeyBook::Uses uses;
  std::vector<SignOut> sign_outs;
  std::vector<SignIn> sign_ins;
  std::vector<BadTokens> bad_tokens;
};

class AuthenticatorTest : public ::testing::Test {
 protected:
  AuthenticatorTest() { restart(); }
  ~AuthenticatorTest() override { stop(); }

  void restart() {
    stop();
    auth_ = std::make_unique<Authenticator>(loop_.get_executor(), tokens_, store_,
                                            "a secret of the server, of 32 bytes", clock_, rng_);
    auth_->on_ended([this](const EndedCredentials& ended) { ended_.push_back(ended); });
    auth_->on_alert([this](SecurityAlert alert) { return keep(std::move(alert)); });
    EXPECT_TRUE(on_loop(auth_->start()));
  }
  void stop() {
    if (!auth_) return;
    asio::co_spawn(loop_, auth_->stop(), asio::detached);
    loop_.restart();
    loop_.run();
    auth_.reset();
  }
  Task<> keep(SecurityAlert alert) {
    alerts_.push_back(std::move(alert));
    co_return;
  }
  /// Runs to its end what waits for nothing.
  template <class T>
  T on_loop(Task<T> task) {
    std::optional<T> result;
    asio::co_spawn(loop_, std::move(task), [&](const std::exception_ptr&, T value) { result = std::move(value); });
    settle();
    return std::move(result.value());
  }
  void settle() {
    loop_.restart();
    while (loop_.poll() > 0) continue;
  }

  std::string token(const std::string& user) {
    const auto now = to_millis(clock_.now()) / 1000;
    return sign_token(kSecret, {{"sub", user}, {"iat", now}, {"exp", now + 3600}});
  }
  MadeApiKey key(const std::string& user, Scopes scopes = Scopes(Scope::read)) {
    return on_loop(auth_->make_key({UserId(user), "script", scopes, {}, {}})).value();
  }
  Result<Identity> verify(const std::string& credential) { return auth_->verify_by_known_keys(credential).value(); }
  std::string refusal(const std::string& credential) {
    const auto outcome = verify(credential);
    return outcome ? "accepted" : std::string(outcome.error().public_name());
  }
  /// As a request from there does.
  void witness(const std::string& credential, const std::string& address, const std::string& agent = "curl/8") {
    auth_->witness(credential, verify(credential), address, agent);
    settle();
  }

  FakeClock clock_;
  SeededRng rng_{1};
  asio::io_context loop_;
  FakeStore store_;
  const TokenVerifier tokens_{kSecret, clock_};
  std::unique_ptr<Authenticator> auth_;
  std::vector<EndedCredentials> ended_;
  std::vector<SecurityAlert> alerts_;
};

TEST_F(AuthenticatorTest, TakesAnApiKeyWhereItTakesAToken) {
  const auto made = key("ann", Scopes(Scope::read, Scope::submit));
  EXPECT_EQ(made.text.size(), 88U);
  EXPECT_TRUE(made.text.starts_with("rushes_" + made.key.id.value() + "_"));
  for (const auto* scheme : {"", "Bearer ", "bearer  "}) {
    const auto who = verify(scheme + made.text).value();
    EXPECT_EQ(who.user, UserId("ann"));
    EXPECT_EQ(who.key, made.key.id);
    EXPECT_EQ(who.scopes, Scopes(Scope::read, Scope::submit));
    EXPECT_EQ(who.role, "");
  }
  const auto who = verify(token("ann")).value();
  EXPECT_EQ(who.scopes, Scopes::all());
  EXPECT_EQ(who.key, KeyId());
}

TEST_F(AuthenticatorTest, KeepsNoKeysText) {
  const auto made = key("ann");
  ASSERT_EQ(store_.keys.size(), 1U);
  EXPECT_EQ(store_.keys[0].digest, digest_of_api_key(made.text));
  EXPECT_EQ(store_.keys[0].digest.size(), 32U);
}

TEST_F(AuthenticatorTest, RefusesWhatIsAlmostAKey) {
  const auto made = key("ann");
  auto wrong = made.text;
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  auto unknown = made.text;
  unknown[8] = unknown[8] == '0' ? '1' : '0';
  for (const auto& text : {wrong, unknown, made.text + "0", std::string("rushes_"), "Basic " + made.text}) {
    EXPECT_EQ(refusal(text), "TOKEN_INVALID") << text;
  }
}

TEST_F(AuthenticatorTest, AKeyEndsAtItsTime) {
  const auto made = on_loop(auth_->make_key({UserId("ann"), "", Scopes::all(), {}, clock_.now() + hours(1)})).value();
  EXPECT_EQ(verify(made.text)->expires_at, clock_.now() + hours(1));
  clock_.advance(hours(1));
  EXPECT_EQ(refusal(made.text), "TOKEN_EXPIRED");
}

TEST_F(AuthenticatorTest, ARevokedKeyEndsAtOnceWithWhatItOpened) {
  const auto made = key("ann");
  const auto opened = verify(made.text).value();
  const auto ticket = auth_->issue_ticket(opened, TicketKind::file, "/files/k/a.jpg");
  EXPECT_FALSE(on_loop(auth_->revoke_key(UserId("bob"), made.key.id)));
  EXPECT_TRUE(auth_->check(opened));
  ASSERT_TRUE(on_loop(auth_->revoke_key(UserId("ann"), made.key.id)));
  EXPECT_EQ(refusal(made.text), "TOKEN_INVALID");
  EXPECT_FALSE(auth_->check(opened));
  EXPECT_FALSE(auth_->redeem(ticket.text, "/files/k/a.jpg"));
  ASSERT_EQ(ended_.size(), 1U);
  EXPECT_EQ(ended_[0].key, made.key.id);
}

TEST_F(AuthenticatorTest, KeysOutliveARestart) {
  const auto made = key("ann");
  restart();
  EXPECT_EQ(refusal(made.text), "accepted");
}

TEST_F(AuthenticatorTest, TheLastUseIsWrittenOnceForEachMinute) {
  const auto made = key("ann");
  const auto first = clock_.now();
  for (int i = 0; i < 3; ++i) {
    (void)verify(made.text);
    clock_.advance(seconds(10));
  }
  EXPECT_EQ(on_loop(auth_->keys_of(UserId("ann"))).value().at(0).last_used_at, first);
  clock_.advance(seconds(30));
  (void)verify(made.text);
  stop();
  EXPECT_EQ(store_.uses.size(), 2U);
}

TEST_F(AuthenticatorTest, SigningOutEverywhereRefusesTheUsersTokensFromBeforeAndNoOthers) {
  const auto before = token("ann");
  const auto unmarked = sign_token(kSecret, {{"sub", "ann"}, {"exp", 4'000'000'000}});
  const auto opened = verify(before).value();
  const auto ticket = auth_->issue_ticket(opened, TicketKind::file, "/files/k/a.jpg");
  const auto others = token("bob");
  const auto machine = key("ann");
  clock_.advance(std::chrono::milliseconds(1'500));
  const auto moment = on_loop(auth_->sign_out_everywhere(UserId("ann"), false)).value();
  EXPECT_GT(moment, clock_.now());
  EXPECT_LE(moment, clock_.now() + seconds(1));

  EXPECT_EQ(refusal(before), "TOKEN_INVALID");
  EXPECT_EQ(refusal(token("ann")), "TOKEN_INVALID") << "of the second in which it was asked";
  EXPECT_FALSE(auth_->check(opened));
  EXPECT_FALSE(auth_->redeem(ticket.text, "/files/k/a.jpg"));
  EXPECT_EQ(refusal(others), "accepted");
  EXPECT_EQ(refusal(machine.text), "accepted");
  EXPECT_EQ(refusal(unmarked), "TOKEN_INVALID");
  ASSERT_EQ(ended_.size(), 1U);
  EXPECT_EQ(ended_[0].user, UserId("ann"));
  EXPECT_FALSE(ended_[0].all_keys);

  clock_.advance(moment - clock_.now());
  const auto fresh = token("ann");
  EXPECT_EQ(refusal(fresh), "accepted");
  EXPECT_TRUE(auth_->redeem(auth_->issue_ticket(*verify(fresh), TicketKind::file, "/f").text, "/f"));
  restart();
  EXPECT_EQ(refusal(before), "TOKEN_INVALID");
  EXPECT_EQ(refusal(fresh), "accepted");
}

TEST_F(AuthenticatorTest, SigningOutWithKeysRemovesThem) {
  const auto made = key("ann");
  ASSERT_TRUE(on_loop(auth_->sign_out_everywhere(UserId("ann"), true)));
  EXPECT_EQ(refusal(made.text), "TOKEN_INVALID");
  EXPECT_TRUE(ended_.at(0).all_keys);
}

TEST_F(AuthenticatorTest, ASignInIsRecordedOnceADayForEachPlaceAndProgram) {
  for (int i = 0; i < 3; ++i) witness(token("ann"), "192.0.2.1");
  EXPECT_EQ(store_.sign_ins.size(), 1U);
  EXPECT_EQ(store_.sign_ins.at(0).network, "192.0.2.0/24");
  EXPECT_EQ(store_.sign_ins.at(0).browser, "curl");
  witness(token("bob"), "192.0.2.1");
  witness(token("ann"), "198.51.100.7");
  EXPECT_EQ(store_.sign_ins.size(), 3U);
  clock_.advance(hours(24));
  witness(token("ann"), "192.0.2.1");
  EXPECT_EQ(store_.sign_ins.size(), 4U);
  ASSERT_EQ(alerts_.size(), 4U) << "as the store says";
  EXPECT_EQ(alerts_[0].kind, SecurityAlert::Kind::new_device);
}

TEST_F(AuthenticatorTest, ManyBadTokensFromOneNetworkAlertOnce) {
  const auto forged = sign_token("another secret, by a stranger", {{"sub", "ann"}, {"exp", 4'000'000'000}});
  for (int i = 0; i < SignInWatch::kMany - 1; ++i) witness(forged, "203.0.113.5");
  EXPECT_TRUE(store_.bad_tokens.empty());
  witness(forged, "198.51.100.1");
  EXPECT_TRUE(store_.bad_tokens.empty()) << "another network";
  for (int i = 0; i < 100; ++i) witness(forged, "203.0.113.77");
  ASSERT_EQ(store_.bad_tokens.size(), 1U);
  EXPECT_EQ(store_.bad_tokens[0].user, UserId("ann"));
  EXPECT_EQ(store_.bad_tokens[0].network, "203.0.113.0/24");
  EXPECT_FALSE(store_.bad_tokens[0].only_expired);
  ASSERT_EQ(alerts_.size(), 1U);
  EXPECT_EQ(alerts_[0].kind, SecurityAlert::Kind::bad_tokens);
}

TEST_F(AuthenticatorTest, BadTokensAreCountedWithinAnHour) {
  const auto forged = sign_token("another secret, by a stranger", {{"sub", "ann"}, {"exp", 4'000'000'000}});
  for (int i = 0; i < 3 * SignInWatch::kMany; ++i) {
    witness(forged, "203.0.113.5");
    clock_.advance(minutes(4));
  }
  EXPECT_TRUE(store_.bad_tokens.empty());
}

TEST_F(AuthenticatorTest, ExpiredAndSignedOutTokensAndAKeysIdAreToldApartFromForgeries) {
  const auto old = token("ann");
  const auto made = key("ann");
  auto wrong = made.text;
  wrong.back() = wrong.back() == '0' ? '1' : '0';
  ASSERT_TRUE(on_loop(auth_->sign_out_everywhere(UserId("ann"), false)));
  for (int i = 0; i < SignInWatch::kMany; ++i) witness(old, "203.0.113.5");
  ASSERT_EQ(store_.bad_tokens.size(), 1U);
  EXPECT_TRUE(store_.bad_tokens[0].only_expired);
  clock_.advance(hours(2));
  for (int i = 0; i < SignInWatch::kMany; ++i) witness(old, "203.0.113.5");
  ASSERT_EQ(store_.bad_tokens.size(), 2U);
  EXPECT_TRUE(store_.bad_tokens[1].only_expired);
  for (int i = 0; i < SignInWatch::kMany; ++i) witness(wrong, "203.0.113.5");
  ASSERT_EQ(store_.bad_tokens.size(), 3U);
  EXPECT_FALSE(store_.bad_tokens[2].only_expired);
}

TEST(Client, NetworksAreOfTwentyFourAndFortyEightBits) {
  const std::map<std::string, std::string> expected{{"192.0.2.17", "192.0.2.0/24"},
                                                    {"::ffff:192.0.2.17", "192.0.2.0/24"},
                                                    {"2001:db8:1:2:3:4:5:6", "2001:db8:1::/48"},
                                                    {"2001:db8:1::", "2001:db8:1::/48"},
                                                    {"::1", "::/48"},
                                                    {"fe80::1%eth0", "fe80::/48"},
                                                    {"", ""},
                                                    {"localhost", ""}};
  for (const auto& [address, network] : expected) EXPECT_EQ(network_of(address), network) << address;
}

TEST(Client, BrowsersAreKnownByTheirFamily) {
  const std::map<std::string, std::string> expected{
      {"Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox"},
      {"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36", "Chrome"},
      {"Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0 Safari/537.36 Edg/126.0",
       "Edge"},
      {"Mozilla/5.0 (Macintosh) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15", "Safari"},
      {"Mozilla/5.0 (iPhone) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0 Mobile Safari/604.1", "Chrome"},
      {"curl/7.88.1", "curl"},
      {"python-requests/2.32", "another program"},
      {"", "another program"}};
  for (const auto& [agent, family] : expected) EXPECT_EQ(browser_of(agent), family) << agent;
}

TEST(ScopesTest, AreNamed) {
  EXPECT_EQ(Scopes::all().text(), "read, submit, manage");
  EXPECT_EQ(parse_scope("submit").value(), Scope::submit);
  EXPECT_EQ(parse_scope("admin").error().public_name(), "SCOPES_INVALID");
  EXPECT_TRUE(Scopes::all().contains_all(Scopes(Scope::submit)));
  EXPECT_FALSE(Scopes(Scope::read).contains_all(Scopes(Scope::read, Scope::submit)));
  EXPECT_EQ(Scopes::from_bits(255), Scopes::all());
}

}  // namespace
}  // namespace rushes::auth
