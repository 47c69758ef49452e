#include "socketio/packet.h"

#include "base/json_writer.h"

#include <gtest/gtest.h>

namespace rushes::socketio {
namespace {

TEST(SocketIoPacket, ReadsEachPart) {
  const auto connect = decode_packet(R"(0/queue,{"token":"t"})");
  ASSERT_TRUE(connect);
  EXPECT_EQ(connect->type, PacketType::connect);
  EXPECT_EQ(connect->nsp, "/queue");
  EXPECT_EQ(connect->data.at("token"), "t");

  EXPECT_EQ(decode_packet("0")->nsp, "/");
  EXPECT_EQ(decode_packet("0/random")->nsp, "/random");
  EXPECT_EQ(decode_packet("0/a?x=1,")->nsp, "/a");

  const auto event = decode_packet(R"(2/a,456["message",1,"2",{"3":[false]}])");
  ASSERT_TRUE(event);
  EXPECT_EQ(event->id, 456U);
  EXPECT_EQ(event->data.as_array().size(), 4U);
  EXPECT_EQ(decode_packet("3789[]")->id, 789U);
  EXPECT_EQ(decode_packet(R"(52-["m",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])")->attachments, 2U);
}

TEST(SocketIoPacket, RefusesWhatTheProtocolDoesNotAllow) {
  for (const char* bad : {"",
                          "7",
                          "x",
                          "abc",
                          "2",
                          "2{}",
                          "2[]",
                          "2[1]",
                          "2[null]",
                          R"(2["connect"])",
                          R"(2["disconnecting"])",
                          R"(2abc["a"])",
                          R"(2["a")",
                          R"(2["a"]x)",
                          "0[]",
                          "0\"text\"",
                          "1{}",
                          R"(4{"message":"m"})",
                          "3[1]",
                          "35{}",
                          R"(5["a"])",
                          R"(50-["a"])",
                          R"(511-["a"])",
                          R"(5x-["a"])",
                          R"(599999999999999999999-["a"])",
                          R"(51["a"])",
                          R"(299999999999999999999["a"])",
                          R"(6-1[])"}) {
    EXPECT_FALSE(decode_packet(bad)) << bad;
  }
  EXPECT_FALSE(decode_packet("2/" + std::string(300, 'n') + R"(,["a"])"));
  const auto nested = [](std::size_t depth) {
    return decode_packet("2[\"a\"," + std::string(depth, '[') + std::string(depth, ']') + "]");
  };
  EXPECT_TRUE(nested(kMaxJsonDepth - 1));
  EXPECT_FALSE(nested(kMaxJsonDepth));
}

TEST(SocketIoPacket, ChecksPlaceholders) {
  const auto check = [](std::string_view text, std::size_t attachments) {
    return static_cast<bool>(check_placeholders(json::parse({text.data(), text.size()}), attachments));
  };
  EXPECT_TRUE(check(R"(["a",{"deep":[{"_placeholder":true,"num":1}]},{"_placeholder":true,"num":0}])", 2));
  EXPECT_FALSE(check(R"(["a",{"_placeholder":true,"num":2},{"_placeholder":true,"num":0}])", 2)) << "out of bounds";
  EXPECT_FALSE(check(R"(["a",{"_placeholder":true,"num":-1}])", 1));
  EXPECT_FALSE(check(R"(["a",{"_placeholder":true,"num":"splice"}])", 1));
  EXPECT_FALSE(check(R"(["a",{"_placeholder":true,"num":0.5}])", 1));
  EXPECT_FALSE(check(R"(["a",{"_placeholder":true}])", 1));
  EXPECT_FALSE(check(R"(["a"])", 1)) << "nothing refers to it";
  EXPECT_FALSE(check(R"(["a",{"_placeholder":true,"num":0},{"_placeholder":true,"num":0}])", 1)) << "two refer to it";
  EXPECT_TRUE(check(R"(["a",{"_placeholder":"no boolean","num":7}])", 0)) << "an object like any other";
}

TEST(SocketIoPacket, WritesTheBytesThatClientsExpect) {
  const auto text = [](const EncodedPacket& packet) { return std::string(packet.text->payload()); };
  EXPECT_EQ(text(encode_connect("/", "abc", "")), R"(40{"sid":"abc"})");
  EXPECT_EQ(text(encode_connect("/queue", "abc", "")), R"(40/queue,{"sid":"abc"})");
  EXPECT_EQ(text(encode_connect("/queue", "abc", "xyz")), R"(40/queue,{"sid":"abc","pid":"xyz"})");
  EXPECT_EQ(text(encode_connect_error("/random", "Invalid namespace", nullptr)),
            R"(44/random,{"message":"Invalid namespace"})");
  EXPECT_EQ(text(encode_connect_error("/", "no", json::value{{"code", "X"}})),
            R"(44{"message":"no","data":{"code":"X"}})");
  EXPECT_EQ(text(encode_disconnect("/a")), "41/a,");
  EXPECT_EQ(text(encode_event("/", "e", Arguments())), R"(42["e"])");
  EXPECT_EQ(text(encode_event("/q", "e\"",
                              Arguments(1, -2, 1.5, true, nullptr, "z\n", std::string("s"), RawJson{"[0]"},
                                        json::object{{"k", json::array{1}}}))),
            R"(42/q,["e\"",1,-2,1.5,true,null,"z\n","s",[0],{"k":[1]}])");
  EXPECT_EQ(text(encode_event("/", "e", Arguments(), 12)), R"(4212["e"])");
  EXPECT_EQ(text(encode_ack("/q", 7, Arguments(json::object{{"success", true}}))), R"(43/q,7[{"success":true}])");
  const auto binary = encode_event("/", "e", Arguments(Binary{"\x01\x02"}, Binary{""}));
  EXPECT_EQ(text(binary), R"(452-["e",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}])");
  ASSERT_EQ(binary.attachments.size(), 2U);
  EXPECT_EQ(binary.attachments[0]->payload(), "\x01\x02");
  EXPECT_TRUE(binary.attachments[1]->is_binary());
}

TEST(SocketIoPacket, WhatIsNoUtf8NeverReachesAClient) {
  EXPECT_EQ(Arguments("a\xff"
                      "b\xc3\xbc\xe2\x82")
                .text(),
            "\"a\xEF\xBF\xBD"
            "b\xc3\xbc\xEF\xBF\xBD\xEF\xBF\xBD\"");
}

TEST(SocketIoPacket, RoundTripsThroughItsOwnDecoder) {
  const Arguments args(1, "two", json::object{{"three", json::array{3.5, nullptr}}});
  const auto encoded = encode_event("/queue", "queue-update", args, 99);
  const auto decoded = decode_packet(encoded.text->payload().substr(1));
  ASSERT_TRUE(decoded);
  EXPECT_EQ(decoded->nsp, "/queue");
  EXPECT_EQ(decoded->id, 99U);
  EXPECT_EQ(to_json_text(decoded->data), R"(["queue-update",1,"two",{"three":[3.5,null]}])");
}

}  // namespace
}  // namespace rushes::socketio
