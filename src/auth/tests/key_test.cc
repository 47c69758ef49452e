#include "auth/key.h"

#include "auth/key_set.h"
#include "auth/testing/signer.h"
#include "base/json_writer.h"
#include "base/text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/evp.h>

namespace rushes::auth {
namespace {

using ::testing::HasSubstr;
using testing::jwks_of;
using testing::Signer;

constexpr std::string_view kText = "what was signed";

std::string refusal(const Result<Key>& key) { return key ? "accepted" : key.error().what(); }

struct Kind {
  std::string name;
  Algorithm algorithm;
  Signer (*make)();
};
void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }

class EachKind : public ::testing::TestWithParam<Kind> {
 protected:
  const Signer another_ = GetParam().make();

  void expect_it_verifies(const Key& key, const Signer& signer) {
    const auto algorithm = GetParam().algorithm;
    const auto signature = signer.signature(kText);
    EXPECT_TRUE(key.verify(algorithm, kText, signature));
    EXPECT_FALSE(key.verify(algorithm, "what was not signed", signature));
    EXPECT_FALSE(key.verify(algorithm, kText, another_.signature(kText))) << "another key's signature";
    EXPECT_FALSE(key.verify(algorithm, kText, ""));
    EXPECT_FALSE(key.verify(algorithm, kText, signature.substr(1)));
    EXPECT_FALSE(key.verify(algorithm, kText, signature + '\0'));
    EXPECT_FALSE(key.verify(algorithm, kText, std::string(signature.size(), '\0')));
    for (const auto other :
         {Algorithm::hs256, Algorithm::hs384, Algorithm::hs512, Algorithm::rs256, Algorithm::es256, Algorithm::eddsa}) {
      if (other == algorithm) continue;
      EXPECT_FALSE(key.allows(other));
      EXPECT_FALSE(key.verify(other, kText, signature));
    }
  }
};

TEST_P(EachKind, VerifiesFromPemCertificateAndJwkAndNothingElse) {
  const auto signer = GetParam().make();
  expect_it_verifies(Key::from_pem(signer.public_pem()).value(), signer);
  expect_it_verifies(Key::from_pem("a comment\n" + signer.certificate_pem()).value(), signer);
  expect_it_verifies(Key::from_jwk(signer.jwk()).value(), signer);
  expect_it_verifies(Key::from_jwk(signer.jwk({{"alg", nullptr}, {"use", nullptr}})).value(), signer);
}

TEST_P(EachKind, IsRefusedWithItsPrivatePart) {
  const auto signer = GetParam().make();
  EXPECT_THAT(refusal(Key::from_pem(signer.private_pem())), HasSubstr("private key"));
  EXPECT_THAT(refusal(Key::from_jwk(signer.jwk({{"d", "AAAA"}}))), HasSubstr("private part"));
}

TEST_P(EachKind, HonoursUseOperationsAndAlgorithm) {
  const auto signer = GetParam().make();
  EXPECT_EQ(refusal(Key::from_jwk(signer.jwk({{"key_ops", json::array{"verify"}}}))), "accepted");
  for (const json::object& bad :
       {json::object{{"use", "enc"}}, json::object{{"use", 7}},
        json::object{{"key_ops", json::array{"sign", "encrypt"}}}, json::object{{"key_ops", "verify"}}}) {
    EXPECT_THAT(refusal(Key::from_jwk(signer.jwk(bad))), HasSubstr("not for verifying"));
  }
  for (const json::value& name : {json::value("HS256"), json::value("RS1"), json::value("none"), json::value(7)}) {
    EXPECT_THAT(refusal(Key::from_jwk(signer.jwk({{"alg", name}}))), HasSubstr("alg"));
  }
  EXPECT_THAT(refusal(Key::from_jwk(signer.jwk({{"kid", 7}}))), HasSubstr("kid"));
}

INSTANTIATE_TEST_SUITE_P(Key, EachKind,
                         ::testing::Values(Kind{"RS256", Algorithm::rs256, [] { return Signer::rsa(); }},
                                           Kind{"ES256", Algorithm::es256, [] { return Signer::ec(); }},
                                           Kind{"EdDSA", Algorithm::eddsa, [] { return Signer::ed25519(); }}),
                         [](const auto& kind) { return kind.param.name; });

TEST(Key, RefusesWeakAndForeignKeys) {
  EXPECT_THAT(refusal(Key::from_pem(Signer::rsa({}, 1024).public_pem())), HasSubstr("1024 bits"));
  EXPECT_THAT(refusal(Key::from_jwk(Signer::rsa({}, 1024).jwk())), HasSubstr("1024 bits"));
  EXPECT_THAT(refusal(Key::from_pem(Signer::ec({}, "secp256k1").public_pem())), HasSubstr("no type"));
  const auto rsa = Signer::rsa();
  EXPECT_THAT(refusal(Key::from_jwk(rsa.jwk({{"e", "AQ"}}))), HasSubstr("broken")) << "an exponent of 1";
  EXPECT_THAT(refusal(Key::from_jwk(rsa.jwk({{"e", "Ag"}}))), HasSubstr("broken")) << "an even exponent";
  EXPECT_THAT(refusal(Key::from_jwk(rsa.jwk({{"n", ""}}))), HasSubstr("broken"));
  EXPECT_THAT(refusal(Key::from_jwk(rsa.jwk({{"n", "not base64url!"}}))), HasSubstr("broken"));
  EXPECT_THAT(refusal(Key::from_jwk(rsa.jwk({{"kty", "EC"}, {"crv", "P-256"}}))), HasSubstr("broken"));
  const auto ec = Signer::ec();
  EXPECT_THAT(refusal(Key::from_jwk(ec.jwk({{"x", Signer::ec().jwk().at("x")}}))), HasSubstr("broken"))
      << "a point off the curve";
  EXPECT_THAT(refusal(Key::from_jwk(ec.jwk({{"crv", "P-384"}}))), HasSubstr("broken"));
  EXPECT_THAT(refusal(Key::from_jwk(ec.jwk({{"crv", "secp256k1"}}))), HasSubstr("secp256k1"));
  EXPECT_THAT(refusal(Key::from_jwk(Signer::ed25519().jwk({{"x", "AAAA"}}))), HasSubstr("broken"));
  EXPECT_THAT(refusal(Key::from_jwk(Signer::ed25519().jwk({{"crv", "X25519"}}))), HasSubstr("X25519"));
}

TEST(Key, TakesOnePemBlockOnly) {
  const auto one = Signer::ec().public_pem();
  EXPECT_THAT(refusal(Key::from_pem(one + Signer::ec().public_pem())), HasSubstr("more than one"));
  EXPECT_THAT(refusal(Key::from_pem("")), HasSubstr("no PEM block"));
  EXPECT_THAT(refusal(Key::from_pem("{\"keys\":[]}")), HasSubstr("no PEM block"));
  EXPECT_THAT(refusal(Key::from_pem("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n")),
              HasSubstr("cannot be read"));
  EXPECT_THAT(refusal(Key::from_pem(one.substr(0, one.size() / 2))), HasSubstr("cannot be read"));
  EXPECT_THAT(refusal(Key::from_pem("-----BEGIN EC PARAMETERS-----\nAAAA\n-----END EC PARAMETERS-----\n")),
              HasSubstr("EC PARAMETERS"));
}

TEST(Key, SecretsVerifyTheHmacsAndNothingElse) {
  const auto key = Key::from_secret("a secret");
  for (const auto algorithm : {Algorithm::hs256, Algorithm::hs384, Algorithm::hs512}) {
    const auto code = hmac(algorithm, "a secret", kText);
    EXPECT_TRUE(key.verify(algorithm, kText, code));
    EXPECT_FALSE(key.verify(algorithm, kText, hmac(algorithm, "another", kText)));
    EXPECT_FALSE(key.verify(algorithm, kText, code.substr(0, code.size() - 1)));
    EXPECT_FALSE(key.verify(Algorithm::rs256, kText, code));
    EXPECT_FALSE(key.verify(algorithm, kText, ""));
  }
  EXPECT_THROW(hmac(Algorithm::eddsa, "a secret", kText), std::runtime_error) << "never an empty code";
  EXPECT_FALSE(key.verify(Algorithm::hs256, kText, hmac(Algorithm::hs512, "a secret", kText)));
}

TEST(Key, ASecretIsNoneInAKeySet) {
  EXPECT_THAT(refusal(Key::from_jwk({{"kty", "oct"}, {"k", base64url_encode(std::string(64, 's'))}})),
              HasSubstr("jwt_secret"));
}

TEST(Key, VerifiesEveryAlgorithmOfItsTypeAndNoOther) {
  const auto rsa = Signer::rsa();
  const std::vector<Signer> signers{rsa,
                                    rsa.with("RS384"),
                                    rsa.with("RS512"),
                                    rsa.with("PS256"),
                                    rsa.with("PS384"),
                                    rsa.with("PS512"),
                                    Signer::ec(),
                                    Signer::ec({}, "P-384"),
                                    Signer::ec({}, "P-521"),
                                    Signer::ed25519(),
                                    Signer::ed25519().with("Ed25519")};
  for (const auto& signer : signers) {
    const auto signature = signer.signature(kText);
    const auto own = parse_algorithm(signer.algorithm()).value();
    for (const auto& key : {Key::from_pem(signer.public_pem()), Key::from_pem(signer.certificate_pem()),
                            Key::from_jwk(signer.jwk()), Key::from_jwk(signer.jwk({{"alg", nullptr}}))}) {
      ASSERT_TRUE(key) << signer.algorithm() << ": " << key.error().what();
      for (const auto& other : signers) {
        const auto algorithm = parse_algorithm(other.algorithm()).value();
        EXPECT_EQ(key->verify(algorithm, kText, signature), algorithm == own)
            << signer.algorithm() << " as " << other.algorithm();
      }
      EXPECT_FALSE(key->verify(own, "other", signature));
      EXPECT_FALSE(key->verify(own, kText, signature.substr(1)));
    }
  }
  EXPECT_FALSE(Key::from_jwk(rsa.jwk()).value().allows(Algorithm::ps256)) << "bound by its alg";
  EXPECT_THAT(refusal(Key::from_jwk(Signer::ec().jwk({{"alg", "ES384"}}))), HasSubstr("not good for"));
  EXPECT_THAT(refusal(Key::from_jwk(Signer::ec().jwk({{"alg", "Ed25519"}}))), HasSubstr("not good for"));
}

TEST(Key, ARsaSignatureIsAsLongAsItsModulus) {
  const auto signer = Signer::rsa().with("PS256");
  const auto key = Key::from_jwk(signer.jwk()).value();
  std::string signature;
  do {  // its salt is random: one of 256 begins with a zero
    signature = signer.signature(kText);
  } while (signature.front() != '\0');
  EXPECT_TRUE(key.verify(Algorithm::ps256, kText, signature));
  EXPECT_FALSE(key.verify(Algorithm::ps256, kText, signature.substr(1)));
}

TEST(KeySet, FindsByIdAndAlgorithm) {
  std::vector<Key> keys =
      parse_jwks(jwks_of(Signer::rsa("a").jwk(), Signer::rsa("b").jwk(), Signer::ec("a").jwk())).value().keys;
  keys.push_back(Key::from_pem(Signer::rsa().public_pem()).value());
  const KeySet set(std::move(keys));
  EXPECT_EQ(set.find("a", Algorithm::rs256).size(), 2U) << "its own, and the one without an id";
  EXPECT_EQ(set.find("a", Algorithm::es256).size(), 1U);
  EXPECT_EQ(set.find("b", Algorithm::es256).size(), 0U) << "of another type";
  EXPECT_EQ(set.find("", Algorithm::rs256).size(), 3U);
  EXPECT_EQ(set.find("c", Algorithm::rs256).size(), 1U);
  EXPECT_EQ(set.find("a", Algorithm::hs256).size(), 0U);
  EXPECT_TRUE(set.knows("b"));
  EXPECT_FALSE(set.knows("c"));
}

TEST(KeySet, LeavesOutWhatCannotBeUsedAndSaysWhy) {
  const auto jwks = parse_jwks(jwks_of(Signer::rsa("good").jwk(), Signer::rsa("weak", 1024).jwk(),
                                       json::object{{"kty", "future"}, {"kid", "new"}}, json::object{}))
                        .value();
  ASSERT_EQ(jwks.keys.size(), 1U);
  EXPECT_EQ(jwks.keys[0].id(), "good");
  EXPECT_THAT(jwks.left_out, ::testing::ElementsAre(HasSubstr("'weak'"), HasSubstr("'new'"), HasSubstr("key 4")));
}

TEST(KeySet, RefusesWhatIsNone) {
  const auto refused = [](std::string_view text) {
    const auto jwks = parse_jwks(text);
    return jwks ? "accepted" : jwks.error().what();
  };
  EXPECT_THAT(refused("<html>"), HasSubstr("not a JWKS"));
  EXPECT_THAT(refused("{}"), HasSubstr("no list 'keys'"));
  EXPECT_THAT(refused(R"({"keys":[]})"), HasSubstr("no key that can be used"));
  EXPECT_THAT(refused(R"({"keys":[1,null]})"), HasSubstr("key 1 is not a JSON object"));
  EXPECT_THAT(refused(R"({"keys":[],"keys":[]})"), HasSubstr("twice"));
  EXPECT_THAT(refused(jwks_of(Signer::rsa("weak", 1024).jwk())), HasSubstr("'weak' is an RSA key of 1024 bits"));
  std::string many = "{\"keys\":[";
  for (int i = 0; i < 101; ++i) many += (i > 0 ? ",{}" : "{}");
  EXPECT_THAT(refused(many + "]}"), HasSubstr("more than 100"));
  EXPECT_EQ(refused(to_json_text(Signer::ec("alone").jwk())), "accepted");
}

}  // namespace
}  // namespace rushes::auth
