#include "auth/testing/credential_store_contract.h"

#include "async/run.h"

namespace rushes::auth {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::seconds;

ApiKey CredentialStoreContract::key(const std::string& user, const std::string& id) {
  ApiKey key;
  key.id = KeyId(id);
  key.user = UserId(user);
  key.name = "name of " + id;
  key.digest = digest_of_api_key(id);
  key.scopes = Scopes(Scope::read, Scope::submit);
  key.created_at = clock_.now();
  return key;
}

Result<void> CredentialStoreContract::add(const ApiKey& key, KeyLimits limits) {
  return run_to_end(store().add_key(key, limits));
}

bool CredentialStoreContract::sign_in(const std::string& user, const std::string& network, const std::string& browser) {
  return run_to_end(store().record_sign_in({UserId(user), network, browser})).value();
}

bool CredentialStoreContract::bad_tokens(const std::string& user, const std::string& network, bool only_expired) {
  return run_to_end(store().record_bad_tokens({UserId(user), network, only_expired})).value();
}

TEST_P(CredentialStoreContract, KeysAreKeptAsTheyWereMade) {
  auto full = key("ann", "a");
  full.role = "admin";
  full.expires_at = clock_.now() + days(1);
  ASSERT_TRUE(add(full));
  clock_.advance(seconds(1));
  ASSERT_TRUE(add(key("ann", "b")));
  ASSERT_TRUE(add(key("bob", "c")));
  reopen();
  EXPECT_EQ(run_to_end(store().all_keys()).value().size(), 3U);
  const auto mine = run_to_end(store().keys_of(UserId("ann"))).value();
  ASSERT_EQ(mine.size(), 2U);
  EXPECT_EQ(mine[0].id, full.id) << "the oldest first";
  EXPECT_EQ(mine[0].user, full.user);
  EXPECT_EQ(mine[0].name, full.name);
  EXPECT_EQ(mine[0].digest, full.digest);
  EXPECT_EQ(mine[0].scopes, full.scopes);
  EXPECT_EQ(mine[0].role, "admin");
  EXPECT_EQ(mine[0].created_at, full.created_at);
  EXPECT_EQ(mine[0].expires_at, full.expires_at);
  EXPECT_FALSE(mine[0].last_used_at);
  EXPECT_FALSE(mine[1].expires_at);
}

TEST_P(CredentialStoreContract, KeysAreRemovedByTheirUserAlone) {
  ASSERT_TRUE(add(key("ann", "a")));
  EXPECT_EQ(run_to_end(store().remove_key(UserId("bob"), KeyId("a"))).error().public_name(), "KEY_NOT_FOUND");
  EXPECT_TRUE(run_to_end(store().remove_key(UserId("ann"), KeyId("a"))));
  EXPECT_EQ(run_to_end(store().remove_key(UserId("ann"), KeyId("a"))).error().code(), Errc::not_found);
  EXPECT_TRUE(run_to_end(store().all_keys()).value().empty());
}

TEST_P(CredentialStoreContract, AUserAndTheServerHaveSoManyKeysAndNoMore) {
  const KeyLimits limits{2, 3};
  ASSERT_TRUE(add(key("ann", "a"), limits));
  ASSERT_TRUE(add(key("ann", "b"), limits));
  const auto refused = add(key("ann", "c"), limits).error();
  EXPECT_EQ(refused.public_name(), "KEY_LIMIT");
  EXPECT_EQ(refused.code(), Errc::conflict) << "not what to try again for";
  ASSERT_TRUE(add(key("bob", "d"), limits));
  EXPECT_EQ(add(key("eve", "e"), limits).error().public_name(), "KEY_LIMIT");
}

TEST_P(CredentialStoreContract, TheLastUseIsKept) {
  ASSERT_TRUE(add(key("ann", "a")));
  const auto at = clock_.now() + seconds(5);
  ASSERT_TRUE(run_to_end(store().record_uses({{KeyId("a"), at}, {KeyId("gone"), at}})));
  EXPECT_EQ(run_to_end(store().keys_of(UserId("ann"))).value().at(0).last_used_at, at);
}

TEST_P(CredentialStoreContract, SignOutsStayAndNeverMoveBack) {
  const auto now = clock_.now();
  ASSERT_TRUE(run_to_end(store().sign_out({UserId("ann"), now}, false)));
  ASSERT_TRUE(run_to_end(store().sign_out({UserId("ann"), now - hours(1)}, false)));
  reopen();
  const auto all = run_to_end(store().all_sign_outs()).value();
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].user, UserId("ann"));
  EXPECT_EQ(all[0].at, now);
}

