#include "api/tests/context_fixture.h"
#include "async/run.h"
#include "net/http_server.h"
#include "net/tests/client.h"

#include <set>

namespace rushes::api {
namespace {

/// All routes, served.
class RoutesTest : public ContextFixture {
 protected:
  RoutesTest() {
    add_routes(router_, context());
    shards_.start();
    port_ = server_.start().value();
  }
  ~RoutesTest() override {
    run_to_end(server_.stop());
    shards_.stop();
  }

  net::Router router_;
  Shards shards_{1};
  net::HttpServer server_{shards_, router_, any_port()};
  std::uint16_t port_ = 0;

 private:
  static net::HttpOptions any_port() {
    net::HttpOptions options;
    options.port = 0;
    return options;
  }
};

std::string target_of(std::string pattern) {
  for (auto brace = pattern.find('{'); brace != std::string::npos; brace = pattern.find('{')) {
    pattern.replace(brace, pattern.find('}') - brace + 1, "some");
  }
  return pattern;
}

// Whoever adds a route that takes no token names it here.
const std::set<std::string> kOpenRoutes{"GET /files/{key}/{name}"};

TEST_F(RoutesTest, EachChecksTheTokenBeforeItWaitsForABody) {
  int checked = 0;
  router_.each_route([&](const std::string& method, const std::string& pattern) {
    if (kOpenRoutes.contains(method + " " + pattern)) return;
    for (const std::string type : {"application/json", "multipart/form-data; boundary=b", "application/octet-stream"}) {
      net::Client client(port_);
      client.write(method + " " + target_of(pattern) + " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer bad\r\n" +
                   "Content-Type: " + type + "\r\nContent-Length: 1000\r\n\r\n{");
      EXPECT_TRUE(client.answer().starts_with("HTTP/1.1 401")) << method << " " << pattern << " " << type;
      ++checked;
    }
  });
  EXPECT_GT(checked, 60);
  EXPECT_EQ(server_.body_bytes(), 0U);
}

TEST_F(RoutesTest, WhatTheHeadSaysIsRefusedBeforeTheBody) {
  const auto token = auth::sign_token("a secret that is long enough",
                                      {{"sub", "ann"}, {"exp", to_millis(clock_.now()) / 1000 + 3600}});
  const auto post = [&](const std::string& path, const std::string& type) {
    net::Client client(port_);
    client.write("POST " + path + " HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer " + token +
                 "\r\nContent-Type: " + type + "\r\nContent-Length: 1000\r\n\r\n{");
    return client.answer().substr(9, 3);
  };
  for (const auto* path :
       {"/analyze/video", "/analyze/transcript", "/analyze/bulk", "/analyze/schedules", "/webhooks"}) {
    EXPECT_EQ(post(path, "text/plain"), "415") << path;
    EXPECT_EQ(post(path, "application/json; charset=iso-8859-1"), "415") << path;
  }
  EXPECT_EQ(post("/analyze/upload", "application/json"), "415");
  EXPECT_EQ(post("/notifications", "application/json"), "403") << "the role";
}

TEST(CheckCharset, TakesUtf8Alone) {
  for (const auto* good : {"application/json", "application/json; charset=utf-8", "application/json;charset=\"UTF-8\"",
                           "application/json; a=b; charset=us-ascii"}) {
    EXPECT_TRUE(check_charset(good)) << good;
  }
  for (const auto* bad : {"application/json; charset=iso-8859-1", "application/json;CHARSET=\"utf-16\"",
                          "application/json; charset=utf-8; charset=latin1"}) {
    EXPECT_FALSE(check_charset(bad)) << bad;
  }
}

}  // namespace
}  // namespace rushes::api
