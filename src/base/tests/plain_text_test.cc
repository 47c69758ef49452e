#include "base/plain_text.h"

#include <gtest/gtest.h>

namespace rushes {
namespace {

TEST(PlainLine, KeepsWhatPeopleWrite) {
  for (const auto* text : {"", "My film – part 2", "名前", "שלום", "e\u0301", "👩\u200D👧", "a\u00A0b"}) {
    EXPECT_EQ(plain_line(text), text);
  }
}

TEST(PlainLine, LeavesOutControlsAndWhatTurnsTheDirection) {
  EXPECT_EQ(plain_line(std::string_view("a\0b\x1B[31mc\x7F\u0085d", 13)), "ab[31mcd");
  EXPECT_EQ(plain_line("invoice\u202Efdp.exe\u202C"), "invoicefdp.exe");
  EXPECT_EQ(plain_line("\u2066a\u2067b\u2068c\u2069"), "abc");
  EXPECT_EQ(plain_line("a\tb\r\nc\u2028d"), "a b  c d");
}

TEST(PlainLine, TakesTextThatIsCut) {
  EXPECT_EQ(plain_line("a\xE2"), "a\xE2");
  EXPECT_EQ(plain_line("a\xC2"), "a\xC2");
}

}  // namespace
}  // namespace rushes
