#include "socketio/handshake.h"

#include <gtest/gtest.h>

namespace rushes::socketio {
namespace {

Handshake sample() {
  net::Request request;
  request.remote_address = "2001:db8::1";
  request.query = "EIO=4&transport=websocket";
  request.headers.add("Host", "example:3000");
  request.headers.add("Connection", "Upgrade");
  request.headers.add("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
  request.headers.add("Authorization", "Bearer a:b");
  request.headers.add("X-Twice", "first");
  request.headers.add("X-Twice", "second");
  request.headers.add("X-Empty", "");
  return {request, Timestamp(std::chrono::milliseconds(7))};
}

TEST(Handshake, KeepsWhatTheClientSaid) {
  const auto handshake = sample();
  EXPECT_EQ(handshake.address(), "2001:db8::1");
  EXPECT_EQ(handshake.query(), "EIO=4&transport=websocket");
  EXPECT_EQ(handshake.header("host"), "example:3000");
  EXPECT_EQ(handshake.header("AUTHORIZATION"), "Bearer a:b");
  EXPECT_EQ(handshake.header("x-twice"), "first");
  EXPECT_EQ(handshake.header("x-empty"), "");
  EXPECT_EQ(handshake.issued(), Timestamp(std::chrono::milliseconds(7)));
}

TEST(Handshake, LeavesOutWhatSpeaksOfTheConnection) {
  const auto handshake = sample();
  EXPECT_EQ(handshake.header("connection"), "");
  EXPECT_EQ(handshake.header("sec-websocket-key"), "");
}

TEST(Handshake, HasNothingOfAnEmptyRequest) {
  const Handshake handshake{net::Request(), Timestamp()};
  EXPECT_EQ(handshake.address(), "");
  EXPECT_EQ(handshake.query(), "");
  EXPECT_EQ(handshake.header("host"), "");
}

}  // namespace
}  // namespace rushes::socketio
