#include "store_sqlite/lists.h"
#include "store_sqlite/migrations.h"
#include "store_sqlite/runs.h"
#include "store_sqlite/tests/temporary_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>

namespace rushes::store_sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Rows = std::vector<std::int64_t>;

/// Lists of events, in batches of four.
class UserListTest : public ::testing::Test {
 protected:
  UserListTest() { reopen(); }

  /// As a new process would find it.
  void reopen() {
    lists_.reset();
    database_ = std::make_unique<sqlite::Connection>(folder_.database(), sqlite::Access::read_write);
    migrate(*database_);
    lists_ = std::make_unique<Lists>(*database_, 4);
  }
  UserList& list() { return lists_->events; }

  void add(const std::string& user, std::int64_t id) {
    database_->run("INSERT INTO events VALUES (?1, ?2, ?1, 'job', 0, '', 0)", id, user);
    list().add(*database_, UserId(user), {id, id});
  }
  /// A transaction that adds one event, and lists what is due.
  void commit(const std::string& user, std::int64_t id) {
    database_->execute("BEGIN");
    list().step(*database_);
    add(user, id);
    database_->execute("COMMIT");
    list().committed();
  }
  Rows listed(const std::string& user) {
    auto& rows = database_->statement(
        "SELECT json_extract(value, '$[1]') FROM user_events, json_each(entries) WHERE user_id = ? ORDER BY first, "
        "key");
    rows.bind(user);
    Rows ids;
    while (rows.next()) ids.push_back(rows.integer(0));
    return ids;
  }
  Rows unlisted(const std::string& user, std::int64_t after = 0, std::int64_t upto = INT64_MAX) {
    Rows ids;
    for (const auto& entry : list().unlisted(UserId(user), after, upto)) ids.push_back(entry.row);
    return ids;
  }
  Rows given(const std::string& user, std::int64_t after, std::int64_t upto, UserList::Direction direction,
             std::size_t most = SIZE_MAX) {
    Rows ids;
    list().each(*database_, UserId(user), after, upto, direction, [&](const ListEntry& entry) {
      ids.push_back(entry.row);
      return ids.size() < most;
    });
    return ids;
  }
  std::int64_t last(const std::string& user) {
    const auto last = list().last(*database_, UserId(user));
    return last ? last->row : 0;
  }

  TemporaryFolder folder_;
  std::unique_ptr<sqlite::Connection> database_;
  std::unique_ptr<Lists> lists_;
};

TEST_F(UserListTest, RowsAreRememberedUntilThereAreEnoughOfThem) {
  commit("bob", 1);
  commit("ann", 2);
  commit("bob", 3);
  EXPECT_THAT(listed("bob"), IsEmpty());
  EXPECT_THAT(unlisted("bob"), ElementsAre(1, 3));
  EXPECT_THAT(unlisted("bob", 1), ElementsAre(3));
  EXPECT_THAT(unlisted("bob", 0, 2), ElementsAre(1));
  commit("ann", 4);
  commit("ann", 5);
  EXPECT_THAT(listed("ann"), ElementsAre(2, 4));
  EXPECT_THAT(listed("bob"), ElementsAre(1, 3));
  EXPECT_THAT(unlisted("ann"), ElementsAre(5));
  EXPECT_THAT(unlisted("bob"), IsEmpty());
}

TEST_F(UserListTest, ManyAreListedTogetherToTheLast) {
  constexpr std::int64_t kCount = 4 * static_cast<std::int64_t>(kRun) + 3;
  const std::array<std::string, 2> users{"ann", "bob"};
  database_->execute("BEGIN");
  for (std::int64_t id = 1; id <= kCount; ++id) add(users.at(static_cast<std::size_t>(id % 2)), id);
  database_->execute("COMMIT");
  list().committed();
  commit("cid", kCount + 1);
  Rows even;
  Rows odd;
  for (std::int64_t id = 1; id <= kCount; ++id) (id % 2 == 0 ? even : odd).push_back(id);
  EXPECT_EQ(listed("ann"), even);
  EXPECT_EQ(listed("bob"), odd);
  EXPECT_THAT(unlisted("ann"), IsEmpty());
  EXPECT_THAT(unlisted("bob"), IsEmpty());
}

