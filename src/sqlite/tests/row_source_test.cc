#include "sqlite/row_source.h"

#include "sqlite/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rushes::sqlite {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// Words, numbered; every second has no length.
struct Words final : RowSource {
  std::size_t size() const override { return words.size(); }
  void give(std::size_t row, int column, const Cell& cell) const override {
    if (column == 0) cell.put(static_cast<std::int64_t>(row + 1));
    if (column == 1) cell.put(std::string_view(words[row]));
    if (column == 2 && row % 2 == 0) cell.put(static_cast<std::int64_t>(words[row].size()));
  }
  std::vector<std::string> words;
};

class RowSourceTest : public ::testing::Test {
 protected:
  RowSourceTest() { connection_.offer("words", "no, word, length", words_); }

  std::vector<std::string> rows(const char* question) {
    auto& asked = connection_.statement(question);
    std::vector<std::string> found;
    while (asked.next()) {
      found.push_back(asked.text(0) + ' ' + asked.text(1) + ' ' + (asked.is_null(2) ? "NULL" : asked.text(2)));
    }
    return found;
  }

  Words words_;
  Connection connection_{":memory:", Access::read_write};
};

TEST_F(RowSourceTest, IsReadAsATable) {
  EXPECT_THAT(rows("SELECT * FROM words"), IsEmpty());
  words_.words = {"one", "", "three"};
  EXPECT_THAT(rows("SELECT * FROM words"), ElementsAre("1 one 3", "2  NULL", "3 three 5"));
  EXPECT_THAT(rows("SELECT no, word, length FROM words WHERE no > 1 ORDER BY no DESC"),
              ElementsAre("3 three 5", "2  NULL"));
  words_.words = {"four"};
  EXPECT_THAT(rows("SELECT * FROM words"), ElementsAre("1 four 4"));
}

TEST_F(RowSourceTest, AllOfItIsWrittenByOneStatement) {
  connection_.execute("CREATE TABLE kept (no INTEGER PRIMARY KEY, word TEXT NOT NULL, length INTEGER)");
  words_.words.assign(1'000, "word");
  EXPECT_EQ(connection_.run("INSERT INTO kept SELECT * FROM words"), 1'000);
  EXPECT_THAT(rows("SELECT count(*), max(word), sum(length) FROM kept"), ElementsAre("1000 word 2000"));
  EXPECT_THROW(connection_.run("INSERT INTO kept SELECT * FROM words"), Failure) << "the numbers are taken";
}

TEST_F(RowSourceTest, IsNoTableOfOtherConnections) {
  Connection other(":memory:", Access::read_write);
  EXPECT_THROW(other.statement("SELECT * FROM words"), Failure);
}

}  // namespace
}  // namespace rushes::sqlite
