#include "app/cli/live.h"

#include "app/cli/http_client.h"
#include "app/cli/tests/test_server.h"

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket.hpp>
#include <gtest/gtest.h>

#include <mutex>

namespace rushes::app::cli {
namespace {

namespace beast = boost::beast;
using std::chrono::seconds;
using Kind = LivePacket::Kind;

LivePacket packet(std::string_view text) { return parse_live_packet(text).value(); }

TEST(LivePacket, ReadsWhatServersSend) {
  EXPECT_EQ(packet(R"(0{"sid":"s","pingInterval":25000})").kind, Kind::open);
  EXPECT_EQ(packet("1").kind, Kind::close);
  EXPECT_EQ(packet("2").kind, Kind::ping);
  EXPECT_EQ(packet("6").kind, Kind::other);
  const auto joined = packet(R"(40/queue,{"sid":"a","pid":"p"})");
  EXPECT_EQ(joined.kind, Kind::connected);
  EXPECT_EQ(joined.name_space, "/queue");
  EXPECT_EQ(joined.body.at("pid"), "p");
  EXPECT_EQ(packet(R"(44/queue,{"message":"no","data":{"code":"TOKEN_EXPIRED"}})").kind, Kind::refused);
  EXPECT_EQ(packet("41/queue,").name_space, "/queue");
  EXPECT_EQ(packet("41/queue").kind, Kind::disconnected);
  const auto event = packet(R"(42/queue,["queue-update",{"jobId":"a,b"},"offset"])");
  EXPECT_EQ(event.kind, Kind::event);
  EXPECT_EQ(event.body.get_array().size(), 3U);
  EXPECT_EQ(packet(R"(43/queue,17[{"success":true}])").kind, Kind::acknowledged);
  EXPECT_EQ(packet(R"(42["hello"])").name_space, "/");
}

TEST(LivePacket, RefusesWhatNoServerSends) {
  for (const auto* bad : {"", "x", "4", "49", "0", "0[]", "42/queue,", "42/queue,{}", "42/queue,[]", "42/queue,[1]",
                          "40/queue,[", "43/queue,0{}", "44/queue,nonsense"}) {
    EXPECT_FALSE(parse_live_packet(bad)) << bad;
  }
}

/// A server's side of one connection.
class ServerSocket {
 public:
  explicit ServerSocket(TestServer::Socket socket) : stream_(std::move(socket)) { stream_.accept(); }
  void send(std::string_view text) { stream_.write(boost::asio::buffer(text)); }
  std::string receive() {
    beast::flat_buffer buffer;
    boost::system::error_code failed;
    stream_.read(buffer, failed);
    return failed ? "closed" : beast::buffers_to_string(buffer.data());
  }

 private:
  beast::websocket::stream<TestServer::Socket> stream_;
};

constexpr std::string_view kOpen =
    R"(0{"sid":"s","upgrades":[],"pingInterval":300,"pingTimeout":700,"maxPayload":1000000})";
constexpr std::string_view kJoined = R"(40/queue,{"sid":"a","pid":"p"})";
constexpr std::string_view kSubscribed = R"(43/queue,0[{"success":true,"jobs":[]}])";

TEST(LiveClient, JoinsAnswersPingsAndRecoversAfterALostConnection) {
  std::vector<std::string> heard;
  std::vector<std::string> told;
  {
    TestServer server(2, [&](TestServer::Socket socket, int number) {
      ServerSocket client(std::move(socket));
      client.send(kOpen);
      heard.push_back(client.receive());
      client.send(kJoined);
      if (number == 1) client.send(R"(42/queue,["queue-update",{"jobId":"missed"},"o2"])");
      heard.push_back(client.receive());
      client.send(kSubscribed);
      client.send("2");
      heard.push_back(client.receive());
      if (number == 0) client.send(R"(42/queue,["queue-update",{"jobId":"first"},"o1"])");
    });
    LiveClient client(parse_server(server.address()).value(), "the-token");
    for (int i = 0; i < 6; ++i) {
      const auto message = client.next(seconds(10));
      ASSERT_TRUE(message) << i;
      switch (message->kind) {
        case LiveMessage::Kind::joined:
          told.push_back(message->recovered ? "recovered" : "joined");
          break;
        case LiveMessage::Kind::update:
          told.emplace_back(message->update.at("jobId").get_string());
          break;
        case LiveMessage::Kind::lost:
          told.emplace_back("lost");
          break;
        case LiveMessage::Kind::refused:
          told.push_back(message->error.what());
          break;
      }
    }
  }
  EXPECT_EQ(told, (std::vector<std::string>{"joined", "first", "lost", "missed", "recovered", "lost"}));
  EXPECT_EQ(heard, (std::vector<std::string>{R"(40/queue,{"token":"the-token"})", R"(42/queue,0["subscribe-queue"])",
                                             "3", R"(40/queue,{"token":"the-token","pid":"p","offset":"o1"})",
                                             R"(42/queue,0["subscribe-queue"])", "3"}));
}

TEST(LiveClient, SaysWhyItWasRefusedAndTriesNoMore) {
  TestServer server(1, [](TestServer::Socket socket, int) {
    ServerSocket client(std::move(socket));
    client.send(kOpen);
    client.receive();
    client.send(R"(44/queue,{"message":"The token has expired.","data":{"code":"TOKEN_EXPIRED"}})");
    client.receive();
  });
  LiveClient client(parse_server(server.address()).value(), "old");
  const auto message = client.next(seconds(10));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->kind, LiveMessage::Kind::refused);
  EXPECT_EQ(message->error.public_name(), "TOKEN_EXPIRED");
  EXPECT_EQ(message->error.what(), "The token has expired.");
  EXPECT_FALSE(client.next(std::chrono::milliseconds(0)));
}

TEST(LiveClient, NoticesASilentServer) {
  std::string last;
  {
    TestServer server(1, [&](TestServer::Socket socket, int) {
      ServerSocket client(std::move(socket));
      client.send(kOpen);  // a ping is due within a second, and does not come
      client.receive();
      client.send(kJoined);
      client.receive();
      last = client.receive();
    });
    LiveClient client(parse_server(server.address()).value(), "t");
    const auto message = client.next(seconds(10));
    ASSERT_TRUE(message);
    EXPECT_EQ(message->kind, LiveMessage::Kind::lost);
    EXPECT_NE(message->why.find("silent"), std::string::npos) << message->why;
  }
  EXPECT_EQ(last, "closed");
}

TEST(LiveClient, KnowsAServerWithoutSockets) {
  TestServer server(1, [](TestServer::Socket socket, int) {
    boost::system::error_code ignored;
    std::string request(4096, '\0');
    socket.read_some(boost::asio::buffer(request), ignored);
    boost::asio::write(
        socket, boost::asio::buffer(std::string_view("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")), ignored);
  });
  LiveClient client(parse_server(server.address()).value(), "t");
  const auto message = client.next(seconds(10));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->kind, LiveMessage::Kind::refused);
  EXPECT_EQ(message->error.public_name(), "SOCKETS_UNAVAILABLE");
}

}  // namespace
}  // namespace rushes::app::cli
