#include "base/json_writer.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace rushes {
namespace {

TEST(JsonWriter, WritesWhatAParserReadsBack) {
  JsonWriter writer;
  writer.add("text", "a \"quoted\" \\ line\nand\ta \x01 tab").add("yes", true).add("no", false).add("small", -7);
  writer.add("large", std::numeric_limits<std::uint64_t>::max()).add("least", std::numeric_limits<std::int64_t>::min());
  writer.add("part", 0.1).add("tree", json::object{{"a", json::array{1, nullptr}}});
  const auto read = parse_json(writer.take());
  ASSERT_TRUE(read);
  const json::value expected = {{"text", "a \"quoted\" \\ line\nand\ta \x01 tab"},
                                {"yes", true},
                                {"no", false},
                                {"small", -7},
                                {"large", std::numeric_limits<std::uint64_t>::max()},
                                {"least", std::numeric_limits<std::int64_t>::min()},
                                {"part", 0.1},
                                {"tree", {{"a", {1, nullptr}}}}};
  EXPECT_EQ(*read, expected);
}

TEST(JsonWriter, NestsObjects) {
  JsonWriter writer;
  writer.begin("empty").end().begin("outer").add("a", 1).begin("inner").add("b", 2).end().add("c", 3).end().add("d", 4);
  EXPECT_EQ(writer.take(), R"({"empty":{},"outer":{"a":1,"inner":{"b":2},"c":3},"d":4})");
}

TEST(JsonWriter, AnEmptyObjectIsOne) { EXPECT_EQ(JsonWriter().take(), "{}"); }

TEST(JsonWriter, EscapesNames) {
  JsonWriter writer;
  writer.add("a\"b", 1);
  EXPECT_EQ(writer.take(), R"({"a\"b":1})");
}

TEST(JsonWriter, EscapesWhereverItStands) {
  for (std::size_t length = 1; length < 40; ++length) {
    for (std::size_t place = 0; place < length; ++place) {
      for (const char special : {'"', '\\', '\n', '\x1f'}) {
        std::string text(length, '\xC3');  // above 0x7F, and not what the search for eight at a time is to stumble over
        text[place] = special;
        std::string written;
        append_json_string(written, text);
        const auto size = length + 2 + (special == '\x1f' ? 5 : 1);
        ASSERT_EQ(written.size(), size) << length << ", " << place;
        ASSERT_EQ(written[place + 1], '\\');
      }
    }
  }
}

TEST(JsonWriter, KeepsEachDigitOfADouble) {
  JsonWriter writer;
  writer.add("x", 31.720000000000002).add("y", 1e300);
  EXPECT_EQ(writer.take(), R"({"x":31.720000000000002,"y":1e+300})");
}

TEST(JsonWriter, WhatJsonCannotSayIsNull) {
  JsonWriter writer;
  writer.add("x", std::numeric_limits<double>::infinity()).add("y", std::numeric_limits<double>::quiet_NaN());
  EXPECT_EQ(writer.take(), R"({"x":null,"y":null})");
}

}  // namespace
}  // namespace rushes
