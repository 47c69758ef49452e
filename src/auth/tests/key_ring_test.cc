#include "auth/key_ring.h"

#include "async/run.h"
#include "auth/jwt.h"
#include "auth/testing/signer.h"
#include "auth/tests/issuer.h"
#include "base/file.h"
#include "base/random.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

namespace rushes::auth {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using testing::jwks_of;
using testing::Signer;

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
