#include "net/ws_deflate.h"

#include "net/frame.h"
#include "net/ws_codec.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace rushes::net {
namespace {

constexpr std::size_t kPlenty = 10'000'000;

TEST(WsDeflate, GivesBackWhatItPacked) {
  std::minstd_rand random(7);
  for (const std::size_t size : {0U, 1U, 100U, 1'000U, 16'384U, 16'385U, 1'000'000U}) {
    std::string text;
    for (std::size_t i = 0; i < size; ++i) text += static_cast<char>('a' + random() % 7);
    const auto packed = ws_deflate(text);
    const auto unpacked = ws_inflate(packed, kPlenty);
    ASSERT_TRUE(unpacked) << size;
    EXPECT_EQ(*unpacked, text);
  }
}

TEST(WsDeflate, ReadsTheExamplesOfTheRfc) {
  // RFC 7692, 7.2.3.1, 7.2.3.3, 7.2.3.4 and 7.2.3.5: "Hello"
  for (const std::string_view payload :
       {std::string_view("\xf2\x48\xcd\xc9\xc9\x07\x00", 7),
        std::string_view("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00", 11),
        std::string_view("\xf3\x48\xcd\xc9\xc9\x07\x00\x00", 8),
        std::string_view("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00", 13)}) {
    const auto text = ws_inflate(payload, 5);
    ASSERT_TRUE(text);
    EXPECT_EQ(*text, "Hello");
  }
}

TEST(WsDeflate, StopsABomb) {
  const auto bomb = ws_deflate(std::string(5'000'000, ' '));
  ASSERT_LT(bomb.size(), 50'000U);
  const auto refused = ws_inflate(bomb, 1'000'000);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Errc::too_large);
  EXPECT_TRUE(ws_inflate(bomb, 5'000'000)) << "exactly as much as is allowed";
}

TEST(WsDeflate, RefusesWhatDoesNotInflate) {
  for (const auto* garbage : {"\xff\xff\xff", "Hello, I am no stream"}) {
    const auto refused = ws_inflate(garbage, kPlenty);
    ASSERT_FALSE(refused) << garbage;
    EXPECT_EQ(refused.error().code(), Errc::malformed);
  }
  EXPECT_TRUE(ws_inflate(ws_deflate("and works again"), kPlenty));
}

TEST(WsDeflate, AgreesOnlyOnWhatItCanHoldTo) {
  for (const auto* offer :
       {"permessage-deflate", "permessage-deflate; client_max_window_bits",
        "permessage-deflate; client_max_window_bits=10", "x-other, permessage-deflate",
        "permessage-deflate; server_max_window_bits=10, permessage-deflate",
        "permessage-deflate;server_no_context_takeover;client_no_context_takeover; server_max_window_bits=15"}) {
    EXPECT_EQ(accept_ws_deflate(offer), "permessage-deflate; server_no_context_takeover; client_no_context_takeover")
        << offer;
  }
  for (const auto* offer : {"", "x-webkit-deflate-frame", "permessage-deflate; server_max_window_bits=10",
                            "permessage-deflate; something=else", "permessage-deflate; server_no_context_takeover=1",
                            "permessage-bzip2", ";", ",,"}) {
    EXPECT_FALSE(accept_ws_deflate(offer)) << offer;
  }
}

TEST(DeflatedFrame, IsMadeOnceAndKnowsItsEvent) {
  const auto frame = Frame::event(7, std::string(4'000, 'x'));
  const auto deflated = frame->deflated();
  EXPECT_LT(deflated->wire().size(), 100U);
  EXPECT_EQ(static_cast<unsigned char>(deflated->wire()[0]), 0xC1U) << "final, RSV1, text";
  EXPECT_EQ(frame->deflated(), deflated);
  EXPECT_EQ(deflated->topic(), 7U);
  EXPECT_EQ(deflated->made_at(), frame->made_at());
  EXPECT_EQ(*ws_inflate(deflated->payload(), kPlenty), frame->payload());
}

TEST(DeflatedFrame, IsTheFrameItselfWhereNothingIsGained) {
  std::minstd_rand random(1);
  std::string noise;
  for (int i = 0; i < 4'000; ++i) noise += static_cast<char>(random() >> 8U);
  const auto frame = Frame::binary(noise);
  EXPECT_EQ(frame->deflated(), frame);
  EXPECT_EQ(frame->deflated(), frame);
}

struct Messages final : WsSink {
  bool on_ws_message(bool binary, std::string_view payload) override {
    all += (binary ? "b:" : "t:") + std::string(payload) + "\n";
    return true;
  }
  bool on_ws_ping(std::string_view) override { return true; }
  void on_ws_close(std::uint16_t, std::string_view) override {}
  std::string all;
};

/// A client's frame, with a mask of zeros.
std::string masked(unsigned first, const std::string& payload) {
  std::string frame(1, static_cast<char>(first));
  frame += static_cast<char>(0x80 | 126);
  frame += {static_cast<char>(payload.size() >> 8U), static_cast<char>(payload.size()), 0, 0, 0, 0};
  if (payload.size() < 126)
    frame = std::string{static_cast<char>(first), static_cast<char>(0x80 | payload.size()), 0, 0, 0, 0};
  return frame + payload;
}

class CompressedMessages : public ::testing::TestWithParam<std::size_t> {
 protected:
  CompressedMessages() { limits_.max_message = 1'000; }
  /// Decodes in pieces; the close code of a failure, or 0.
  int feed(std::string bytes) {
    for (std::size_t at = 0; at < bytes.size(); at += GetParam()) {
      const auto size = std::min(GetParam(), bytes.size() - at);
      if (decoder_.feed({bytes.data() + at, size}, limits_, sink_) == WsDecoder::Outcome::failed) {
        return static_cast<int>(decoder_.failure());
      }
    }
    return 0;
  }

  WsLimits limits_;
  WsDecoder decoder_;
  Messages sink_;
};
INSTANTIATE_TEST_SUITE_P(Pieces, CompressedMessages, ::testing::Values(1, 3, 100'000));

TEST_P(CompressedMessages, ComeWholeAndInFragmentsBesidePlainOnes) {
  decoder_.allow_deflate();
  const auto text = ws_deflate("some text, some text, some text");
  const auto bytes = masked(0xC1, text) + masked(0x81, "plain") + masked(0x41, text.substr(0, 5)) +
                     masked(0x89, "ping") + masked(0x80, text.substr(5)) + masked(0xC2, ws_deflate("\xff\xfe"));
  EXPECT_EQ(feed(bytes), 0);
  EXPECT_EQ(sink_.all, "t:some text, some text, some text\nt:plain\nt:some text, some text, some text\nb:\xff\xfe\n");
  EXPECT_EQ(decoder_.pinned(), 0U);
}

TEST_P(CompressedMessages, AreRefusedWhereNobodyAgreedOnThem) {
  EXPECT_EQ(feed(masked(0xC1, ws_deflate("text"))), 1002);
}

TEST_P(CompressedMessages, SayItOnTheirFirstFrameOnly) {
  decoder_.allow_deflate();
  EXPECT_EQ(feed(masked(0x41, ws_deflate("text")) + masked(0xC0, "")), 1002);
}

TEST_P(CompressedMessages, AreNoControlFrames) {
  decoder_.allow_deflate();
  EXPECT_EQ(feed(masked(0xC9, "ping")), 1002);
}

TEST_P(CompressedMessages, OfOtherExtensionsAreRefused) {
  decoder_.allow_deflate();
  EXPECT_EQ(feed(masked(0xA1, "text")), 1002);
}

TEST_P(CompressedMessages, MayNotInflateToMoreThanAMessage) {
  decoder_.allow_deflate();
  EXPECT_EQ(feed(masked(0xC1, ws_deflate(std::string(1'001, 'x')))), 1009);
  EXPECT_EQ(sink_.all, "");
}

TEST_P(CompressedMessages, MustInflate) {
  decoder_.allow_deflate();
  EXPECT_EQ(feed(masked(0xC1, "Hello, I am no stream")), 1007);
}

TEST_P(CompressedMessages, MustBeTextWhereTheySaySo) {
  decoder_.allow_deflate();
  EXPECT_EQ(feed(masked(0xC1, ws_deflate("\xff\xfe"))), 1007);
}

}  // namespace
}  // namespace rushes::net
