#include "auth/key_ring.h"

#include "async/run.h"
#include "async/shards.h"
#include "auth/jwt.h"
#include "auth/testing/signer.h"
#include "base/file.h"
#include "base/random.h"
#include "net/http_server.h"

#include <boost/asio/use_future.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <filesystem>
#include <functional>
#include <future>
#include <mutex>

namespace rushes::auth {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using testing::jwks_of;
using testing::Signer;

/// An issuer's web server on this machine: what it answers can change while it runs.
class Issuer {
 public:
  Issuer() : shards_(1), http_(shards_, router_, options()) {
    router_.add("GET", "/jwks.json", [this](net::Request&) { return answer(); });
    router_.add("GET", "/moved.json", [this](net::Request&) { return redirect("/jwks.json"); });
    router_.add("GET", "/round.json", [this](net::Request&) { return redirect("/round.json"); });
    router_.add("GET", "/away.json", [this](net::Request&) { return redirect(elsewhere_); });
    shards_.start();
    port_ = http_.start().value();
  }
  ~Issuer() {
    release();
    run_to_end(run_on(shards_.executor(0), http_.stop(milliseconds(0))));
    shards_.stop();
  }

  std::string url(const std::string& path = "/jwks.json") const {
    return "http://127.0.0.1:" + std::to_string(port_) + path;
  }
  void serve(int status, std::string body) {
    const std::lock_guard lock(mutex_);
    status_ = status;
    body_ = std::move(body);
  }
  void redirect_away_to(std::string url) { elsewhere_ = std::move(url); }
  /// From now on requests wait for `release`.
  void hold() { held_ = true; }
  void release() { held_ = false; }
  int requests() const { return requests_; }

 private:
  static net::HttpOptions options() {
    net::HttpOptions options;
    options.port = 0;
    return options;
  }
  Task<net::Response> answer() {
    ++requests_;
    while (held_) co_await sleep_for(milliseconds(1));
    const std::lock_guard lock(mutex_);
    co_return net::Response(status_, "application/json", body_);
  }
  static Task<net::Response> redirect(std::string to) {
    net::Response response(302);
    response.headers.add("Location", to);
    co_return response;
  }

