#include "box/detail/answer_head.h"

#include <gtest/gtest.h>

namespace rushes::box::detail {
namespace {

AnswerHead read(std::string_view text) { return read_answer_head(text).value(); }

TEST(AnswerHead, PassesOnWhatCanBeReadInOneWayOnly) {
  EXPECT_EQ(read("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX:\r\n\r\n").forward,
            "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nX: \r\n\r\n");
  EXPECT_EQ(read("HTTP/1.0 404\nA : b\n c\n\tno colon\nnonsense\n(x): y\nB: c\rd\nC: d\n\n").forward,
            "HTTP/1.0 404\r\nA: b c no colon\r\nC: d\r\n\r\n")
      << "bare line feeds, folds, blanks before a colon, lines without one, names that are none, bare returns";
  EXPECT_EQ(read("HTTP/1.1 302 Found\r\n\r\n").status, 302);
  EXPECT_FALSE(read("HTTP/1.1 302 Found\r\n\r\n").interim);
  EXPECT_TRUE(read("HTTP/1.1 103 Early Hints\r\n\r\n").interim);
}

TEST(AnswerHead, KnowsPackingHoweverItIsWritten) {
  const auto packing = [](const std::string& fields) { return read("HTTP/1.1 200 OK\r\n" + fields + "\r\n").packing; };
  EXPECT_EQ(packing("Content-Encoding: identity\r\nTransfer-Encoding: chunked\r\n"), "");
  EXPECT_EQ(packing("Content-Encoding: \r\n"), "");
  EXPECT_EQ(packing("content-encoding: gzip\r\n"), "gzip");
  EXPECT_EQ(packing("CONTENT-ENCODING :\tBR\r\n"), "BR");
  EXPECT_EQ(packing("Content-Encoding:\r\n gzip\r\n"), "gzip");
  EXPECT_EQ(packing("Content-Encoding: identity\r\nContent-Encoding: identity, deflate\r\n"), "deflate");
  EXPECT_EQ(packing("Transfer-Encoding: gzip, chunked\r\n"), "gzip");
  EXPECT_EQ(packing("X: a\nContent-Encoding: zstd\r\n"), "zstd");
}

TEST(AnswerHead, RefusesWhatIsNoAnswer) {
  for (const auto* head :
       {"", "\r\n\r\n", "\nHTTP/1.1 200 OK\n\n", "<html>\n\n", "HTTP/2 200\r\n\r\n", "HTTP/1.1 20\r\n\r\n",
        "HTTP/1.1 2000 OK\r\n\r\n", "HTTP/1.1  200 OK\r\n\r\n", "http/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 O\rK\r\n\r\n",
        "HTTP/1.1 099 Odd\r\n\r\n", "ICY 200 OK\r\n\r\n", "HTTP/1.1 101 Switching Protocols\r\n\r\n"}) {
    EXPECT_FALSE(read_answer_head(head)) << head;
  }
}

TEST(AnswerHead, EndsAtItsFirstEmptyLine) {
  EXPECT_EQ(answer_head_length("a\r\nb\r\n\r\nbody\r\n\r\n"), 8U);
  EXPECT_EQ(answer_head_length("a\nb\n\nbody"), 5U);
  EXPECT_EQ(answer_head_length("a\r\n\nbody"), 4U);
  EXPECT_EQ(answer_head_length("a\n\r\nbody"), 4U);
  for (const auto* partial : {"", "a", "a\n", "a\r\n", "a\r\n\r", "a\r\nb\r\n"}) {
    EXPECT_EQ(answer_head_length(partial), 0U) << partial;
  }
}

}  // namespace
}  // namespace rushes::box::detail
