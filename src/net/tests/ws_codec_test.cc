#include "net/ws_codec.h"

#include "net/frame.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rushes::net {
namespace {

/// Writes down what a decoder hands on.
struct Recorder final : WsSink {
  bool on_ws_message(bool binary, std::string_view payload) override {
    seen.push_back((binary ? "b:" : "t:") + std::string(payload));
    return !stop_at_first;
  }
  bool on_ws_ping(std::string_view payload) override {
    seen.push_back("ping:" + std::string(payload));
    return true;
  }
  void on_ws_close(std::uint16_t code, std::string_view reason) override {
    seen.push_back("close:" + std::to_string(code) + ":" + std::string(reason));
  }
  std::vector<std::string> seen;
  bool stop_at_first = false;
};

/// A client's frame: `first` is the first byte (FIN, RSV, opcode).
std::string masked(int first, std::string payload, std::string mask = "\x12\x34\x56\x78") {
  std::string frame(1, static_cast<char>(first));
  if (payload.size() < 126) {
    frame += static_cast<char>(0x80 | payload.size());
  } else if (payload.size() <= 0xFFFF) {
    frame += static_cast<char>(0x80 | 126);
    frame += static_cast<char>(payload.size() >> 8);
    frame += static_cast<char>(payload.size());
  } else {
    frame += static_cast<char>(0x80 | 127);
    for (int i = 7; i >= 0; --i) frame += static_cast<char>(payload.size() >> (8 * i));
  }
  frame += mask;
  for (std::size_t i = 0; i < payload.size(); ++i) payload[i] = static_cast<char>(payload[i] ^ mask[i % 4]);
  return frame + payload;
}

struct Outcome {
  std::vector<std::string> seen;
  WsDecoder::Outcome last = WsDecoder::Outcome::more;
  int failure = 0;
  std::size_t pinned = 0;
};

/// Decodes `bytes` in pieces of `step`.
Outcome decode(std::string bytes, std::size_t step, const WsLimits& limits = WsLimits()) {
  WsDecoder decoder;
  Recorder recorder;
  Outcome outcome;
  for (std::size_t at = 0; at < bytes.size() && outcome.last == WsDecoder::Outcome::more; at += step) {
    outcome.last =
        decoder.feed(std::span<char>(bytes).subspan(at, std::min(step, bytes.size() - at)), limits, recorder);
  }
  outcome.seen = recorder.seen;
  if (outcome.last == WsDecoder::Outcome::failed) outcome.failure = static_cast<int>(decoder.failure());
  outcome.pinned = decoder.pinned();
  return outcome;
}

int failure_of(const std::string& bytes) {
  const auto whole = decode(bytes, bytes.size());
  const auto bytewise = decode(bytes, 1);
  EXPECT_EQ(whole.failure, bytewise.failure);
  return whole.failure;
}

using Seen = std::vector<std::string>;

TEST(WsDecoder, ReadsWholeFramesWithoutKeepingAnything) {
  const auto outcome = decode(masked(0x81, "hello") + masked(0x82, std::string("\0\xff", 2)), 1000);
  EXPECT_EQ(outcome.seen, (Seen{"t:hello", "b:" + std::string("\0\xff", 2)}));
  EXPECT_EQ(outcome.pinned, 0U);
}

TEST(WsDecoder, ReadsTheSameHoweverTheBytesAreCut) {
  const std::string big(70'000, 'x');
  const auto bytes = masked(0x01, "Gr\xc3") + masked(0x89, "are you there") + masked(0x00, "\xbc\xc3\x9f") +
                     masked(0x80, "e \xf0\x9f\x8e\xac") + masked(0x81, "") + masked(0x82, std::string(126, 'y')) +
                     masked(0x82, big) + masked(0x88, std::string("\x03\xe8") + "bye");
  const Seen expected{"ping:are you there",
                      "t:Gr\xc3\xbc\xc3\x9f"
                      "e \xf0\x9f\x8e\xac",
                      "t:",
                      "b:" + std::string(126, 'y'),
                      "b:" + big,
                      "close:1000:bye"};
  for (const std::size_t step :
       {std::size_t{1}, std::size_t{2}, std::size_t{3}, std::size_t{7}, std::size_t{4096}, bytes.size()}) {
    EXPECT_EQ(decode(bytes, step).seen, expected) << "in pieces of " << step;
  }
  const auto small = masked(0x01, "a\xe2\x82") + masked(0x89, "p") + masked(0x80, "\xac!");
  for (std::size_t border = 1; border < small.size(); ++border) {
    WsDecoder decoder;
    Recorder recorder;
    std::string copy = small;
    const std::span<char> all(copy);
    EXPECT_EQ(decoder.feed(all.first(border), WsLimits(), recorder), WsDecoder::Outcome::more);
    EXPECT_EQ(decoder.feed(all.subspan(border), WsLimits(), recorder), WsDecoder::Outcome::more);
    EXPECT_EQ(recorder.seen, (Seen{"ping:p", "t:a\xe2\x82\xac!"})) << "cut at " << border;
    EXPECT_EQ(decoder.pinned(), 0U);
  }
}

TEST(WsDecoder, TakesEveryLengthForm) {
  for (const std::size_t size : {0UL, 1UL, 125UL, 126UL, 127UL, 65'535UL, 65'536UL, 1'000'000UL}) {
    const std::string payload(size, 'z');
    EXPECT_EQ(decode(masked(0x82, payload), 5000).seen, (Seen{"b:" + payload})) << size;
  }
}

TEST(WsDecoder, RefusesWhatTheProtocolForbids) {
  EXPECT_EQ(failure_of(masked(0xC1, "x")), 1002) << "RSV1 without an extension";
  EXPECT_EQ(failure_of(masked(0x83, "x")), 1002) << "a reserved opcode";
  EXPECT_EQ(failure_of(masked(0x8B, "x")), 1002) << "a reserved control opcode";
  EXPECT_EQ(failure_of(std::string("\x81\x01x", 3)), 1002) << "without a mask";
  EXPECT_EQ(failure_of(masked(0x09, "x")), 1002) << "a fragmented ping";
  EXPECT_EQ(failure_of(masked(0x89, std::string(126, 'x'))), 1002) << "a long ping";
  EXPECT_EQ(failure_of(masked(0x80, "x")), 1002) << "a continuation of nothing";
  EXPECT_EQ(failure_of(masked(0x01, "x") + masked(0x81, "y")), 1002) << "a message within a message";
  EXPECT_EQ(failure_of(std::string("\x82\xFE\x00\x01"
                                   "aaaax",
                                   9)),
            1002)
      << "a length in more bytes than it needs";
  EXPECT_EQ(failure_of(std::string("\x82\xFF\x80\0\0\0\0\0\0\x01"
                                   "aaaa",
                                   14)),
            1002)
      << "a negative length";
  EXPECT_EQ(failure_of(masked(0x88, "x")), 1002) << "a close frame of one byte";
  EXPECT_EQ(failure_of(masked(0x88, std::string("\x03\xed", 2))), 1002) << "close code 1005 on the wire";
  EXPECT_EQ(failure_of(masked(0x88, std::string("\x03\xe7", 2))), 1002) << "close code 999";
  EXPECT_EQ(failure_of(masked(0x88, "\x03\xe8\xff")), 1007) << "a close reason that is not UTF-8";
}

TEST(WsDecoder, RefusesTextThatIsNotUtf8) {
  for (const std::string text : {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "abc\xc3", "\xe2\x82"}) {
    EXPECT_EQ(failure_of(masked(0x81, text)), 1007);
    EXPECT_EQ(failure_of(masked(0x01, text) + masked(0x80, "")), 1007);
    EXPECT_EQ(failure_of(masked(0x82, text)), 0) << "binary may hold anything";
  }
}

TEST(WsDecoder, BoundsMessagesAndFragments) {
  WsLimits limits;
  limits.max_message = 10;
  limits.max_fragments = 4;
  EXPECT_EQ(decode(masked(0x82, "0123456789"), 100, limits).failure, 0);
  EXPECT_EQ(decode(masked(0x82, "0123456789x"), 3, limits).failure, 1009);
  EXPECT_EQ(decode(masked(0x02, "012345") + masked(0x80, "56789"), 3, limits).failure, 1009);
  // The head alone is enough: nothing of the payload is waited for.
  EXPECT_EQ(decode(std::string("\x82\xFF\x00\x00\x00\xFF\xFF\xFF\xFF\xFF"
                               "aaaa",
                               14),
                   14, limits)
                .failure,
            1009);
  std::string drops = masked(0x02, "");
  for (int i = 0; i < 10; ++i) drops += masked(0x00, "");
  EXPECT_EQ(decode(drops, drops.size(), limits).failure, 1008);
}

TEST(WsDecoder, StopsWhenItsSinkHasEnough) {
  WsDecoder decoder;
  Recorder recorder;
  recorder.stop_at_first = true;
  auto bytes = masked(0x81, "one") + masked(0x81, "two");
  EXPECT_EQ(decoder.feed(bytes, WsLimits(), recorder), WsDecoder::Outcome::stopped);
  EXPECT_EQ(recorder.seen, (Seen{"t:one"}));
}

TEST(Frame, HasTheBytesOfRfc6455) {
  EXPECT_EQ(Frame::text("Hello")->wire(), std::string_view("\x81\x05Hello"));
  EXPECT_EQ(Frame::text("He", "ll", "o")->wire(), std::string_view("\x81\x05Hello"));
  EXPECT_EQ(Frame::binary("ab")->wire(), std::string_view("\x82\x02"
                                                          "ab"));
  EXPECT_EQ(Frame::binary(std::string(256, 'x'))->wire().substr(0, 4), std::string_view("\x82\x7E\x01\x00", 4));
  EXPECT_EQ(Frame::binary(std::string(65'536, 'x'))->wire().substr(0, 10),
            std::string_view("\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00", 10));
  EXPECT_EQ(Frame::text(std::string(65'536, 'x'))->payload(), std::string(65'536, 'x'));
  EXPECT_EQ(Frame::close(1001, "away")->wire(), std::string_view("\x88\x06\x03\xe9"
                                                                 "away"));
  EXPECT_EQ(Frame::close(1001, std::string(200, 'x'))->wire().size(), 127U);
  EXPECT_EQ(Frame::pong("p")->wire(), std::string_view("\x8A\x01p"));
  EXPECT_EQ(Frame::raw("HTTP")->wire(), "HTTP");
}

TEST(WsHandshake, AcceptKeyIsThatOfTheRfc) {
  EXPECT_EQ(ws_accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
}

}  // namespace
}  // namespace rushes::net