  std::mutex mutex_;  // guards status_ and body_
  int status_ = 200;
  std::string body_;
  std::string elsewhere_;
  std::atomic<bool> held_{false};
  std::atomic<int> requests_{0};
  std::uint16_t port_ = 0;
  Shards shards_;
  net::Router router_;
  net::HttpServer http_;
};

KeySource at_url(std::string url) { return {KeySource::Kind::jwks_url, std::move(url), "jwt_jwks"}; }

json::object claims() { return {{"sub", "alice"}, {"exp", to_millis(SystemClock().now()) / 1000 + 60}}; }

std::string load_failure(KeySource source, FetchLimits limits = FetchLimits()) {
  KeyRing ring({std::move(source)}, limits);
  const auto loaded = ring.load();
  return loaded ? "accepted" : loaded.error().what();
}

class KeyFiles : public ::testing::Test {
 protected:
  KeyFiles() { std::filesystem::create_directories(folder_); }
  ~KeyFiles() override { std::filesystem::remove_all(folder_); }
  std::string file(const std::string& name, std::string_view content) const {
    write_file_atomically(folder_ / name, content).value();
    return folder_ / name;
  }
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("rushes-ring-" + SystemRng().token(6));
};

TEST_F(KeyFiles, BadOnesEndTheStartWithTheirNameAndWhatIsAllowed) {
  const auto pem = [&](const std::string& path) {
    return KeySource{KeySource::Kind::pem_file, path, "jwt_public_key"};
  };
  const auto jwks = [&](const std::string& path) { return KeySource{KeySource::Kind::jwks_file, path, "jwt_jwks"}; };
  EXPECT_THAT(load_failure(pem(folder_ / "absent.pem")),
              ::testing::AllOf(HasSubstr("jwt_public_key: '"), HasSubstr("absent.pem"), HasSubstr("No such file"),
                               HasSubstr("allowed: a PEM file")));
  EXPECT_THAT(load_failure(pem(file("no.pem", "nothing"))), HasSubstr("no PEM block"));
  EXPECT_THAT(load_failure(pem(folder_)), HasSubstr("allowed: a PEM file"));
  EXPECT_THAT(load_failure(jwks(file("weak.json", jwks_of(Signer::rsa("weak", 1024).jwk())))),
              ::testing::AllOf(HasSubstr("jwt_jwks: '"), HasSubstr("'weak' is an RSA key of 1024 bits"),
                               HasSubstr("allowed: a JWKS")));
  EXPECT_THAT(load_failure(jwks(file("large.json", std::string(300'000, ' ')))), HasSubstr("large.json"));
}

TEST_F(KeyFiles, ChangesAreSeenAndBadOnesAreNot) {
  const auto a = Signer::ec("a");
  const auto b = Signer::ec("b");
  const auto path = file("jwks.json", jwks_of(a.jwk()));
  KeyRing ring({{KeySource::Kind::jwks_file, path, "jwt_jwks"}});
  ring.load().value();
  const auto before = ring.keys();
  ring.reload(false);
  EXPECT_EQ(ring.keys(), before) << "the same snapshot while nothing has changed";
  file("jwks.json", "{\"keys\":");
  ring.reload(false);
  EXPECT_EQ(ring.keys(), before) << "half a file";
  std::filesystem::remove(path);
  ring.reload(false);
  EXPECT_EQ(ring.keys(), before) << "no file";
  file("jwks.json", jwks_of(b.jwk()));
  ring.reload(false);
  EXPECT_FALSE(ring.keys()->knows("a"));
  EXPECT_TRUE(ring.keys()->knows("b"));
}

class IssuerTest : public ::testing::Test {
 protected:
  Issuer issuer_;
  const Signer a_ = Signer::ed25519("a");
  const Signer b_ = Signer::ec("b");
  int issuer_status_ = 200;
};

TEST_F(IssuerTest, WhatCanNeverWorkEndsTheStart) {
  issuer_.serve(404, "");
  EXPECT_THAT(load_failure(at_url(issuer_.url())), HasSubstr("status 404"));
  issuer_.serve(200, "<html>");
  EXPECT_THAT(load_failure(at_url(issuer_.url())), HasSubstr("not a JWKS"));
  issuer_.serve(200, std::string((256U << 10U) + 1, ' '));
  EXPECT_THAT(load_failure(at_url(issuer_.url())), HasSubstr("more than 262144 bytes"));
  issuer_.serve(200, R"({"keys":[{"kty":"oct","k":"c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0"}]})");
  EXPECT_THAT(load_failure(at_url(issuer_.url())), HasSubstr("(kty oct)")) << "a secret for everyone is none";
  issuer_.serve(200, jwks_of(a_.jwk()));
  EXPECT_EQ(load_failure(at_url(issuer_.url())), "accepted");
}

TEST_F(IssuerTest, FollowsRedirectsWithinItsOwnHostOnly) {
  Issuer other;
  other.serve(200, jwks_of(a_.jwk()));
  issuer_.serve(200, jwks_of(a_.jwk()));
  EXPECT_EQ(load_failure(at_url(issuer_.url("/moved.json"))), "accepted");
  EXPECT_THAT(load_failure(at_url(issuer_.url("/round.json"))), HasSubstr("more than 3 times"));
  for (const auto& elsewhere : {other.url(), std::string("file:///etc/passwd"), std::string("https://127.0.0.1/x")}) {
    issuer_.redirect_away_to(elsewhere);
    EXPECT_THAT(load_failure(at_url(issuer_.url("/away.json"))), HasSubstr("redirects to another place"));
  }
  EXPECT_EQ(other.requests(), 0);
}

TEST_F(IssuerTest, OneThatIsAwayIsAskedAgain) {
  issuer_.serve(503, "");
  KeyRing ring({at_url(issuer_.url())});
  ASSERT_TRUE(ring.load()) << "it may only be starting, as we are";
  EXPECT_FALSE(ring.is_complete());
  EXPECT_TRUE(ring.keys()->keys().empty());
  EXPECT_FALSE(ring.reload(true));
  issuer_.serve(200, jwks_of(a_.jwk()));
  EXPECT_TRUE(ring.reload(true));
  EXPECT_TRUE(ring.keys()->knows("a"));
  EXPECT_TRUE(ring.is_complete());
}

TEST_F(IssuerTest, KeysAreKeptWhileItFails) {
  issuer_.serve(200, jwks_of(a_.jwk()));
  KeyRing ring({at_url(issuer_.url())});
  ring.load().value();
  const auto good = ring.keys();
  for (const auto status : {500, 404, 200}) {
    issuer_.serve(status, "sorry");
    EXPECT_FALSE(ring.reload(true));
    EXPECT_EQ(ring.keys(), good) << status;
  }
}

TEST_F(IssuerTest, ASlowOneIsLeftAfterTheTimeout) {
  issuer_.hold();
  FetchLimits limits;
  limits.timeout = milliseconds(50);
  KeyRing ring({at_url(issuer_.url())}, limits);
  EXPECT_TRUE(ring.load());
  EXPECT_TRUE(ring.keys()->keys().empty());
}

TEST_F(IssuerTest, KeysOfTheLastServerAreUsedWhileItIsAway) {
  const auto folder = std::filesystem::temp_directory_path() / ("rushes-archive-" + SystemRng().token(6));
  FakeClock clock;
  const KeyArchive archive(folder / "keys", clock);
  const auto knows_a = [&](const std::string& url) {
    KeyRing ring({at_url(url)}, FetchLimits(), &archive);
    EXPECT_TRUE(ring.load());
    EXPECT_EQ(ring.is_fresh(), issuer_status_ == 200);
    return ring.keys()->knows("a");
  };
  const auto serve = [&](int status, const std::string& text) { issuer_.serve(issuer_status_ = status, text); };
  serve(503, "");
  EXPECT_FALSE(knows_a(issuer_.url())) << "nothing is kept yet";
  serve(200, jwks_of(a_.jwk()));
  EXPECT_TRUE(knows_a(issuer_.url()));
  const auto file = archive.file_of(issuer_.url());
  EXPECT_EQ(std::filesystem::status(file).permissions(),
            std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
  for (const auto status : {503, 404}) {
    serve(status, "");
    EXPECT_TRUE(knows_a(issuer_.url())) << status;
  }
  EXPECT_FALSE(archive.find("http://127.0.0.1/other.json")) << "another URL's";
  clock.advance(KeyArchive::kLongest);
  serve(503, "");
  EXPECT_TRUE(knows_a(issuer_.url()));
  clock.advance(milliseconds(1));
  EXPECT_FALSE(knows_a(issuer_.url())) << "too old";
  serve(200, jwks_of(a_.jwk()));
  EXPECT_TRUE(knows_a(issuer_.url())) << "read again, and as new as that";
  serve(503, "");
  EXPECT_TRUE(knows_a(issuer_.url()));
  for (const auto* broken : {"", "{", "[]", "{\"url\":1}"}) {
    write_file_atomically(file, broken, 0600).value();
    EXPECT_FALSE(knows_a(issuer_.url())) << broken;
  }
  std::filesystem::remove_all(folder);
}

TEST_F(IssuerTest, AKeySignsForItsIssuerAlone) {
  Issuer other;
  issuer_.serve(200, jwks_of(a_.jwk(), b_.jwk()));
  other.serve(200, jwks_of(Signer::rsa("r").jwk(), b_.jwk()));
  KeyRing ring({{KeySource::Kind::jwks_url, issuer_.url(), "jwt_jwks", "https://a"},
                {KeySource::Kind::jwks_url, other.url(), "jwt_jwks", "https://b"}});
  ring.load().value();
  const SystemClock clock;
  const TokenVerifier verifier(ring, {{"https://a", "https://b"}}, clock);
  const auto verify = [&](const Signer& signer, const char* issuer) {
    auto claimed = claims();
    claimed["iss"] = issuer;
    return verifier.verify(signer.sign(claimed)).has_value();
  };
  EXPECT_TRUE(verify(a_, "https://a"));
  EXPECT_FALSE(verify(a_, "https://b"));
  EXPECT_TRUE(verify(b_, "https://a")) << "a key of both";
  EXPECT_TRUE(verify(b_, "https://b"));
}

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

TEST(JwksUrl, IsChecked) {
  EXPECT_EQ(check_jwks_url("https://issuer.example/jwks.json"), "");
  EXPECT_EQ(check_jwks_url("http://127.0.0.1:8080/"), "");
  EXPECT_NE(check_jwks_url("ftp://issuer.example/"), "");
  EXPECT_NE(check_jwks_url("file:///etc/keys"), "");
  EXPECT_NE(check_jwks_url("https://user:pass@issuer.example/"), "");
  EXPECT_NE(check_jwks_url("https://"), "");
  EXPECT_TRUE(is_in_clear("http://issuer.example/"));
  EXPECT_FALSE(is_in_clear("https://issuer.example/"));
  EXPECT_FALSE(is_in_clear("http://localhost:1/"));
  EXPECT_FALSE(is_in_clear("http://[::1]:1/"));
}

}  // namespace
}  // namespace rushes::auth
