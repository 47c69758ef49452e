#include "webhooks/testing/webhook_store_contract.h"

#include "async/run.h"

namespace rushes::webhooks {

using std::chrono::seconds;

Webhook WebhookStoreContract::add(const std::string& user, std::vector<std::string> types) {
  Webhook webhook;
  webhook.id = WebhookId(new_uuid(clock_, rng_));
  webhook.user = UserId(user);
  webhook.url = "https://example.org/" + webhook.id.value();
  webhook.secret = "whsec_AAAA";
  webhook.types = std::move(types);
  webhook.created_at = clock_.now();
  return run_to_end(store().add(webhook, 100)).value();
}

Told WebhookStoreContract::told(std::int64_t event, const std::string& user, const std::string& type) {
  return {event, UserId(user), type, R"({"jobId":"j"})", clock_.now()};
}

Turn WebhookStoreContract::turn(std::vector<std::pair<UserId, WebhookId>> busy, int most_of_user, int limit) {
  Share share;
  share.busy = std::move(busy);
  share.most_of_user = most_of_user;
  share.limit = limit;
  return run_to_end(store().due(clock_.now(), std::move(share))).value();
}

TEST_P(WebhookStoreContract, WebhooksAreTheirUsersAlone) {
  const auto mine = add("ann");
  add("bob");
  const auto listed = run_to_end(store().list(UserId("ann"))).value();
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].id, mine.id);
  EXPECT_EQ(listed[0].url, mine.url);
  EXPECT_EQ(listed[0].secret, mine.secret);
  EXPECT_EQ(listed[0].types, mine.types);
  EXPECT_FALSE(listed[0].disabled_at);
  EXPECT_EQ(run_to_end(store().remove(UserId("bob"), mine.id)).error().code(), Errc::not_found);
  EXPECT_EQ(run_to_end(store().deliveries(UserId("bob"), mine.id, 10)).error().code(), Errc::not_found);
  EXPECT_TRUE(run_to_end(store().remove(UserId("ann"), mine.id)));
  EXPECT_EQ(run_to_end(store().remove(UserId("ann"), mine.id)).error().public_name(), "WEBHOOK_NOT_FOUND");

  auto another = mine;
  another.id = WebhookId("another");
  another.user = UserId("bob");
  const auto refused = run_to_end(store().add(another, 1)).error();
  EXPECT_EQ(refused.public_name(), "WEBHOOK_LIMIT");
  EXPECT_EQ(refused.code(), Errc::conflict) << "not what to try again for";
}

TEST_P(WebhookStoreContract, AnEndIsFiledOnceForEachWebhookThatAsksForIt) {
  const auto all = add("ann");
  add("ann", {"job.cancelled"});
  add("bob");
  EXPECT_EQ(run_to_end(store().consume({told(7, "ann")}, 9)).value(), 1);
  EXPECT_EQ(run_to_end(store().consume({told(7, "ann")}, 9)).value(), 0);
  EXPECT_EQ(run_to_end(store().consume({told(8, "ann"), told(10, "ann", "job.failed")}, 12)).value(), 1);
  reopen();
  EXPECT_EQ(run_to_end(store().consumed()).value(), 12);

  const auto first = due();
  ASSERT_EQ(first.size(), 1U) << "a webhook has one at a time";
  EXPECT_EQ(first[0].url, all.url);
  EXPECT_EQ(first[0].secrets, std::vector{all.secret});
  EXPECT_EQ(first[0].user, UserId("ann"));
  EXPECT_EQ(first[0].delivery.type, "job.completed");
  EXPECT_EQ(first[0].delivery.body, message_of("job.completed", clock_.now(), R"({"jobId":"j"})"));
  ASSERT_TRUE(run_to_end(store().record(first[0].delivery.id, {})));
  const auto second = due();
  ASSERT_EQ(second.size(), 1U);
  EXPECT_EQ(second[0].delivery.type, "job.failed");
  EXPECT_NE(first[0].delivery.id, second[0].delivery.id);
}

