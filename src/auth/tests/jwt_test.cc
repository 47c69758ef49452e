#include "auth/jwt.h"

#include "auth/secret.h"
#include "auth/testing/signer.h"
#include "base/file.h"
#include "base/json_writer.h"
#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <filesystem>

namespace rushes::auth {
namespace {

using testing::jwks_of;
using testing::Signer;

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
    return base64url_encode(header) + "." + base64url_encode(to_json_text(payload)) + "." + std::string(signature);
  }

  FakeClock clock_;
  TokenVerifier verifier_{std::string(kSecret), clock_, std::chrono::seconds(0)};
};

TEST_F(TokenVerifierTest, AcceptsItsOwnAndReadsTheClaims) {
  const auto identity = verifier_.verify("Bearer " + sign_token(kSecret, claims({{"role", "admin"}}))).value();
  EXPECT_EQ(identity.user.value(), "alice");
  EXPECT_EQ(identity.role, "admin");
  EXPECT_EQ(to_millis(identity.expires_at), to_millis(clock_.now()) + 60'000);
  EXPECT_FALSE(identity.issued_at.has_value());
  const auto dated = verifier_.verify(sign_token(kSecret, claims({{"iat", 1'700'000'000.5}}))).value();
  EXPECT_EQ(to_millis(dated.issued_at.value()), 1'700'000'000'500);
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
}

TEST_F(TokenVerifierTest, RefusesMissingMalformedAndWronglySigned) {
  EXPECT_EQ(refusal(""), "TOKEN_MISSING");
  EXPECT_EQ(refusal("Bearer "), "TOKEN_MISSING");
  EXPECT_EQ(refusal("abc"), "TOKEN_INVALID");
  EXPECT_EQ(refusal("a.b.c.d"), "TOKEN_INVALID");
  EXPECT_EQ(refusal(sign_token("another secret", claims())), "TOKEN_INVALID");
  EXPECT_EQ(refusal(sign_token(kSecret, claims({{"groups", std::string(12'000, 'g')}}))), "accepted") << "16 KiB";
  EXPECT_EQ(refusal(sign_token(kSecret, claims({{"groups", std::string(12'300, 'g')}}))), "TOKEN_INVALID");
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

/// Made once a run: the tests only sign with them.
struct Signers {
  Signer pem = Signer::ec();
  Signer rsa = Signer::rsa("rsa");
  Signer ec = Signer::ec("ec");
  Signer ed = Signer::ed25519("ed");
  Signer twin = Signer::ec("rsa");  // two keys of one id
  Signer stranger = Signer::ec("ec");
};
const Signers& signers() {
  static const Signers made;
  return made;
}

/// A verifier over a secret, a key in a PEM file and a set of keys, with rules for issuer and audience.
class KeysTest : public ::testing::Test {
 protected:
  KeysTest() {
    std::filesystem::create_directories(folder_);
    write_file_atomically(folder_ / "key.pem", pem_.public_pem()).value();
    write_file_atomically(folder_ / "jwks.json", jwks_of(rsa_.jwk(), ec_.jwk(), ed_.jwk(), twin_.jwk())).value();
    ring_.load().value();
  }
  ~KeysTest() override { std::filesystem::remove_all(folder_); }

  json::object claims(json::object more = {}) const {
    json::object all{
        {"sub", "alice"}, {"iss", "https://issuer"}, {"aud", "rushes"}, {"exp", to_millis(clock_.now()) / 1000 + 60}};
    for (auto& member : more) all[member.key()] = member.value();
    return all;
  }
  std::string refusal(std::string_view token) const {
    const auto verified = verifier_.verify(token);
    return verified ? "accepted" : std::string(verified.error().public_name());
  }
  std::string why(std::string_view token) const {
    const auto verified = verifier_.verify(token);
    return verified ? "accepted" : std::string(verified.error().public_message());
  }
  static std::string hmac_token(Algorithm algorithm, std::string_view secret, const json::object& header,
                                const json::object& payload) {
    const auto text = base64url_encode(to_json_text(header)) + "." + base64url_encode(to_json_text(payload));
    return text + "." + base64url_encode(hmac(algorithm, secret, text));
  }

  FakeClock clock_;
  const std::filesystem::path folder_ =
      std::filesystem::temp_directory_path() / ("rushes-keys-" + SystemRng().token(6));
  const Signer& pem_ = signers().pem;
  const Signer& rsa_ = signers().rsa;
  const Signer& ec_ = signers().ec;
  const Signer& ed_ = signers().ed;
  const Signer& twin_ = signers().twin;
  const Signer& stranger_ = signers().stranger;
  KeyRing ring_{{{KeySource::Kind::secret, std::string(kSecret), "jwt_secret"},
                 {KeySource::Kind::pem_file, folder_ / "key.pem", "jwt_public_key"},
                 {KeySource::Kind::jwks_file, folder_ / "jwks.json", "jwt_jwks"}}};
  TokenVerifier verifier_{ring_, {{"https://issuer"}, {"rushes", "also"}, std::chrono::seconds(5)}, clock_};
};

TEST_F(KeysTest, AcceptsTokensOfEveryKeyAndAlgorithm) {
  for (const auto* signer : {&pem_, &rsa_, &ec_, &ed_, &twin_}) {
    EXPECT_EQ(verifier_.verify(signer->sign(claims())).value().user.value(), "alice") << signer->algorithm();
  }
  const auto p = claims();
  EXPECT_EQ(refusal(hmac_token(Algorithm::hs256, kSecret, {{"alg", "HS256"}}, p)), "accepted");
  EXPECT_EQ(refusal(hmac_token(Algorithm::hs384, kSecret, {{"alg", "HS384"}}, p)), "accepted");
  EXPECT_EQ(refusal(hmac_token(Algorithm::hs512, kSecret, {{"alg", "HS512"}}, p)), "accepted");
  EXPECT_EQ(refusal(hmac_token(Algorithm::hs256, kSecret, {{"alg", "HS512"}}, p)), "TOKEN_INVALID");
}

TEST_F(KeysTest, RefusesAChangedTokenOfEveryAlgorithm) {
  for (const auto* signer : {&pem_, &rsa_, &ec_, &ed_}) {
    const auto token = signer->sign(claims());
    const auto first = token.find('.');
    const auto second = token.rfind('.');
    const auto other = base64url_encode(to_json_text(claims({{"sub", "mallory"}})));
    EXPECT_EQ(refusal(token.substr(0, first + 1) + other + token.substr(second)), "TOKEN_INVALID");
    EXPECT_EQ(refusal(token.substr(0, second + 1)), "TOKEN_INVALID") << "no signature";
    EXPECT_EQ(refusal(token + "AAAA"), "TOKEN_INVALID") << "a longer signature";
    EXPECT_EQ(refusal(token.substr(0, token.size() - 4)), "TOKEN_INVALID") << "a shorter signature";
    auto flipped = token;
    flipped[second + 10] = flipped[second + 10] == 'A' ? 'B' : 'A';
    EXPECT_EQ(refusal(flipped), "TOKEN_INVALID");
  }
  EXPECT_EQ(refusal(stranger_.sign(claims())), "TOKEN_INVALID") << "a stranger's key under a known id";
}

TEST_F(KeysTest, NeverTakesAPublicKeyForASecret) {
  // CVE-2015-9235: all that is public about a key, used as an HMAC's secret.
  const json::object header{{"alg", "HS256"}, {"kid", "rsa"}};
  for (const auto& known :
       {pem_.public_pem(), rsa_.public_pem(), to_json_text(rsa_.jwk()), std::string(rsa_.jwk().at("n").get_string()),
        base64url_decode(std::string(rsa_.jwk().at("n").get_string())).value()}) {
    EXPECT_EQ(refusal(hmac_token(Algorithm::hs256, known, header, claims())), "TOKEN_INVALID");
    EXPECT_EQ(refusal(hmac_token(Algorithm::hs256, known, {{"alg", "RS256"}, {"kid", "rsa"}}, claims())),
              "TOKEN_INVALID");
  }
  EXPECT_EQ(refusal(hmac_token(Algorithm::hs256, "", header, claims())), "TOKEN_INVALID") << "an empty secret";
}

TEST_F(KeysTest, ATokenCannotChooseAnotherAlgorithmThanTheKeys) {
  for (const auto* signer : {&rsa_, &ec_, &ed_}) {
    for (const auto* name :
         {"none", "None", "", "HS256", "RS256", "ES256", "EdDSA", "RS384", "PS256", "ES384", "rs256"}) {
      if (name == signer->algorithm()) continue;
      EXPECT_EQ(refusal(signer->sign(claims(), {{"alg", name}})), "TOKEN_INVALID") << signer->algorithm() << name;
    }
    EXPECT_EQ(refusal(signer->sign(claims(), {{"alg", 7}})), "TOKEN_INVALID");
    EXPECT_EQ(refusal(signer->sign(claims(), {{"alg", json::array{"RS256"}}})), "TOKEN_INVALID");
  }
}

TEST_F(KeysTest, TheIdOnlyLooksUp) {
  EXPECT_EQ(refusal(rsa_.sign(claims(), {{"kid", "ec"}})), "TOKEN_INVALID") << "another type's";
  EXPECT_EQ(refusal(ec_.sign(claims(), {{"kid", "rsa"}})), "TOKEN_INVALID");
  EXPECT_THAT(why(rsa_.sign(claims(), {{"kid", "../../etc/passwd"}})), ::testing::HasSubstr("not known here"));
  EXPECT_EQ(refusal(rsa_.sign(claims(), {{"kid", 7}})), "TOKEN_INVALID");
  EXPECT_EQ(refusal(pem_.sign(claims(), {{"kid", "any"}})), "accepted") << "a key without an id fits every id";
}

TEST_F(KeysTest, NeverReadsAKeyOutOfTheToken) {
  const json::object smuggled{{"jwk", stranger_.jwk()},
                              {"jku", "http://127.0.0.1:1/jwks.json"},
                              {"x5u", "http://127.0.0.1:1/cert.pem"},
                              {"x5c", json::array{"MIIB"}}};
  EXPECT_EQ(refusal(stranger_.sign(claims(), smuggled)), "TOKEN_INVALID");
  EXPECT_EQ(refusal(rsa_.sign(claims(), smuggled)), "accepted") << "nor does it hurt";
}

TEST_F(KeysTest, RefusesCriticalExtensionsAndNamesThatOccurTwice) {
  EXPECT_EQ(refusal(rsa_.sign(claims(), {{"crit", json::array{"exp"}}})), "TOKEN_INVALID");
  EXPECT_EQ(refusal(rsa_.sign(claims(), {{"crit", json::array{}}})), "TOKEN_INVALID");
  const auto signed_as = [](std::string_view header, std::string_view payload) {
    const auto text = base64url_encode(header) + "." + base64url_encode(payload);
    return text + "." + base64url_encode(hmac(Algorithm::hs256, kSecret, text));
  };
  const auto payload = to_json_text(claims());
  EXPECT_EQ(refusal(signed_as(R"({"alg":"HS256","x":"a:\"b"})", payload)), "accepted");
  EXPECT_EQ(refusal(signed_as(R"({"alg":"none","alg":"HS256"})", payload)), "TOKEN_INVALID");
  EXPECT_EQ(refusal(signed_as(R"({"alg":"HS256"})", R"({"sub":"mallory",)" + payload.substr(1))), "TOKEN_INVALID");
  EXPECT_EQ(refusal(signed_as(R"({"alg":"HS256"})", "[]")), "TOKEN_INVALID");
}

TEST_F(KeysTest, RefusesAnEcdsaSignatureInAnotherForm) {
  const auto token = ec_.sign(claims());
  const auto text = token.substr(0, token.rfind('.'));
  const auto raw = ec_.signature(text);
  const auto with = [&](const std::string& signature) { return text + "." + base64url_encode(signature); };
  EXPECT_EQ(refusal(with(raw)), "accepted");
  EXPECT_EQ(refusal(with(raw + std::string(1, '\0'))), "TOKEN_INVALID");
  EXPECT_EQ(refusal(with(raw.substr(0, 63))), "TOKEN_INVALID");
  EXPECT_EQ(refusal(with(std::string(64, '\0'))), "TOKEN_INVALID") << "CVE-2022-21449: r and s are zero";
  EXPECT_EQ(refusal(with(std::string(64, '\xff'))), "TOKEN_INVALID") << "past the curve's order";
  EXPECT_EQ(refusal(with("\x30\x44\x02\x20" + raw.substr(0, 32) + "\x02\x20" + raw.substr(32))), "TOKEN_INVALID")
      << "DER";
}

TEST_F(KeysTest, HoldsIssuerAndAudienceAgainstTheConfiguredOnes) {
  EXPECT_EQ(refusal(rsa_.sign(claims({{"aud", json::array{"other", "also"}}}))), "accepted");
  for (const json::value& bad : {json::value("https://issuer/"), json::value(nullptr), json::value(7),
                                 json::value(json::array{"https://issuer"})}) {
    EXPECT_THAT(why(rsa_.sign(claims({{"iss", bad}}))), ::testing::HasSubstr("(iss)"));
  }
  for (const json::value& bad : {json::value("other"), json::value(nullptr), json::value(json::array{}),
                                 json::value(json::array{"other", 7}), json::value(json::object{{"rushes", true}})}) {
    EXPECT_THAT(why(rsa_.sign(claims({{"aud", bad}}))), ::testing::HasSubstr("(aud)"));
  }
  auto bare = claims();
  bare.erase("iss");
  EXPECT_EQ(refusal(rsa_.sign(bare)), "TOKEN_INVALID");
  bare = claims();
  bare.erase("aud");
  EXPECT_EQ(refusal(rsa_.sign(bare)), "TOKEN_INVALID");
}

TEST_F(KeysTest, AllowsClocksToDifferByTheSkew) {
  const auto now = to_millis(clock_.now()) / 1000;
  const auto at = [&](const char* claim, json::value time) { return rsa_.sign(claims({{claim, std::move(time)}})); };
  EXPECT_EQ(refusal(at("exp", now - 4)), "accepted");
  EXPECT_EQ(refusal(at("exp", now - 5)), "TOKEN_EXPIRED");
  EXPECT_EQ(refusal(at("nbf", now + 5)), "accepted");
  EXPECT_EQ(refusal(at("nbf", now + 6)), "TOKEN_INVALID");
  EXPECT_EQ(refusal(at("nbf", "soon")), "TOKEN_INVALID");
  EXPECT_EQ(refusal(at("iat", "then")), "TOKEN_INVALID");
  EXPECT_EQ(refusal(at("exp", nullptr)), "TOKEN_INVALID");
  EXPECT_EQ(refusal(at("exp", 1e300)), "TOKEN_INVALID");
}

TEST_F(KeysTest, ARememberedTokenStillExpires) {
  const auto token = rsa_.sign(claims());
  EXPECT_EQ(refusal(token), "accepted");
  EXPECT_EQ(refusal(token), "accepted");
  clock_.advance(std::chrono::seconds(65));
  EXPECT_EQ(refusal(token), "TOKEN_EXPIRED");
}

TEST_F(KeysTest, ARememberedTokenFallsWithItsKey) {
  const auto token = rsa_.sign(claims());
  const auto other = ec_.sign(claims());
  ASSERT_EQ(refusal(token), "accepted");
  write_file_atomically(folder_ / "jwks.json", jwks_of(ec_.jwk())).value();
  EXPECT_EQ(refusal(token), "accepted") << "the file has not been read again";
  ring_.reload(false);
  EXPECT_EQ(refusal(token), "TOKEN_INVALID");
  EXPECT_EQ(refusal(other), "accepted");
}

TEST_F(KeysTest, AJwksKeyBoundToAnotherAlgorithmDoesNotVerify) {
  write_file_atomically(folder_ / "jwks.json", jwks_of(rsa_.jwk({{"alg", "PS256"}}), ec_.jwk())).value();
  ring_.reload(false);
  EXPECT_EQ(refusal(rsa_.sign(claims())), "TOKEN_INVALID");
  EXPECT_EQ(refusal(ec_.sign(claims())), "accepted");
}

TEST(TokenCache, ForgetsWhatIsLongestUnused) {
  TokenCache cache(64);
  const auto keys = std::make_shared<const KeySet>();
  const auto digest = [](int i) { return TokenCache::digest_of("token " + std::to_string(i)); };
  const Identity alice{UserId("alice"), "", {}};
  for (int i = 0; i < 1000; ++i) {
    cache.put(digest(i), keys, alice);
    EXPECT_TRUE(cache.find(digest(i), keys));
    EXPECT_TRUE(cache.find(digest(0), keys)) << "in use all the time";
    EXPECT_LE(cache.size(), 64U);
  }
  EXPECT_FALSE(cache.find(digest(1), keys));
  EXPECT_FALSE(cache.find(digest(999), std::make_shared<const KeySet>())) << "other keys";
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
