#include "sqlite/connection.h"

#include "sqlite/fold.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

namespace rushes::sqlite {
namespace {

class ConnectionTest : public ::testing::Test {
 protected:
  ConnectionTest() {
    std::string name = testing::TempDir() + "rushes-sqlite-XXXXXX";
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make " + name);
    folder_ = name;
  }
  ~ConnectionTest() override { std::filesystem::remove_all(folder_); }
  std::filesystem::path file() const { return folder_ / "test.db"; }

 private:
  std::filesystem::path folder_;
};

TEST_F(ConnectionTest, AFileThatIsNoDatabaseIsNamed) {
  std::ofstream(file()) << std::string(5000, 'x');
  try {
    const Connection connection(file(), Access::read_write);
    FAIL() << "opened";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.code(), SQLITE_NOTADB);
    EXPECT_EQ(std::string(failure.what()), file().string() + " is not a database of Rushes");
    EXPECT_EQ(failure.to_error().code(), Errc::unavailable);
  }
}

TEST_F(ConnectionTest, AFileThatCannotBeOpenedIsNamed) {
  for (const auto access : {Access::read_write, Access::read_only}) {
    try {
      const Connection connection(file() / "none" / "test.db", access);
      FAIL() << "opened";
    } catch (const Failure& failure) {
      EXPECT_NE(std::string(failure.what()).find(file().string()), std::string::npos) << failure.what();
    }
  }
}

TEST_F(ConnectionTest, ADatabaseIsInWalModeAndSyncs) {
  Connection connection(file(), Access::read_write);
  const auto ask = [&](std::string_view sql) {
    auto& row = connection.statement(sql);
    row.next();
    return row.text(0);
  };
  EXPECT_EQ(ask("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(ask("PRAGMA synchronous"), "2");
  EXPECT_EQ(ask("PRAGMA foreign_keys"), "1");
}

TEST_F(ConnectionTest, AReaderSeesWhatIsCommittedAndWritesNothing) {
  Connection writer(file(), Access::read_write);
  writer.execute("CREATE TABLE t (a)");
  Connection reader(file(), Access::read_only);
  writer.run("BEGIN");
  writer.run("INSERT INTO t VALUES (1)");
  const auto count = [&] {
    auto& row = reader.statement("SELECT count(*) FROM t");
    row.next();
    const auto n = row.integer(0);
    row.reset();
    return n;
  };
  EXPECT_EQ(count(), 0);
  writer.run("COMMIT");
  EXPECT_EQ(count(), 1);
  try {
    reader.run("INSERT INTO t VALUES (2)");
    FAIL() << "written";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.to_error().code(), Errc::unavailable);
  }
}

TEST_F(ConnectionTest, AStatementIsMadeOnceAndBoundAfresh) {
  Connection connection(file(), Access::read_write);
  constexpr std::string_view kSql = "SELECT ?1, ?2 IS NULL";
  auto& first = connection.statement(kSql).bind(1, 2);
  EXPECT_TRUE(first.next());
  auto& second = connection.statement(kSql);  // reset, although its rows were not all read
  EXPECT_EQ(&first, &second);
  EXPECT_THROW(second.bind(7), std::logic_error);  // the other would be what it was before
  second.bind(7, nullptr);
  EXPECT_TRUE(second.next());
  EXPECT_EQ(second.integer(0), 7);
  EXPECT_EQ(second.integer(1), 1);
  EXPECT_FALSE(second.next());
}

TEST_F(ConnectionTest, ValuesComeBackAsTheyWere) {
  Connection connection(file(), Access::read_write);
  connection.execute("CREATE TABLE t (a, b, c, d, e, f)");
  const std::string odd("nul\0 and Größe", 16);
  connection.run("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", std::int64_t{INT64_MIN}, odd, nullptr, true,
                 std::optional<std::string>(), std::string_view());
  auto& row = connection.statement("SELECT a, b, c, d, e, f FROM t");
  ASSERT_TRUE(row.next());
  EXPECT_EQ(row.integer(0), INT64_MIN);
  EXPECT_EQ(row.text(1), odd);
  EXPECT_TRUE(row.is_null(2));
  EXPECT_EQ(row.integer(3), 1);
  EXPECT_TRUE(row.is_null(4));
  EXPECT_FALSE(row.is_null(5));  // an empty text is a text
  EXPECT_EQ(row.text(5), "");
}

TEST_F(ConnectionTest, RunGivesHowManyRowsChanged) {
  Connection connection(file(), Access::read_write);
  connection.execute("CREATE TABLE t (a); INSERT INTO t VALUES (1), (2), (3)");
  EXPECT_EQ(connection.run("UPDATE t SET a = a + 1 WHERE a > ?", 1), 2);
  EXPECT_EQ(connection.run("UPDATE t SET a = 0 WHERE a > ?", 100), 0);
}

TEST_F(ConnectionTest, AFailureLeavesTheConnectionUsable) {
  Connection connection(file(), Access::read_write);
  connection.execute("CREATE TABLE t (a UNIQUE)");
  connection.run("INSERT INTO t VALUES (?)", 1);
  EXPECT_THROW(connection.run("INSERT INTO t VALUES (?)", 1), Failure);
  EXPECT_THROW(connection.run("INSERT INTO nothing VALUES (?)", 1), Failure);
  EXPECT_THROW(connection.run("INSERT INTO nothing VALUES (?)", 1), Failure);
  EXPECT_THROW(connection.execute("nonsense"), Failure);
  EXPECT_FALSE(connection.in_transaction());
  EXPECT_EQ(connection.run("INSERT INTO t VALUES (?)", 2), 1);
}

TEST_F(ConnectionTest, AFullDatabaseHasWordsForUsers) {
  Connection connection(file(), Access::read_write);
  connection.execute("CREATE TABLE t (a); PRAGMA max_page_count = 4");
  try {
    connection.run("INSERT INTO t VALUES (?)", std::string(100'000, 'x'));
    FAIL() << "written";
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.to_error().code(), Errc::unavailable);
    EXPECT_EQ(failure.to_error().public_name(), "DISK_FULL");
  }
}

TEST(FoldCase, KnowsTheLettersOfAllScripts) {
  EXPECT_EQ(fold_case("ABC xyz 1%"), "abc xyz 1%");
  EXPECT_EQ(fold_case("ÄÖÜ É ß"), "äöü é ß");
  EXPECT_EQ(fold_case("ПРИВЕТ ΑΒΓ"), "привет αβγ");
  EXPECT_EQ(fold_case("動画 🎬 𐐀"), "動画 🎬 𐐨");
  EXPECT_EQ(fold_case(""), "");
}

TEST(FoldCase, LeavesBrokenBytesAlone) {
  for (const auto* broken : {"a\xFF"
                             "b",
                             "\xC3", "\xE2\x82", "\xF0\x9F\x8E", "\xC0\x80", "\x80\x80", "\xF5\x80\x80\x80"}) {
    EXPECT_EQ(fold_case(broken), broken);
  }
}

TEST_F(ConnectionTest, SqlFoldsCase) {
  Connection connection(file(), Access::read_write);
  auto& row = connection.statement("SELECT fold(?), fold(NULL), fold(5)").bind("GRÖSSE");
  ASSERT_TRUE(row.next());
  EXPECT_EQ(row.text(0), "grösse");
  EXPECT_TRUE(row.is_null(1));
  EXPECT_EQ(row.text(2), "5");
}

}  // namespace
}  // namespace rushes::sqlite