TEST_P(WebhookStoreContract, ADeliveryIsTriedUntilItArrivesOrIsGivenUp) {
  const auto webhook = add("ann");
  ASSERT_EQ(run_to_end(store().consume({told(1, "ann")}, 1)).value(), 1);
  const auto id = due().at(0).delivery.id;
  WebhookStore::Outcome later;
  later.state = DeliveryState::pending;
  later.answer = "503";
  later.next_at = clock_.now() + seconds(5);
  ASSERT_TRUE(run_to_end(store().record(id, later)));
  EXPECT_EQ(store().counts().failed.value(), 1U);
  EXPECT_EQ(run_to_end(store().pending(10)).value(), 1);
  EXPECT_EQ(run_to_end(store().pending(0)).value(), 0);
  EXPECT_TRUE(due().empty());
  EXPECT_EQ(turn().next, later.next_at);
  clock_.advance(seconds(5));
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(due()[0].delivery.attempts, 1);
  WebhookStore::Outcome arrived;
  arrived.answer = "204";
  ASSERT_TRUE(run_to_end(store().record(id, arrived)));
  EXPECT_EQ(store().counts().delivered.value(), 1U);
  EXPECT_EQ(store().counts().given_up.value(), 0U);
  EXPECT_EQ(run_to_end(store().pending(10)).value(), 0);
  EXPECT_TRUE(due().empty());
  EXPECT_FALSE(turn().next);

  const auto kept = run_to_end(store().deliveries(UserId("ann"), webhook.id, 10)).value();
  ASSERT_EQ(kept.size(), 1U);
  EXPECT_EQ(kept[0].state, DeliveryState::delivered);
  EXPECT_EQ(kept[0].attempts, 2);
  EXPECT_EQ(kept[0].last_answer, "204");
  EXPECT_EQ(run_to_end(store().prune(clock_.now(), 10)).value(), 0);
  clock_.advance(seconds(1));
  EXPECT_EQ(run_to_end(store().prune(clock_.now(), 10)).value(), 1);
  EXPECT_TRUE(run_to_end(store().deliveries(UserId("ann"), webhook.id, 10)).value().empty());
}

TEST_P(WebhookStoreContract, WhoHasWhatIsBeingSentLetsTheOthersPass) {
  using Busy = std::vector<std::pair<UserId, WebhookId>>;
  std::vector<Webhook> anns;
  for (int i = 0; i < 3; ++i) anns.push_back(add("ann"));
  ASSERT_EQ(run_to_end(store().consume({told(1, "ann"), told(2, "ann")}, 2)).value(), 6);
  clock_.advance(seconds(1));
  const auto bobs = add("bob");
  ASSERT_EQ(run_to_end(store().consume({told(3, "bob")}, 3)).value(), 1);
  const auto users = [](const Turn& given) {
    std::string all;
    for (const auto& one : given.due) all += one.user.value() + " ";
    return all;
  };

  EXPECT_EQ(users(turn({}, 2)), "ann bob ann ") << "who has nothing on the way comes first";
  EXPECT_EQ(users(turn({}, 2, 2)), "ann bob ");
  EXPECT_EQ(turn({}, 2, 2).next, clock_.now()) << "one that may be sent is left";
  const Busy one{{UserId("ann"), anns[0].id}};
  const auto beside = turn(one, 2);
  EXPECT_EQ(users(beside), "bob ann ");
  EXPECT_NE(beside.due.at(1).delivery.webhook, anns[0].id);
  const Busy two{{UserId("ann"), anns[0].id}, {UserId("ann"), anns[1].id}};
  EXPECT_EQ(users(turn(two, 2)), "bob ");
  EXPECT_FALSE(turn(two, 2).next) << "what has no room waits for no time";
  EXPECT_EQ(turn(two, 2).due.at(0).delivery.webhook, bobs.id);
}

