#include "auth/claims.h"

#include "auth/jwt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rushes::auth {
namespace {

using ::testing::HasSubstr;

class ClaimsTest : public ::testing::Test {
 protected:
  json::object claims(json::object more = {}) {
    json::object all{{"sub", "alice"}, {"exp", to_millis(clock_.now()) / 1000 + 60}};
    for (auto& member : more) {
      all[member.key()] = member.value();
      if (member.value().is_null()) all.erase(member.key());
    }
    return all;
  }
  std::string user_of(json::object more) {
    const auto identity = check_claims(claims(std::move(more)), rules_, "", clock_.now());
    return identity ? identity->user.value() : identity.error().what();
  }
  std::string role_of(json::object more) {
    return check_claims(claims(std::move(more)), rules_, "", clock_.now()).value().role;
  }
  std::string why(json::object more, std::string_view issuer = "") {
    const auto identity = check_claims(claims(std::move(more)), rules_, issuer, clock_.now());
    return identity ? "accepted" : identity.error().what();
  }

  FakeClock clock_;
  ClaimRules rules_;
};

TEST_F(ClaimsTest, TakesAWholeNumberAsAUserIdInItsDecimalText) {
  EXPECT_EQ(user_of({{"sub", 42}}), "42");
  EXPECT_EQ(user_of({{"sub", nullptr}, {"userId", 42}}), "42");
  EXPECT_EQ(user_of({{"sub", nullptr}, {"id", 42}}), "42");
  EXPECT_EQ(user_of({{"sub", 0}}), "0");
  EXPECT_EQ(user_of({{"sub", -7}}), "-7");
  EXPECT_EQ(user_of({{"sub", 1.0}}), "1");
  EXPECT_EQ(user_of({{"sub", 1e6}}), "1000000") << "and never 1E6";
  EXPECT_EQ(user_of({{"sub", 9007199254740991}}), "9007199254740991");
  EXPECT_THAT(user_of({{"sub", 9007199254740993}}), HasSubstr("(sub) is a number of 2^53 or more"));
  EXPECT_THAT(user_of({{"sub", -9007199254740992}}), HasSubstr("2^53"));
  EXPECT_THAT(user_of({{"sub", std::uint64_t{18446744073709551615U}}}), HasSubstr("2^53"));
  EXPECT_THAT(user_of({{"userId", 1.5}, {"sub", nullptr}}), HasSubstr("(userId) is not a whole number"));
  EXPECT_EQ(user_of({{"sub", "42"}}), "42");
  EXPECT_THAT(user_of({{"sub", true}}), HasSubstr("names no user (sub, userId or id)"));
  EXPECT_THAT(user_of({{"sub", json::array{"a"}}}), HasSubstr("names no user"));
}

TEST_F(ClaimsTest, FindsAUserWhereTheRulesSay) {
  rules_.user_claims = {"oid", "user.id", "https://app.example/user"};
  EXPECT_EQ(user_of({{"oid", "o"}, {"user", {{"id", 1}}}}), "o");
  EXPECT_EQ(user_of({{"user", {{"id", 1}}}}), "1");
  EXPECT_EQ(user_of({{"https://app.example/user", "u"}}), "u");
  EXPECT_EQ(user_of({{"user.id", "whole"}, {"user", {{"id", "split"}}}}), "whole");
  EXPECT_THAT(user_of({}), HasSubstr("(oid, user.id or https://app.example/user)")) << "not sub";
  EXPECT_THAT(user_of({{"user", "u"}}), HasSubstr("names no user"));
}

TEST_F(ClaimsTest, APathMayHoldNamesWithDots) {
  const json::object claims{{"resource_access", {{"app.example", {{"roles", json::array{"x"}}}}}}};
  EXPECT_NE(find_claim(claims, "resource_access.app.example.roles"), nullptr);
  EXPECT_NE(find_claim(claims, "resource_access.app.example"), nullptr);
  EXPECT_EQ(find_claim(claims, "resource_access.app"), nullptr);
  EXPECT_EQ(find_claim(claims, "resource_access.app.example.roles.x"), nullptr);
  EXPECT_EQ(find_claim(claims, ""), nullptr);
  EXPECT_EQ(find_claim(claims, "."), nullptr);
}

TEST_F(ClaimsTest, ReadsRolesAsTextsAndLists) {
  EXPECT_EQ(role_of({}), "");
  EXPECT_EQ(role_of({{"role", "user"}}), "user");
  EXPECT_EQ(role_of({{"role", "admin"}}), "admin");
  EXPECT_EQ(role_of({{"role", json::array{"user", "service", 7}}}), "service");
  EXPECT_EQ(role_of({{"role", json::array{"service", "admin"}}}), "admin") << "the one with the most rights";
  EXPECT_EQ(role_of({{"role", "Admin"}}), "Admin") << "another word";
  EXPECT_EQ(role_of({{"role", "admin user"}}), "admin user");
  EXPECT_EQ(role_of({{"roles", json::array{"admin"}}}), "") << "not configured";
  EXPECT_EQ(role_of({{"role", 7}}), "");
  EXPECT_EQ(role_of({{"role", {{"admin", true}}}}), "");
}

TEST_F(ClaimsTest, FindsRolesWhereTheRulesSay) {
  rules_.role_claims = {"realm_access.roles", "cognito:groups", "https://app.example/roles"};
  rules_.admin_roles = {"rushes-admin", "ops"};
  rules_.service_roles = {"rushes-service"};
  EXPECT_EQ(role_of({{"realm_access", {{"roles", json::array{"user", "ops"}}}}}), "admin");
  EXPECT_EQ(role_of({{"cognito:groups", json::array{"rushes-admin"}}}), "admin");
  EXPECT_EQ(role_of({{"https://app.example/roles", "rushes-service"}}), "service");
  EXPECT_EQ(role_of({{"cognito:groups", json::array{"beta"}}, {"https://app.example/roles", "ops"}}), "admin");
  EXPECT_EQ(role_of({{"role", "ops"}}), "");
  EXPECT_EQ(role_of({{"cognito:groups", "admin"}}), "") << "the word alone gives nothing where others mean it";
  EXPECT_EQ(role_of({{"cognito:groups", json::array{"admin", "beta"}}}), "beta");
}

TEST_F(ClaimsTest, OnlyNamedIssuersGiveRoles) {
  rules_.issuers = {"https://ours", "https://partner"};
  rules_.role_issuers = {"https://ours"};
  EXPECT_EQ(role_of({{"role", "admin"}, {"iss", "https://ours"}}), "admin");
  EXPECT_EQ(role_of({{"role", "admin"}, {"iss", "https://partner"}}), "");
}

TEST_F(ClaimsTest, AnIssuersKeySignsItsTokensAlone) {
  EXPECT_EQ(why({{"iss", "https://a"}}, "https://a"), "accepted");
  EXPECT_THAT(why({{"iss", "https://b"}}, "https://a"), HasSubstr("issuer 'https://b' (iss), whose tokens its key"));
  EXPECT_THAT(why({}, "https://a"), HasSubstr("no issuer (iss)"));
  rules_.issuers = {"https://a", "https://b"};
  EXPECT_THAT(why({{"iss", "https://b"}}, "https://a"), HasSubstr("(iss)"));
  EXPECT_EQ(why({{"iss", "https://b"}}), "accepted");
  EXPECT_THAT(why({{"iss", "https://c"}}), HasSubstr("issuer 'https://c' (iss), whose tokens are not accepted here"));
}

TEST_F(ClaimsTest, TheClientStandsForAnAudienceThatIsAbsent) {
  rules_.audiences = {"app"};
  EXPECT_EQ(why({{"client_id", "app"}}), "accepted");
  EXPECT_EQ(why({{"azp", "app"}}), "accepted");
  EXPECT_THAT(why({{"client_id", "other"}, {"azp", "app"}}), HasSubstr("(aud)"));
  EXPECT_THAT(why({{"client_id", json::array{"app"}}}), HasSubstr("(aud)"));
  EXPECT_THAT(why({}), HasSubstr("(aud)"));
  for (const json::value& other : {json::value("other"), json::value(json::array{}), json::value("")}) {
    EXPECT_THAT(why({{"aud", other}, {"client_id", "app"}, {"azp", "app"}}), HasSubstr("(aud)"))
        << "who is named is meant";
  }
  auto null = claims({{"client_id", "app"}});
  null["aud"] = nullptr;
  EXPECT_FALSE(check_claims(null, rules_, "", clock_.now()));
}

TEST_F(ClaimsTest, ExpiryMeansTheSameMomentEverywhere) {
  rules_.skew = std::chrono::seconds(60);
  const auto identity = check_claims(claims(), rules_, "", clock_.now()).value();
  EXPECT_EQ(to_millis(identity.expires_at), to_millis(clock_.now()) + 120'000);
  clock_.advance(std::chrono::milliseconds(119'999));
  EXPECT_TRUE(check_expiry(identity, clock_.now()));
  clock_.advance(std::chrono::milliseconds(1));
  EXPECT_EQ(check_expiry(identity, clock_.now()).error().public_name(), "TOKEN_EXPIRED");
}

TEST(TokenType, OnlyAccessTokensSignIn) {
  const FakeClock clock;
  const std::string secret(32, 's');
  const TokenVerifier verifier(secret, clock);
  const auto verify = [&](const json::object& header) {
    const json::object claims{{"sub", "alice"}, {"exp", to_millis(clock.now()) / 1000 + 60}};
    const auto token = sign_token(secret, claims, header);
    return verifier.verify(token).has_value();
  };
  for (const auto* type : {"JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt", "application/jwt", ""}) {
    EXPECT_TRUE(verify({{"typ", type}})) << type;
  }
  EXPECT_TRUE(verify({}));
  for (const auto* type : {"logout+jwt", "dpop+jwt", "secevent+jwt", "application/logout+jwt", "jwt ", "id+jwt"}) {
    EXPECT_FALSE(verify({{"typ", type}})) << type;
  }
  EXPECT_FALSE(verify({{"typ", 7}}));
}

}  // namespace
}  // namespace rushes::auth
