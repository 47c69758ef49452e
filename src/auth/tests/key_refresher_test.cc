#include "auth/key_refresher.h"

#include "async/run.h"
#include "auth/jwt.h"
#include "auth/tests/issuer.h"
#include "base/file.h"
#include "base/random.h"

#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <future>
#include <memory>
#include <thread>

namespace rushes::auth {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using testing::jwks_of;
using testing::Signer;

/// The whole: a verifier whose keys are refreshed on an event loop, as in the server.
class RefreshTest : public IssuerTest {
 protected:
  void start(RefreshOptions options = RefreshOptions()) {
    if (!ring_) ring_ = std::make_unique<KeyRing>(std::vector<KeySource>{at_url(issuer_.url())});
    ring_->load().value();
    refresher_ = std::make_unique<KeyRefresher>(shards_.executor(0), blocking_, *ring_, options);
    verifier_ = std::make_unique<TokenVerifier>(*ring_, ClaimRules(), clock_, refresher_.get());
    shards_.start();
    asio::post(shards_.executor(0), [this] { refresher_->start(); });
  }
  ~RefreshTest() override {
    issuer_.release();
    if (!refresher_) return;
    run_to_end(run_on(shards_.executor(0), refresher_->stop()));
    run_to_end(run_on(shards_.executor(0), refresher_->stop()));  // works twice
    shards_.stop();
    blocking_.stop();
  }
  /// Asks from the other shard, as most connections do.
  std::future<Result<Identity>> ask(std::string token) {
    return asio::co_spawn(shards_.executor(1), verifier_->authenticate(std::move(token)), asio::use_future);
  }

  std::string refusal(std::string token) {
    const auto asked = ask(std::move(token)).get();
    return asked ? "accepted" : std::string(asked.error().public_name());
  }
  static bool soon(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + seconds(10);
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::yield();
    }
    return true;
  }

  SystemClock clock_;
  Shards shards_{2};
  BlockingPool blocking_{1};
  std::unique_ptr<KeyRing> ring_;
  std::unique_ptr<KeyRefresher> refresher_;
  std::unique_ptr<TokenVerifier> verifier_;
};

TEST_F(RefreshTest, ATokenOfANewKeyWaitsForOneFetchAndIsAccepted) {
  issuer_.serve(200, jwks_of(a_.jwk()));
  start();
  EXPECT_TRUE(ask(a_.sign(claims())).get());
  EXPECT_EQ(issuer_.requests(), 1) << "a known key asks nobody";
  issuer_.serve(200, jwks_of(b_.jwk()));
  issuer_.hold();
  std::vector<std::future<Result<Identity>>> waiting;
  for (int i = 0; i < 20; ++i) waiting.push_back(ask(b_.sign(claims())));
  EXPECT_FALSE(verifier_->verify(b_.sign(claims())));
  EXPECT_FALSE(verifier_->verify_by_known_keys(b_.sign(claims())).has_value()) << "it cannot say yet";
  EXPECT_TRUE(verifier_->verify_by_known_keys(a_.sign(claims())).value());
  EXPECT_FALSE(verifier_->verify_by_known_keys("nonsense").value());
  issuer_.release();
  for (auto& one : waiting) EXPECT_EQ(one.get().value().user.value(), "alice");
  EXPECT_EQ(issuer_.requests(), 2) << "one fetch for all";
  EXPECT_FALSE(ask(a_.sign(claims())).get()) << "the old key has been withdrawn";
}

TEST_F(RefreshTest, StrangersDoNotMakeItAskAllTheTime) {
  issuer_.serve(200, jwks_of(a_.jwk()));
  start();
  const auto first = Signer::ec("unknown").sign(claims());
  EXPECT_EQ(refusal(first), "TOKEN_INVALID") << "the issuer was asked, and does not know it";
  for (int i = 0; i < 10; ++i) {
    EXPECT_EQ(refusal(Signer::ec("unknown " + std::to_string(i)).sign(claims())), "KEYS_UNAVAILABLE");
    EXPECT_EQ(refusal(first), "TOKEN_INVALID") << "it stays refused";
  }
  EXPECT_EQ(issuer_.requests(), 2) << "at the start, and once in 30 s";
}

TEST_F(RefreshTest, OnlyAKeyThatAnIssuerCouldHaveIsAskedFor) {
  issuer_.serve(200, jwks_of(a_.jwk()));
  start();
  EXPECT_FALSE(ask("nonsense").get());
  EXPECT_FALSE(ask(sign_token("a secret", claims())).get());
  EXPECT_FALSE(ask(a_.sign({{"sub", "alice"}, {"exp", 1}}, {})).get());
  EXPECT_EQ(issuer_.requests(), 1);
}