TEST_P(WebhookStoreContract, OneThatIsGoneIsToldNothingMore) {
  const auto webhook = add("ann");
  ASSERT_EQ(run_to_end(store().consume({told(1, "ann"), told(2, "ann")}, 2)).value(), 2);
  WebhookStore::Outcome gone;
  gone.state = DeliveryState::failed;
  gone.answer = "410";
  gone.gone = true;
  const auto pending = run_to_end(store().pending(10)).value();
  const auto disabled = run_to_end(store().record(due().at(0).delivery.id, gone)).value();
  ASSERT_TRUE(disabled);
  EXPECT_EQ(disabled->id, webhook.id);
  EXPECT_EQ(disabled->disabled_by, DisabledReason::gone);
  EXPECT_EQ(store().counts().given_up.value(), static_cast<std::uint64_t>(pending));
  EXPECT_TRUE(due().empty());
  EXPECT_EQ(run_to_end(store().consume({told(3, "ann")}, 3)).value(), 0);
  EXPECT_EQ(run_to_end(store().list(UserId("ann"))).value().at(0).disabled_at, clock_.now());
  EXPECT_EQ(run_to_end(store().list(UserId("ann"))).value().at(0).disabled_by, DisabledReason::gone);
  for (const auto& delivery : run_to_end(store().deliveries(UserId("ann"), webhook.id, 10)).value()) {
    EXPECT_EQ(delivery.state, DeliveryState::failed);
  }
}

TEST_P(WebhookStoreContract, OneThatFailsForADayIsDisabledUntilItsUserSwitchesItOn) {
  const auto webhook = add("ann");
  ASSERT_EQ(run_to_end(store().consume({told(1, "ann"), told(2, "ann")}, 2)).value(), 2);
  const auto fail = [&] {
    WebhookStore::Outcome later;
    later.state = DeliveryState::pending;
    later.answer = "500";
    later.next_at = clock_.now();
    return run_to_end(store().record(due().at(0).delivery.id, later)).value();
  };
  for (int i = 0; i < 2 * kMostFailures; ++i) EXPECT_FALSE(fail()) << "a short outage, however many attempts";
  ASSERT_TRUE(run_to_end(store().record(due().at(0).delivery.id, {})));
  for (int i = 1; i < kMostFailures; ++i) EXPECT_FALSE(fail());
  clock_.advance(kLongestFailing);
  const auto disabled = fail();
  ASSERT_TRUE(disabled);
  EXPECT_EQ(disabled->disabled_by, DisabledReason::failing);
  EXPECT_TRUE(due().empty());
  EXPECT_EQ(run_to_end(store().consume({told(3, "ann")}, 3)).value(), 0);
  const auto failed = run_to_end(store().deliveries(UserId("ann"), webhook.id, 10)).value().at(0);
  EXPECT_EQ(failed.state, DeliveryState::failed);
  EXPECT_EQ(run_to_end(store().resend(UserId("ann"), webhook.id, failed.id)).error().public_name(), "WEBHOOK_DISABLED");
  EXPECT_EQ(run_to_end(store().file(UserId("ann"), webhook.id, "x", "{}")).error().public_name(), "WEBHOOK_DISABLED");

  WebhookChange on;
  on.enabled = true;
  EXPECT_FALSE(run_to_end(store().change(UserId("ann"), webhook.id, on)).value().disabled_at);
  EXPECT_EQ(run_to_end(store().resend(UserId("ann"), webhook.id, failed.id)).value().attempts, 0);
  ASSERT_EQ(due().size(), 1U);
  EXPECT_EQ(due()[0].delivery.id, failed.id);
  EXPECT_FALSE(fail()) << "it is counted anew";
  EXPECT_EQ(run_to_end(store().resend(UserId("ann"), webhook.id, DeliveryId("none"))).error().public_name(),
            "DELIVERY_NOT_FOUND");
  EXPECT_EQ(run_to_end(store().resend(UserId("bob"), webhook.id, failed.id)).error().code(), Errc::not_found);
}

