#include "box/detail/door_request.h"

#include <gtest/gtest.h>

namespace rushes::box::detail {
namespace {

TEST(ReadDoorRequest, KeepsProxyHeadersFromTheOrigin) {
  const auto request =
      read_door_request(
          "POST http://Example.com:81?q HTTP/1.1\r\nHost: evil\r\nProxy-Authorization: Basic c2VjcmV0\r\n"
          "Proxy-Connection: keep-alive\r\nConnection: keep-alive\r\nAccept: */*\r\nAccept-Encoding: gzip\r\nUpgrade: "
          "websocket\r\nContent-Length: 3\r\n\r\n")
          .value();
  EXPECT_EQ(request.forward_head,
            "POST /?q HTTP/1.1\r\nHost: Example.com:81\r\nConnection: close\r\nAccept-Encoding: identity\r\nAccept: "
            "*/*\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(request.authorization, "Basic c2VjcmV0");
  EXPECT_EQ(request.host, "Example.com");
  EXPECT_EQ(request.port, 81);
  EXPECT_EQ(request.body_length, 3U);
  EXPECT_EQ(read_door_request("CONNECT [2001:db8::1]:443 HTTP/1.1\r\n\r\n").value().host, "2001:db8::1");
}

}  // namespace
}  // namespace rushes::box::detail