TEST_F(RefreshTest, ANewKeyUnderAnOldIdIsAskedForOnce) {
  issuer_.serve(200, jwks_of(a_.jwk()));
  start();
  const auto replaced = Signer::ed25519("a");
  issuer_.serve(200, jwks_of(replaced.jwk()));
  EXPECT_TRUE(ask(replaced.sign(claims())).get());
  EXPECT_EQ(issuer_.requests(), 2);
  EXPECT_EQ(refusal(a_.sign(claims())), "KEYS_UNAVAILABLE") << "not before 30 s have passed";
  EXPECT_EQ(issuer_.requests(), 2);
}

TEST_F(RefreshTest, WhileKeysCannotBeHadNobodyIsRefusedForGood) {
  issuer_.serve(503, "");
  RefreshOptions options;
  options.retry_after = milliseconds(20);
  options.retry_most = milliseconds(20);
  start(options);
  EXPECT_EQ(verifier_->verify(a_.sign(claims())).error().public_name(), "KEYS_UNAVAILABLE");
  for (int i = 0; i < 3; ++i) {
    const auto refused = ask(a_.sign(claims())).get().error();
    EXPECT_EQ(refused.code(), Errc::unavailable);
    EXPECT_THAT(refused.what(), HasSubstr("try again in 1 s"));
  }
  EXPECT_EQ(refusal(sign_token("a secret", claims())), "TOKEN_INVALID") << "which no issuer publishes";
  EXPECT_EQ(refusal("nonsense"), "TOKEN_INVALID");
  issuer_.serve(200, jwks_of(a_.jwk()));
  EXPECT_TRUE(soon([&] { return ask(a_.sign(claims())).get().has_value(); })) << "without 30 s in between";
}

TEST_F(RefreshTest, FilesAreReadForEachTokenThatTheyMayTurn) {
  const auto file = std::filesystem::temp_directory_path() / ("rushes-ring-" + SystemRng().token(6));
  write_file_atomically(file, jwks_of(a_.jwk())).value();
  ring_ = std::make_unique<KeyRing>(std::vector<KeySource>{{KeySource::Kind::jwks_file, file.string(), "jwt_jwks"}});
  start();
  EXPECT_EQ(refusal(Signer::ec("x").sign(claims())), "TOKEN_INVALID");
  EXPECT_EQ(refusal(Signer::ec("y").sign(claims())), "TOKEN_INVALID") << "there is nobody to be hammered";
  write_file_atomically(file, jwks_of(b_.jwk())).value();
  EXPECT_TRUE(ask(b_.sign(claims())).get());
  std::filesystem::remove(file);
}

TEST_F(RefreshTest, KeysThatWereWithdrawnGoByThemselves) {
  issuer_.serve(200, jwks_of(a_.jwk(), b_.jwk()));
  RefreshOptions options;
  options.files_every = milliseconds(1);
  options.urls_every = milliseconds(1);
  start(options);
  const auto token = a_.sign(claims());
  ASSERT_TRUE(ask(token).get());
  issuer_.serve(200, jwks_of(b_.jwk()));
  EXPECT_TRUE(soon([&] { return verifier_->verify(token).has_error(); }));
  EXPECT_TRUE(verifier_->verify(b_.sign(claims())));
}

TEST_F(RefreshTest, AFailingIssuerRefusesTheNewKeyAndKeepsTheOld) {
  issuer_.serve(200, jwks_of(a_.jwk()));
  start();
  issuer_.serve(500, "");
  EXPECT_EQ(refusal(b_.sign(claims())), "KEYS_UNAVAILABLE");
  EXPECT_TRUE(ask(a_.sign(claims())).get());
}

TEST_F(RefreshTest, StoppingEndsAFetchAndThoseWhoWait) {
  issuer_.serve(200, jwks_of(a_.jwk()));
  start();
  issuer_.hold();
  auto waiting = ask(b_.sign(claims()));
  while (issuer_.requests() < 2) std::this_thread::yield();
  const auto before = std::chrono::steady_clock::now();
  run_to_end(run_on(shards_.executor(0), refresher_->stop()));
  EXPECT_LT(std::chrono::steady_clock::now() - before, seconds(5)) << "without the fetch's ten seconds";
  EXPECT_FALSE(waiting.get());
  EXPECT_FALSE(ask(b_.sign(claims())).get()) << "and later ones are answered at once";
}

}  // namespace
}  // namespace rushes::auth