TEST_P(WebhookStoreContract, ItsUserChangesIt) {
  const auto webhook = add("ann");
  WebhookChange change;
  change.url = "https://example.org/new";
  change.description = "the new one";
  change.types = std::vector<std::string>{"job.failed"};
  const auto changed = run_to_end(store().change(UserId("ann"), webhook.id, change)).value();
  EXPECT_EQ(changed.url, *change.url);
  EXPECT_EQ(changed.description, *change.description);
  EXPECT_EQ(changed.types, *change.types);
  EXPECT_EQ(changed.secret, webhook.secret);
  EXPECT_EQ(run_to_end(store().change(UserId("bob"), webhook.id, change)).error().code(), Errc::not_found);
  ASSERT_EQ(run_to_end(store().consume({told(1, "ann"), told(2, "ann", "job.failed")}, 2)).value(), 1);
  EXPECT_EQ(due().at(0).url, *change.url);
  WebhookChange off;
  off.enabled = false;
  const auto disabled = run_to_end(store().change(UserId("ann"), webhook.id, off)).value();
  EXPECT_EQ(disabled.disabled_by, DisabledReason::asked);
  EXPECT_EQ(disabled.disabled_at, clock_.now());
  EXPECT_TRUE(due().empty());
}

TEST_P(WebhookStoreContract, AReplacedSecretSignsForADayBesideTheNewOne) {
  const auto webhook = add("ann");
  ASSERT_EQ(run_to_end(store().consume({told(1, "ann")}, 1)).value(), 1);
  WebhookChange rotate;
  rotate.secret = "whsec_BBBB";
  const auto rotated = run_to_end(store().change(UserId("ann"), webhook.id, rotate)).value();
  EXPECT_EQ(rotated.secret, "whsec_BBBB");
  EXPECT_EQ(rotated.previous_until, clock_.now() + kBothSecrets);
  EXPECT_EQ(due().at(0).secrets, (std::vector<std::string>{"whsec_BBBB", webhook.secret}));
  clock_.advance(kBothSecrets);
  EXPECT_EQ(due().at(0).secrets, std::vector<std::string>{"whsec_BBBB"});
}

TEST_P(WebhookStoreContract, OneThatAsksForAPauseGetsNothingUntilThen) {
  add("ann");
  ASSERT_EQ(run_to_end(store().consume({told(1, "ann"), told(2, "ann")}, 2)).value(), 2);
  WebhookStore::Outcome later;
  later.state = DeliveryState::pending;
  later.answer = "429";
  later.next_at = clock_.now() + seconds(5);
  later.hold_until = clock_.now() + seconds(90);
  ASSERT_TRUE(run_to_end(store().record(due().at(0).delivery.id, later)));
  EXPECT_TRUE(due().empty()) << "the other one waits too";
  EXPECT_EQ(turn().next, later.hold_until);
  clock_.advance(seconds(90));
  EXPECT_EQ(due().size(), 1U);
}

TEST_P(WebhookStoreContract, WhatItsUserAsksForIsLimitedWhereMuchIsPending) {
  const auto webhook = add("ann");
  std::vector<Told> many;
  for (int i = 1; i <= kMostPending; ++i) many.push_back(told(i, "ann"));
  const auto first = run_to_end(store().file(UserId("ann"), webhook.id, "x", "{}")).value();
  ASSERT_EQ(run_to_end(store().consume(many, kMostPending)).value(), kMostPending) << "an end is never left out";
  EXPECT_EQ(run_to_end(store().file(UserId("ann"), webhook.id, "x", "{}")).error().public_name(), "WEBHOOK_BUSY");
  EXPECT_EQ(run_to_end(store().resend(UserId("ann"), webhook.id, first.id)).error().code(), Errc::exhausted);
}

TEST_P(WebhookStoreContract, WhatIsUnderWayGoesWithItsWebhook) {
  const auto webhook = add("ann");
  const auto test = run_to_end(store().file(UserId("ann"), webhook.id, std::string(kTestType), "{}"));
  ASSERT_TRUE(test);
  EXPECT_EQ(test->type, kTestType);
  EXPECT_EQ(run_to_end(store().file(UserId("bob"), webhook.id, "x", "{}")).error().code(), Errc::not_found);
  ASSERT_EQ(due().size(), 1U);
  ASSERT_TRUE(run_to_end(store().remove(UserId("ann"), webhook.id)));
  EXPECT_TRUE(due().empty());
  EXPECT_TRUE(run_to_end(store().record(test->id, {})));  // its attempt was under way
}

}  // namespace rushes::webhooks