TEST_F(UserListTest, AreGivenFromAnyPlaceInBothDirections) {
  constexpr std::int64_t kCount = 3 * static_cast<std::int64_t>(kRun);
  for (std::int64_t id = 1; id <= kCount; ++id) commit(id % 3 == 0 ? "bob" : "ann", id);
  for (const auto upto : {INT64_MAX, std::int64_t{50}, std::int64_t{2}}) {
    for (const std::int64_t after : {0, 1, 2, 47, 118, 500}) {
      Rows wanted;
      for (std::int64_t id = 1; id <= kCount; ++id) {
        if (id % 3 != 0 && id > after && id <= upto) wanted.push_back(id);
      }
      EXPECT_EQ(given("ann", after, upto, UserList::Direction::up), wanted) << after << ' ' << upto;
      std::reverse(wanted.begin(), wanted.end());
      EXPECT_EQ(given("ann", after, upto, UserList::Direction::down), wanted) << after << ' ' << upto;
    }
  }
  EXPECT_THAT(given("ann", 3, INT64_MAX, UserList::Direction::up, 3), ElementsAre(4, 5, 7));
  EXPECT_THAT(given("ann", 3, INT64_MAX, UserList::Direction::down, 2), ElementsAre(119, 118));
  EXPECT_THAT(given("cid", 0, INT64_MAX, UserList::Direction::up), IsEmpty());
}

TEST_F(UserListTest, WhatIsRemovedIsListedNoMore) {
  for (int id = 1; id <= 5; ++id) commit("ann", id);
  list().remove(*database_, UserId("ann"), 2);
  list().remove(*database_, UserId("ann"), 2);
  list().remove(*database_, UserId("bob"), 1);
  EXPECT_THAT(listed("ann"), ElementsAre(1, 3, 4));
  list().remove(*database_, UserId("ann"), 1);
  EXPECT_THAT(given("ann", 0, INT64_MAX, UserList::Direction::up), ElementsAre(3, 4, 5));
  for (const int id : {3, 4}) list().remove(*database_, UserId("ann"), id);
  EXPECT_THAT(listed("ann"), IsEmpty());
}

TEST_F(UserListTest, WhatAProcessBeforeHasListedIsListedOnce) {
  for (int id = 1; id <= 6; ++id) commit(id % 2 == 0 ? "ann" : "bob", id);
  // As where it crashed between two steps of a batch: some of ann's are listed, the counter does not say so.
  database_->execute("UPDATE counters SET value = 1 WHERE name = 'events_listed'");
  reopen();
  commit("ann", 7);
  EXPECT_THAT(listed("ann"), ElementsAre(2, 4, 6));
  EXPECT_THAT(listed("bob"), ElementsAre(1, 3, 5));
  EXPECT_THAT(unlisted("ann"), ElementsAre(7));
}

TEST_F(UserListTest, ATransactionListsAsManyAsTheOneBeforeHasAdded) {
  constexpr std::int64_t kCount = 1'500;
  database_->execute("BEGIN");
  for (std::int64_t id = 1; id <= kCount; ++id) add("ann", id);
  database_->execute("COMMIT");
  list().committed();
  commit("bob", kCount + 1);
  EXPECT_EQ(listed("ann").size(), static_cast<std::size_t>(kCount));
}

TEST_F(UserListTest, TheLastIsFoundWhereverItIs) {
  EXPECT_EQ(last("ann"), 0);
  commit("ann", 1);
  EXPECT_EQ(last("ann"), 1);
  for (int id = 2; id <= 6; ++id) commit("bob", id);
  EXPECT_THAT(unlisted("ann"), IsEmpty());
  EXPECT_EQ(last("ann"), 1);
  database_->execute("BEGIN");
  add("ann", 7);
  EXPECT_EQ(last("ann"), 7);
  database_->execute("ROLLBACK");
  list().rolled_back();
  EXPECT_EQ(last("ann"), 1);
}

TEST_F(UserListTest, WhatWasNotListedIsReadAgainByTheNextProcess) {
  for (int id = 1; id <= 6; ++id) commit(id % 2 == 0 ? "ann" : "bob", id);
  EXPECT_THAT(unlisted("ann"), ElementsAre(6));
  reopen();
  EXPECT_THAT(unlisted("ann"), ElementsAre(6));
  EXPECT_THAT(listed("ann"), ElementsAre(2, 4));
  EXPECT_EQ(last("bob"), 5);
}

