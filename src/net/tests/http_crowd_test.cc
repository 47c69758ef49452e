#include "async/run.h"
#include "net/http_server.h"
#include "net/tests/client.h"

#include <gtest/gtest.h>

#include <memory>
#include <vector>

namespace rushes::net {
namespace {

using std::chrono::milliseconds;

Task<Response> hello(Request&) { co_return Response(200, "text/plain", "hello"); }

Task<Response> take(Request& request) {
  const auto read = co_await request.read_body();
  if (!read) co_return problem(read.error());
  co_return Response(200, "text/plain", "taken");
}

class HttpCrowdTest : public testing::Test {
 protected:
  HttpCrowdTest() {
    router_.add("GET", "/hello", hello);
    router_.add("POST", "/take", take);
    options_.port = 0;
    options_.limits.max_connections = 8;
    shards_.start();
    server_.emplace(shards_, router_, options_);
    port_ = server_->start().value();
  }
  ~HttpCrowdTest() override {
    run_to_end(server_->stop(milliseconds(500)));
    shards_.stop();
  }

  static bool greets(Client& client) {
    return client.write("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n") && client.answer().ends_with("hello");
  }
  std::uint64_t shed() const { return server_->counts(0).shed.value() + server_->counts(1).shed.value(); }

  Shards shards_{2};
  Router router_;
  HttpOptions options_;
  std::optional<HttpServer> server_;
  std::uint16_t port_ = 0;
};

TEST_F(HttpCrowdTest, TheLongestIdleConnectionGoesForANewcomer) {
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 8; ++i) {
    clients.push_back(std::make_unique<Client>(port_));
    ASSERT_TRUE(greets(*clients.back()));
  }
  EXPECT_EQ(shed(), 0U);
  EXPECT_TRUE(greets(*clients[0])) << "now the second has been idle longest";
  Client newcomer(port_);
  EXPECT_TRUE(greets(newcomer));
  EXPECT_EQ(shed(), 1U);
  EXPECT_EQ(clients[1]->rest(), "");
  EXPECT_TRUE(greets(*clients[0]));
  for (std::size_t i = 2; i < clients.size(); ++i) EXPECT_TRUE(greets(*clients[i])) << i;
}

TEST_F(HttpCrowdTest, ManySilentConnectionsShutNobodyOut) {
  std::vector<std::unique_ptr<Client>> silent;
  for (int i = 0; i < 40; ++i) silent.push_back(std::make_unique<Client>(port_));
  for (int i = 0; i < 40; i += 3) silent[static_cast<std::size_t>(i)]->write("GET /hel");
  for (int i = 0; i < 20; ++i) {
    Client client(port_);
    EXPECT_TRUE(greets(client)) << i;
  }
}

TEST_F(HttpCrowdTest, ConnectionsAtWorkStayAndTheNewcomerIsRefused) {
  std::vector<std::unique_ptr<Client>> busy;
  for (int i = 0; i < 8; ++i) {
    busy.push_back(std::make_unique<Client>(port_));
    busy.back()->write("POST /take HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    EXPECT_TRUE(busy.back()->answer().starts_with("HTTP/1.1 100"));
  }
  Client newcomer(port_);
  EXPECT_FALSE(greets(newcomer));
  for (auto& client : busy) {
    client->write("abcde");
    EXPECT_TRUE(client->answer().ends_with("taken"));
  }
  Client later(port_);
  EXPECT_TRUE(greets(later));
}

}  // namespace
}  // namespace rushes::net
