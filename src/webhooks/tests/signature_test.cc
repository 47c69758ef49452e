#include "webhooks/signature.h"

#include <gtest/gtest.h>

namespace rushes::webhooks {
namespace {

// The example of https://github.com/standard-webhooks/standard-webhooks, spec.
TEST(WebhookSignature, IsTheOneOfTheSpecification) {
  const auto signature =
      signature_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", DeliveryId("msg_p5jXN8AQM9LWM0D4loKWxJek"),
                   from_millis(1'614'265'330'000), R"({"test": 2432232314})");
  ASSERT_TRUE(signature);
  EXPECT_EQ(*signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
}

TEST(WebhookSignature, SecretsAreNewEachTimeAndCanSign) {
  SeededRng rng(5);
  const auto secret = new_secret(rng);
  EXPECT_EQ(secret.size(), 6U + 32U);
  EXPECT_NE(new_secret(rng), secret);
  EXPECT_TRUE(signature_of(secret, DeliveryId("m"), from_millis(0), ""));
  for (const auto* bad : {"", "secret", "whsec_%%%%", "whsec_abc"}) {
    EXPECT_FALSE(signature_of(bad, DeliveryId("m"), from_millis(0), "")) << bad;
  }
}

TEST(WebhookSignature, AUsersOwnSecretHas24To64Bytes) {
  EXPECT_TRUE(is_secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"));
  EXPECT_TRUE(is_secret("whsec_" + std::string(84, 'A') + "AA=="));
  for (const auto& bad :
       {std::string("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"), std::string("whsec_MfKQ9r8GKYqrTwjUPD8ILPZI"),
        "whsec_" + std::string(88, 'A'), std::string("whsec_%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%%")}) {
    EXPECT_FALSE(is_secret(bad)) << bad;
  }
}

TEST(WebhookRetries, GoOnForAboutThreeDays) {
  SeededRng rng(5);
  std::chrono::milliseconds sum{0};
  int attempts = 1;
  while (const auto delay = retry_delay(attempts, rng)) {
    sum += *delay;
    ++attempts;
  }
  EXPECT_EQ(attempts, 9);
  EXPECT_GT(sum, std::chrono::hours(48));
  EXPECT_LT(sum, std::chrono::hours(72));
  EXPECT_LE(*retry_delay(1, rng), std::chrono::seconds(5));
}

TEST(WebhookMessage, HoldsTheDataAsItIs) {
  EXPECT_EQ(message_of("job.failed", from_millis(1'767'225'600'000), R"({"jobId":"j"})"),
            R"({"type":"job.failed","timestamp":"2026-01-01T00:00:00.000Z","data":{"jobId":"j"}})");
}

}  // namespace
}  // namespace rushes::webhooks