TEST_P(CredentialStoreContract, ASignOutTakesTheUsersKeysOnlyWhereThatIsAsked) {
  ASSERT_TRUE(add(key("ann", "a")));
  ASSERT_TRUE(add(key("bob", "b")));
  EXPECT_TRUE(run_to_end(store().sign_out({UserId("ann"), clock_.now()}, false)).value().empty());
  EXPECT_EQ(run_to_end(store().all_keys()).value().size(), 2U);
  const auto removed = run_to_end(store().sign_out({UserId("ann"), clock_.now()}, true)).value();
  EXPECT_EQ(removed, std::vector{KeyId("a")});
  EXPECT_EQ(run_to_end(store().all_keys()).value().at(0).id, KeyId("b"));
}

TEST_P(CredentialStoreContract, AUserIsAlertedWhenNetworkAndBrowserAreBothNew) {
  EXPECT_FALSE(sign_in("ann", "192.0.2.0/24", "Firefox")) << "the first of all";
  EXPECT_FALSE(sign_in("ann", "192.0.2.0/24", "curl")) << "from home";
  EXPECT_FALSE(sign_in("ann", "198.51.100.0/24", "Firefox")) << "with the browser of home";
  EXPECT_TRUE(sign_in("ann", "203.0.113.0/24", "Edge"));
  EXPECT_FALSE(sign_in("ann", "203.0.113.0/24", "Edge"));
  EXPECT_FALSE(sign_in("bob", "203.0.113.0/24", "Safari")) << "another user";
}

TEST_P(CredentialStoreContract, AUserIsAlertedOnceADay) {
  sign_in("ann", "192.0.2.0/24", "Firefox");
  ASSERT_TRUE(sign_in("ann", "203.0.113.0/24", "Edge"));
  EXPECT_FALSE(sign_in("ann", "203.0.114.0/24", "Safari"));
  reopen();
  clock_.advance(hours(23));
  EXPECT_FALSE(sign_in("ann", "203.0.115.0/24", "Chrome"));
  clock_.advance(hours(1));
  EXPECT_TRUE(sign_in("ann", "203.0.116.0/24", "curl"));
}

TEST_P(CredentialStoreContract, WhatWasNotSeenForNinetyDaysIsNewAgain) {
  sign_in("ann", "192.0.2.0/24", "Firefox");
  sign_in("ann", "198.51.100.0/24", "Firefox");
  sign_in("ann", "192.0.2.0/24", "Edge");
  clock_.advance(days(89));
  sign_in("ann", "198.51.100.0/24", "Firefox");
  EXPECT_FALSE(sign_in("ann", "203.0.113.0/24", "Edge"));
  clock_.advance(days(2));
  EXPECT_TRUE(sign_in("ann", "192.0.2.0/24", "curl")) << "192.0.2.0/24 was forgotten, and curl is new";
}

TEST_P(CredentialStoreContract, SignInsOfAUserAreBounded) {
  for (int i = 0; i < CredentialStore::kMostSignIns + 5; ++i) {
    clock_.advance(seconds(1));
    sign_in("ann", std::to_string(i), "Firefox");
  }
  clock_.advance(days(1));
  sign_in("ann", "home", "Firefox");
  EXPECT_FALSE(sign_in("ann", "54", "curl")) << "one of the latest";
  EXPECT_TRUE(sign_in("ann", "0", "Edge")) << "the oldest was forgotten";
}

TEST_P(CredentialStoreContract, BadTokensAlertAKnownUserOnceADay) {
  EXPECT_FALSE(bad_tokens("ann", "203.0.113.0/24")) << "anyone can write a name";
  sign_in("ann", "192.0.2.0/24", "Firefox");
  EXPECT_TRUE(bad_tokens("ann", "203.0.113.0/24"));
  EXPECT_FALSE(bad_tokens("ann", "198.51.100.0/24"));
  clock_.advance(days(1));
  EXPECT_TRUE(bad_tokens("ann", "198.51.100.0/24"));
}

TEST_P(CredentialStoreContract, ExpiredTokensFromTheUsersOwnNetworkAreAStaleTab) {
  sign_in("ann", "192.0.2.0/24", "Firefox");
  EXPECT_FALSE(bad_tokens("ann", "192.0.2.0/24", true));
  EXPECT_TRUE(bad_tokens("ann", "203.0.113.0/24", true));
  clock_.advance(days(1));
  EXPECT_TRUE(bad_tokens("ann", "192.0.2.0/24", false));
}

}  // namespace rushes::auth
