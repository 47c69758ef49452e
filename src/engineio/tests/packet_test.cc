#include "engineio/packet.h"

#include <gtest/gtest.h>

namespace rushes::engineio {
namespace {

TEST(EngineIoPacket, ReadsTypesAndRefusesTheRest) {
  EXPECT_EQ(decode_packet("4hello")->type, PacketType::message);
  EXPECT_EQ(decode_packet("4hello")->body, "hello");
  EXPECT_EQ(decode_packet("2probe")->type, PacketType::ping);
  EXPECT_EQ(decode_packet("6")->type, PacketType::noop);
  for (const char* bad : {"", "7", "a", "b", " 4"}) EXPECT_FALSE(decode_packet(bad)) << bad;
}

TEST(EngineIoPayload, ReadsTextAndBinaryParts) {
  const auto parts = decode_payload(
      "4hello\x1e"
      "2\x1e"
      "bAQIDBA==\x1e"
      "b\x1e"
      "4\xe2\x82\xac");
  ASSERT_TRUE(parts);
  ASSERT_EQ(parts->size(), 5U);
  EXPECT_EQ((*parts)[0].packet.body, "hello");
  EXPECT_EQ((*parts)[1].packet.type, PacketType::ping);
  EXPECT_EQ((*parts)[2].bytes, "\x01\x02\x03\x04");
  EXPECT_TRUE((*parts)[3].binary);
  EXPECT_EQ((*parts)[4].packet.body, "\xe2\x82\xac");
}

TEST(EngineIoPart, IsAPacketOrBinaryAsText) {
  EXPECT_EQ(decode_part("4hello")->packet.body, "hello");
  EXPECT_FALSE(decode_part("4bAQ==")->binary);
  EXPECT_TRUE(decode_part("b")->binary);
  EXPECT_EQ(decode_part("bAQIDBA==")->bytes, "\x01\x02\x03\x04");
  for (const char* bad : {"", "9", "bA", "b*", "B"}) EXPECT_FALSE(decode_part(bad)) << bad;
  const auto text = encode_base64(*net::Frame::binary("\x01\x02\x03\x04"));
  EXPECT_FALSE(text->is_binary());
  EXPECT_EQ(text->payload(), "bAQIDBA==");
}

TEST(EngineIoPayload, RefusesTheWholeForOneBadPart) {
  for (const char* bad : {"", "abc", "4a\x1e",
                          "\x1e"
                          "4a",
                          "4a\x1e"
                          "9",
                          "bA", "bA*==", "b=", "4\xff"}) {
    EXPECT_FALSE(decode_payload(bad)) << bad;
  }
}

TEST(EngineIoPayload, BinarySurvivesTheRoundTripAtEveryLength) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) {
    const auto payload = encode_payload({net::Frame::text("4x"), net::Frame::binary(bytes)});
    const auto parts = decode_payload(payload);
    ASSERT_TRUE(parts) << i;
    ASSERT_EQ(parts->size(), 2U);
    EXPECT_EQ((*parts)[1].bytes, bytes);
    bytes += static_cast<char>(i * 37);
  }
  EXPECT_EQ(encode_payload({net::Frame::binary("\x01\x02\x03\x04")}), "bAQIDBA==");
}

TEST(EngineIoError, HasTheWordsThatClientsKnow) {
  EXPECT_EQ(error_body(RequestError::session_unknown), R"({"code":1,"message":"Session ID unknown"})");
  EXPECT_EQ(error_status(RequestError::forbidden), 403);
  EXPECT_EQ(error_status(RequestError::unsupported_version), 400);
}

}  // namespace
}  // namespace rushes::engineio
