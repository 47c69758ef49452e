#include "notifications/testing/notification_store_contract.h"

#include "async/run.h"
#include "base/id.h"
#include "notifications/service.h"

#include <set>

namespace rushes::notifications {

NewNotification NotificationStoreContract::notification(const std::string& user, const std::string& title) {
  NewNotification made;
  made.user = UserId(user);
  made.title = title;
  made.message = "What happened.";
  return made;
}

Notification NotificationStoreContract::add(const std::string& user, const std::string& title) {
  return run_to_end(store().add(notification(user, title))).value();
}

ListPage NotificationStoreContract::list(const std::string& user, ListQuery query) {
  return run_to_end(store().list(UserId(user), query)).value();
}

std::int64_t NotificationStoreContract::unread(const std::string& user) {
  return run_to_end(store().unread_count(UserId(user))).value();
}

namespace {

std::vector<std::string> titles_of(const ListPage& page) {
  std::vector<std::string> titles;
  for (const auto& one : page.notifications) titles.push_back(one.content.title);
  return titles;
}
using Titles = std::vector<std::string>;

TEST_P(NotificationStoreContract, AddKeepsAllThatWasGiven) {
  auto wanted = notification("ann", "Analysis \"done\"");
  wanted.type = Type::security;
  wanted.severity = Severity::error;
  wanted.action_url = "/jobs/1";
  wanted.action_button_text = "View Results";
  wanted.metadata = {{"jobId", "1"}, {"deep", {{"a", {1, 2}}}}};

  const auto added = run_to_end(store().add(wanted)).value();

  EXPECT_TRUE(is_uuid(added.id.value()));
  const auto page = list("ann");
  ASSERT_EQ(page.total, 1);
  const auto& read = page.notifications.at(0);
  EXPECT_EQ(to_json(read), to_json(added));
  const json::object expected{{"id", added.id.value()},
                              {"userId", "ann"},
                              {"title", "Analysis \"done\""},
                              {"message", "What happened."},
                              {"type", "security"},
                              {"severity", "error"},
                              {"actionUrl", "/jobs/1"},
                              {"actionButtonText", "View Results"},
                              {"read", false},
                              {"createdAt", "2026-01-01T00:00:00.000Z"},
                              {"metadata", wanted.metadata}};
  EXPECT_EQ(to_json(read), expected);
}

TEST_P(NotificationStoreContract, WhatIsEmptyIsLeftOut) {
  add("ann");
  const auto read = to_json(list("ann").notifications.at(0));
  for (const auto* member : {"actionUrl", "actionButtonText", "metadata"}) EXPECT_FALSE(read.contains(member));
}

TEST_P(NotificationStoreContract, AnEmptyInbox) {
  EXPECT_EQ(unread("ann"), 0);
  EXPECT_EQ(list("ann").total, 0);
  EXPECT_TRUE(list("ann").notifications.empty());
  EXPECT_EQ(run_to_end(store().consumed()).value(), 0);
}

TEST_P(NotificationStoreContract, ListGivesPagesNewestFirst) {
  for (const auto* title : {"1", "2", "3", "4", "5"}) add("ann", title);
  add("bob", "bob's");
  ListQuery query;
  query.limit = 2;
  EXPECT_EQ(titles_of(list("ann", query)), (Titles{"5", "4"}));
  EXPECT_EQ(list("ann", query).total, 5);
  query.offset = 4;
  EXPECT_EQ(titles_of(list("ann", query)), Titles{"1"});
  EXPECT_EQ(list("ann", query).total, 5);
  query.offset = 5;
  EXPECT_EQ(titles_of(list("ann", query)), Titles{});
}

TEST_P(NotificationStoreContract, ListFilters) {
  for (const auto type : {Type::system, Type::tip, Type::system}) {
    auto wanted = notification("ann", std::string(to_string(type)));
    wanted.type = type;
    run_to_end(store().add(wanted)).value();
  }
  const auto newest = list("ann").notifications.at(0);
  run_to_end(store().mark_read(UserId("ann"), newest.id)).value();

  ListQuery query;
  query.type = Type::system;
  EXPECT_EQ(list("ann", query).total, 2);
  query.read = false;
  EXPECT_EQ(list("ann", query).total, 1);
  EXPECT_NE(list("ann", query).notifications.at(0).id, newest.id);
  query.read = true;
  EXPECT_EQ(list("ann", query).notifications.at(0).id, newest.id);
  query.type.reset();
  EXPECT_EQ(list("ann", query).total, 1);
  query.read = false;
  EXPECT_EQ(titles_of(list("ann", query)), (Titles{"tip", "system"}));
}

TEST_P(NotificationStoreContract, MarkReadIsOfOneAndMayBeRepeated) {
  const auto first = add("ann");
  add("ann");
  EXPECT_EQ(unread("ann"), 2);
  for (int i = 0; i < 2; ++i) {
    run_to_end(store().mark_read(UserId("ann"), first.id)).value();
    EXPECT_EQ(unread("ann"), 1);
  }
  EXPECT_TRUE(list("ann").notifications.at(1).read);
  EXPECT_FALSE(list("ann").notifications.at(0).read);
}

TEST_P(NotificationStoreContract, AnothersNotificationIsNotFound) {
  const auto anns = add("ann");
  for (const auto& id : {anns.id, NotificationId("none"), NotificationId("")}) {
    const auto refused = run_to_end(store().mark_read(UserId("bob"), id));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Errc::not_found);
    EXPECT_EQ(refused.error().public_name(), "NOTIFICATION_NOT_FOUND");
  }
  EXPECT_EQ(unread("ann"), 1);
  EXPECT_EQ(list("bob").total, 0);
}

TEST_P(NotificationStoreContract, MarkAllReadIsOfOneUser) {
  add("ann");
  add("ann");
  add("bob");
  for (int i = 0; i < 2; ++i) run_to_end(store().mark_all_read(UserId("ann"))).value();
  EXPECT_EQ(unread("ann"), 0);
  EXPECT_EQ(list("ann").total, 2);
  EXPECT_EQ(unread("bob"), 1);
  add("ann");
  EXPECT_EQ(unread("ann"), 1);
}

TEST_P(NotificationStoreContract, AnEventIsConsumedOnce) {
  const auto first = run_to_end(store().consume(5, notification("ann"))).value();
  ASSERT_TRUE(first);
  EXPECT_EQ(run_to_end(store().consumed()).value(), 5);
  EXPECT_EQ(list("ann").notifications.at(0).id, first->id);

  EXPECT_FALSE(run_to_end(store().consume(5, notification("ann"))).value());
  EXPECT_FALSE(run_to_end(store().consume(3, notification("bob"))).value());
  EXPECT_EQ(run_to_end(store().consumed()).value(), 5);
  EXPECT_EQ(list("ann").total, 1);
  EXPECT_EQ(list("bob").total, 0);

  EXPECT_TRUE(run_to_end(store().consume(6, notification("ann"))).value());
  EXPECT_EQ(list("ann").total, 2);
}

TEST_P(NotificationStoreContract, AnEventThatMakesNothingIsConsumedToo) {
  EXPECT_FALSE(run_to_end(store().consume(5, std::nullopt)).value());
  EXPECT_EQ(run_to_end(store().consumed()).value(), 5);
  EXPECT_FALSE(run_to_end(store().consume(5, notification("ann"))).value());
  EXPECT_EQ(list("ann").total, 0);
}

TEST_P(NotificationStoreContract, ARestartForgetsNothing) {
  const auto kept = add("ann", "read");
  run_to_end(store().mark_read(UserId("ann"), kept.id)).value();
  run_to_end(store().consume(7, notification("ann", "made"))).value();

  reopen();

  EXPECT_EQ(run_to_end(store().consumed()).value(), 7);
  EXPECT_FALSE(run_to_end(store().consume(7, notification("ann", "twice"))).value());
  EXPECT_EQ(titles_of(list("ann")), (Titles{"made", "read"}));
  EXPECT_EQ(unread("ann"), 1);
}

TEST_P(NotificationStoreContract, IdsAreNeverTheSame) {
  std::set<std::string> ids;
  for (int i = 0; i < 100; ++i) ids.insert(add("ann").id.value());
  EXPECT_EQ(ids.size(), 100U);
}

TEST_P(NotificationStoreContract, TheServiceTellsWhatIsStored) {
  Service service(store());
  std::vector<Change> changes;
  service.on_change([&](const Change& change) { changes.push_back(change); });
  const UserId ann("ann");

  const auto added = run_to_end(service.add(notification("ann"))).value();
  run_to_end(service.consume(1, notification("ann"))).value();
  run_to_end(service.consume(1, notification("ann"))).value();  // told once
  run_to_end(service.consume(2, std::nullopt)).value();
  run_to_end(service.mark_read(ann, added.id)).value();
  EXPECT_FALSE(run_to_end(service.mark_read(UserId("bob"), added.id)));  // not told at all
  run_to_end(service.mark_all_read(ann)).value();
  service.announce(notification("", "To all"));

  ASSERT_EQ(changes.size(), 5U);
  EXPECT_EQ(std::get<Added>(changes[0]).notification.id, added.id);
  EXPECT_EQ(std::get<Added>(changes[0]).unread, 1);
  EXPECT_EQ(std::get<Added>(changes[1]).unread, 2);
  EXPECT_EQ(std::get<MarkedRead>(changes[2]).id, added.id);
  EXPECT_EQ(std::get<MarkedRead>(changes[2]).unread, 1);
  EXPECT_EQ(std::get<AllRead>(changes[3]).user, ann);
  EXPECT_EQ(std::get<Announced>(changes[4]).announcement.title, "To all");
  EXPECT_EQ(list("ann").total, 2);  // an announcement is kept nowhere
}

}  // namespace
}  // namespace rushes::notifications