TEST_F(UserListTest, ATransactionThatDoesNotComeAboutListsNothing) {
  for (int id = 1; id <= 4; ++id) commit("ann", id);
  database_->execute("BEGIN");
  list().step(*database_);
  add("bob", 5);
  database_->execute("ROLLBACK");
  list().rolled_back();
  EXPECT_THAT(unlisted("ann"), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(unlisted("bob"), IsEmpty());
  commit("bob", 6);
  EXPECT_THAT(listed("ann"), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(unlisted("ann"), IsEmpty());
}

TEST_F(UserListTest, APartThatWasTakenBackIsForgotten) {
  database_->execute("BEGIN");
  add("ann", 1);
  database_->execute("SAVEPOINT unit");
  add("ann", 2);
  add("bob", 3);
  database_->execute("ROLLBACK TO unit");
  list().rolled_back_partly(*database_);
  EXPECT_EQ(last("ann"), 1);
  EXPECT_EQ(last("bob"), 0);
  database_->execute("COMMIT");
  list().committed();
  EXPECT_THAT(unlisted("ann"), ElementsAre(1));
  EXPECT_THAT(unlisted("bob"), IsEmpty());
}

TEST_F(UserListTest, ARowThatComesLateIsInTheListAndInItsPlace) {
  for (const int id : {1, 2, 5, 6}) commit("ann", id);
  commit("ann", 9);  // lists those before it
  EXPECT_THAT(listed("ann"), ElementsAre(1, 2, 5, 6));
  commit("ann", 4);
  EXPECT_THAT(listed("ann"), ElementsAre(1, 2, 4, 5, 6));
  EXPECT_THAT(unlisted("ann"), ElementsAre(9));
  EXPECT_THAT(given("ann", 0, INT64_MAX, UserList::Direction::up), ElementsAre(1, 2, 4, 5, 6, 9));
  EXPECT_EQ(last("ann"), 9);
  reopen();
  EXPECT_THAT(listed("ann"), ElementsAre(1, 2, 4, 5, 6));
  EXPECT_THAT(unlisted("ann"), ElementsAre(9));
}

TEST_F(UserListTest, ARowThatComesLateWhileItsUsersAreListedIsThereOnceAndInItsPlace) {
  lists_.reset();
  UserList list(kEventList, *database_, 610);  // as many as there are before those that come late
  const auto add = [&](const std::string& user, int id) {
    database_->run("INSERT INTO events VALUES (?1, ?2, ?1, 'job', 0, '', 0)", id, user);
    list.add(*database_, UserId(user), {id, id});
  };
  const auto transaction = [&](const std::function<void()>& work) {
    database_->execute("BEGIN");
    list.step(*database_);
    work();
    database_->execute("COMMIT");
    list.committed();
  };
  for (int from = 2; from < 1'222; from += 20) {
    const std::string user = from < 22 || from >= 1'022 ? "bob" : "ann";
    transaction([&] {
      for (int id = from; id < from + 20; id += 2) add(user, id);
    });
  }
  transaction([&] {  // lists five hundred of ann's before; bob's are about to be
    add("ann", 501);
    add("bob", 1'101);
  });
  ASSERT_EQ(listed("ann").size(), 501U);
  EXPECT_THAT(listed("bob"), IsEmpty());
  transaction([&] { add("bob", 1'103); });  // lists bob's before
  transaction([&] { add("ann", 503); });
  for (const std::string user : {"ann", "bob"}) {
    const auto rows = listed(user);
    EXPECT_TRUE(std::is_sorted(rows.begin(), rows.end(), std::less_equal<>())) << user;
    EXPECT_EQ(rows.size(), user == "ann" ? 502U : 112U);
    Rows given;
    list.each(*database_, UserId(user), 0, INT64_MAX, UserList::Direction::up, [&](const ListEntry& entry) {
      given.push_back(entry.row);
      return true;
    });
    EXPECT_EQ(given, rows);
  }
}

TEST_F(UserListTest, AnAnalysisThatIsRemovedBeforeItIsListedNeverIs) {
  auto& analyses = lists_->analyses;
  for (int no = 1; no <= 5; ++no) {
    database_->execute("BEGIN");
    analyses.step(*database_);
    database_->run(
        "INSERT INTO analyses (no, id, user_id, job_id, type, title, created_at, result) VALUES (?1, ?1, 'ann', 'job', "
        "0, '', 0, '')",
        no);
    analyses.add(*database_, UserId("ann"), {no, no});
    if (no == 3) database_->execute("DELETE FROM analyses WHERE no = 2");
    database_->execute("COMMIT");
    analyses.committed();
  }
  auto& rows = database_->statement("SELECT value FROM user_analyses, json_each(entries) WHERE user_id = 'ann'");
  Rows listed;
  while (rows.next()) listed.push_back(rows.integer(0));
  EXPECT_THAT(listed, ElementsAre(1, 3, 4));
  EXPECT_EQ(analyses.unlisted(UserId("ann"), 0, INT64_MAX).size(), 1U);
}

TEST_F(UserListTest, InAHurryAllThatWasThereIsListed) {
  commit("ann", 1);
  commit("bob", 2);
  std::optional<std::int64_t> upto;
  int steps = 0;
  for (bool more = true; more; ++steps) {
    database_->execute("BEGIN");
    more = list().hurry(*database_, upto);
    add("cid", 10 + steps);
    database_->execute("COMMIT");
    list().committed();
  }
  EXPECT_EQ(steps, 2);
  EXPECT_THAT(listed("ann"), ElementsAre(1));
  EXPECT_THAT(listed("bob"), ElementsAre(2));
  EXPECT_THAT(unlisted("cid"), ElementsAre(10, 11));
}

}  // namespace
}  // namespace rushes::store_sqlite
