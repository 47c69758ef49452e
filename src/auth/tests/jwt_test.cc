#include "auth/jwt.h"

#include "auth/secret.h"
#include "base/file.h"
#include "base/text.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>

namespace rushes::auth {
namespace {

constexpr std::string_view kSecret = "a secret of the tests";

class TokenVerifierTest : public ::testing::Test {
 protected:
  json::object claims(json::object more = {}) {
    json::object all{{"sub", "alice"}, {"exp", to_millis(clock_.now()) / 1000 + 60}};
    for (auto& member : more) all[member.key()] = member.value();
    return all;
  }
  std::string refusal(std::string_view token) {
    const auto verified = verifier_.verify(token);
    return verified ? "accepted" : std::string(verified.error().public_name());
  }
  static std::string forge(std::string_view header, const json::object& payload, std::string_view signature) {
    return base64url_encode(header) + "." + base64url_encode(json::serialize(payload)) + "." + std::string(signature);
  }

  FakeClock clock_;
  TokenVerifier verifier_{std::string(kSecret), clock_, std::chrono::seconds(0)};
};

TEST_F(TokenVerifierTest, AcceptsItsOwnAndReadsTheClaims) {
  const auto identity = verifier_.verify("Bearer " + sign_token(kSecret, claims({{"role", "admin"}}))).value();
  EXPECT_EQ(identity.user.value(), "alice");
  EXPECT_EQ(identity.role, "admin");
  EXPECT_EQ(to_millis(identity.expires_at), to_millis(clock_.now()) + 60'000);
}

TEST_F(TokenVerifierTest, AcceptsTheExampleOfRfc7515) {
  // RFC 7515, appendix A.1: made by another implementation, with line breaks in its JSON.
  const auto key =
      base64url_decode("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow")
          .value();
  const TokenVerifier verifier(key, clock_);
  const auto verified = verifier.verify(
      "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
      "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
      "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
  ASSERT_FALSE(verified);
  EXPECT_EQ(verified.error().public_name(), "TOKEN_EXPIRED");  // in 2011: the signature held
}

TEST_F(TokenVerifierTest, TakesTheUserFromSubThenUserIdThenId) {
  json::object only_id = claims({{"id", "carol"}});
  only_id.erase("sub");
  EXPECT_EQ(verifier_.verify(sign_token(kSecret, only_id)).value().user.value(), "carol");
  only_id["userId"] = "bob";
  EXPECT_EQ(verifier_.verify(sign_token(kSecret, only_id)).value().user.value(), "bob");
  only_id["sub"] = "alice";
  EXPECT_EQ(verifier_.verify(sign_token(kSecret, only_id)).value().user.value(), "alice");
  EXPECT_EQ(refusal(sign_token(kSecret, claims({{"sub", ""}}))), "TOKEN_INVALID");
  EXPECT_EQ(refusal(sign_token(kSecret, claims({{"sub", 7}}))), "TOKEN_INVALID");
}

TEST_F(TokenVerifierTest, RefusesMissingMalformedAndWronglySigned) {
  EXPECT_EQ(refusal(""), "TOKEN_MISSING");
  EXPECT_EQ(refusal("Bearer "), "TOKEN_MISSING");
  EXPECT_EQ(refusal("abc"), "TOKEN_INVALID");
  EXPECT_EQ(refusal("a.b.c.d"), "TOKEN_INVALID");
  EXPECT_EQ(refusal(sign_token("another secret", claims())), "TOKEN_INVALID");
  EXPECT_EQ(refusal(std::string(9000, 'a')), "TOKEN_INVALID");
  auto cut = sign_token(kSecret, claims());
  cut.pop_back();
  EXPECT_EQ(refusal(cut), "TOKEN_INVALID");
}

TEST_F(TokenVerifierTest, RefusesOtherAlgorithmsWhateverTheSignature) {
  EXPECT_EQ(refusal(forge(R"({"alg":"none"})", claims(), "")), "TOKEN_INVALID");
  EXPECT_EQ(refusal(forge(R"({"alg":"NONE"})", claims(), "")), "TOKEN_INVALID");
  const auto good = sign_token(kSecret, claims());
  const auto signature = good.substr(good.rfind('.') + 1);
  EXPECT_EQ(refusal(forge(R"({"alg":"RS256"})", claims(), signature)), "TOKEN_INVALID");
  EXPECT_EQ(refusal(forge(R"({"alg":"HS256","crit":["x"]})", claims(), signature)), "TOKEN_INVALID");
}

TEST_F(TokenVerifierTest, EndsAtExpiryAndRequiresOne) {
  const auto token = sign_token(kSecret, claims());
  clock_.advance(std::chrono::seconds(59));
  EXPECT_EQ(refusal(token), "accepted");
  clock_.advance(std::chrono::seconds(1));
  EXPECT_EQ(refusal(token), "TOKEN_EXPIRED");
  EXPECT_EQ(refusal(sign_token(kSecret, {{"sub", "alice"}})), "TOKEN_INVALID");
  EXPECT_EQ(refusal(sign_token(kSecret, claims({{"nbf", to_millis(clock_.now()) / 1000 + 30},
                                                {"exp", to_millis(clock_.now()) / 1000 + 90}}))),
            "TOKEN_INVALID");
}

TEST(Secret, IsMadeOnceAndKeptFromOthers) {
  SystemRng rng;
  const auto folder = std::filesystem::temp_directory_path() / ("rushes-secret-" + rng.token(6));
  std::filesystem::create_directories(folder);
  const auto made = load_or_create_secret(folder / "secret", rng).value();
  EXPECT_TRUE(made.created);
  EXPECT_GE(made.value.size(), 43U);
  const auto again = load_or_create_secret(folder / "secret", rng).value();
  EXPECT_FALSE(again.created);
  EXPECT_EQ(again.value, made.value);
  ASSERT_EQ(::chmod((folder / "secret").c_str(), 0644), 0);
  EXPECT_EQ(load_or_create_secret(folder / "secret", rng).error().code(), Errc::invalid_argument);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace rushes::auth
