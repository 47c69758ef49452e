#include "source/filtering_proxy.h"

#include "base/text.h"
#include "source/detail/proxy_request.h"
#include "source/tests/site.h"

#include <boost/asio/ip/address.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

namespace rushes::source {
namespace {

using Trouble = FilteringProxy::Trouble;

net::AddressFilter only_the_site() {
  return net::AddressFilter(false, {{boost::asio::ip::make_address("127.0.0.1"), Site::shared().port()}});
}

class FilteringProxyTest : public ::testing::Test {
 protected:
  void start(FilteringProxy::Limits limits = {}, net::AddressFilter filter = only_the_site()) {
    proxy_ = FilteringProxy::start(std::move(filter), limits, rng_).value();
    const auto url = proxy_->url();
    const auto secret = url.substr(7, url.find('@') - 7);
    auto encoded = base64url_encode(secret);
    std::replace(encoded.begin(), encoded.end(), '-', '+');
    std::replace(encoded.begin(), encoded.end(), '_', '/');
    credential_ = "Proxy-Authorization: Basic " + encoded + "\r\n";
  }

  std::string get(const std::string& url, const std::string& more = {}, std::size_t max = 1U << 20U) {
    return talk(proxy_->port(), "GET " + url + " HTTP/1.1\r\nHost: ignored\r\n" + credential_ + more + "\r\n", max);
  }
  std::string connect(const std::string& authority, const std::string& through = {}) {
    return talk(proxy_->port(), "CONNECT " + authority + " HTTP/1.1\r\n" + credential_ + "\r\n" + through);
  }
  std::string site(const std::string& path) { return Site::shared().url(path); }

  SystemRng rng_;
  std::unique_ptr<FilteringProxy> proxy_;
  std::string credential_;
};

TEST_F(FilteringProxyTest, CarriesPlainRequests) {
  start();
  const auto moved = get(site("/redirect?to=/elsewhere"));
  EXPECT_NE(moved.find("Location: /elsewhere\r\n"), std::string::npos) << moved.substr(0, 200);
  const auto film = get(site("/film.html"), "Range: bytes=0-\r\nConnection: keep-alive\r\n");
  EXPECT_TRUE(film.starts_with("HTTP/1.1 200")) << film.substr(0, 100);
  EXPECT_NE(film.find("<video"), std::string::npos);
  EXPECT_GE(proxy_->received(), film.size());
  EXPECT_FALSE(proxy_->incident());
}

TEST_F(FilteringProxyTest, CarriesTunnels) {
  start();
  const auto answer = connect("127.0.0.1:" + std::to_string(Site::shared().port()), "GET /film.html HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.")) << answer.substr(0, 100);
  EXPECT_NE(answer.find("<video"), std::string::npos);
}

TEST_F(FilteringProxyTest, AsksForItsPassword) {
  start();
  for (const auto* credential : {"", "Proxy-Authorization: Basic cnVzaGVzOg==\r\n", "Proxy-Authorization: Basic\r\n"}) {
    const auto before = Site::shared().seen().size();
    const auto answer =
        talk(proxy_->port(), "GET " + site("/film.html") + " HTTP/1.1\r\n" + std::string(credential) + "\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 407")) << answer;
    EXPECT_EQ(Site::shared().seen().size(), before + 1) << "nothing but our own question";
  }
  const auto other = FilteringProxy::start(only_the_site(), {}, rng_).value();
  EXPECT_NE(other->url().substr(0, other->url().find('@')), proxy_->url().substr(0, proxy_->url().find('@')));
}

TEST_F(FilteringProxyTest, RefusesAddressesWithoutTouchingThem) {
  start();
  Trap trap;
  const auto port = std::to_string(trap.port());
  for (const auto& host : {"127.0.0.1", "localhost", "0x7f.1", "2130706433", "[::ffff:127.0.0.1]", "0.0.0.0", "[::]"}) {
    proxy_->begin(0);
    EXPECT_TRUE(get(std::string("http://") + host + ":" + port + "/").starts_with("HTTP/1.1 403")) << host;
    EXPECT_TRUE(connect(std::string(host) + ":" + port).starts_with("HTTP/1.1 403")) << host;
    ASSERT_TRUE(proxy_->incident()) << host;
    EXPECT_EQ(proxy_->incident()->trouble, Trouble::refused_address);
    EXPECT_EQ(proxy_->incident()->error.public_name(), "URL_PRIVATE_ADDRESS");
  }
  EXPECT_TRUE(get("http://169.254.169.254/latest/meta-data/").starts_with("HTTP/1.1 403"));
  EXPECT_EQ(trap.caught(), 0);
}

TEST_F(FilteringProxyTest, TellsNamesThatDoNotResolveFromPortsThatAreShut) {
  start();
  EXPECT_TRUE(get("http://no-such-host.invalid/").starts_with("HTTP/1.1 502"));
  EXPECT_EQ(proxy_->incident()->trouble, Trouble::unresolved);

  std::uint16_t shut = 0;
  { shut = Trap().port(); }
  start({}, net::AddressFilter(true));
  EXPECT_TRUE(get("http://127.0.0.1:" + std::to_string(shut) + "/").starts_with("HTTP/1.1 502"));
  EXPECT_EQ(proxy_->incident()->trouble, Trouble::unreachable);
  EXPECT_EQ(proxy_->incident()->error.public_name(), "URL_DEAD");
}

TEST_F(FilteringProxyTest, RefusesWhatItDoesNotUnderstand) {
  start();
  for (const std::string request :
       {"GET / HTTP/1.1\r\n\r\n", "GET ftp://127.0.0.1/ HTTP/1.1\r\n\r\n", "nonsense\r\n\r\n",
        "CONNECT 127.0.0.1 HTTP/1.1\r\n\r\n", "CONNECT a@127.0.0.1:80 HTTP/1.1\r\n\r\n",
        "GET http:///x HTTP/1.1\r\n\r\n", "POST http://127.0.0.1:1/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    EXPECT_TRUE(talk(proxy_->port(), request).starts_with("HTTP/1.1 400")) << request;
  }
  EXPECT_EQ(talk(proxy_->port(), "GET " + std::string(100'000, 'a')), "") << "a head without end is cut off";
}

TEST_F(FilteringProxyTest, StopsAtItsLimitOfBytes) {
  start();
  proxy_->begin(200'000);
  const auto answer = get(site("/endless.mp4"), {}, 64U << 20U);
  EXPECT_LE(answer.size(), 200'000U);
  ASSERT_TRUE(proxy_->incident());
  EXPECT_EQ(proxy_->incident()->trouble, Trouble::too_many_bytes);
  EXPECT_EQ(proxy_->incident()->error.public_name(), "VIDEO_TOO_LARGE");
  EXPECT_TRUE(get(site("/film.html")).starts_with("HTTP/1.1 403")) << "nothing more, until a new account is opened";
  proxy_->begin(200'000);
  EXPECT_FALSE(proxy_->incident());
  EXPECT_TRUE(get(site("/film.html")).starts_with("HTTP/1.1 200"));
}

TEST_F(FilteringProxyTest, ClosesWhatIsSilent) {
  FilteringProxy::Limits limits;
  limits.idle = std::chrono::milliseconds(150);
  start(limits);
  // Each ends because the proxy closes it; otherwise the test would run into its time limit.
  EXPECT_EQ(talk(proxy_->port(), "GET "), "") << "a client that sends half a head";
  EXPECT_NE(get(site("/stalled.mp4")), "") << "an origin that stops in the middle";
  EXPECT_EQ(get(site("/mute")), "") << "an origin that never answers";
}

TEST_F(FilteringProxyTest, QueuesMoreConnectionsThanItMayHave) {
  FilteringProxy::Limits limits;
  limits.connections = 2;
  start(limits);
  std::vector<std::thread> threads;
  std::atomic<int> served = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { served += get(site("/film.html")).starts_with("HTTP/1.1 200") ? 1 : 0; });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(served, 8);
}

TEST_F(FilteringProxyTest, EndsWithConnectionsOpen) {
  start();
  std::thread client([port = proxy_->port(), url = site("/mute"), credential = credential_] {
    talk(port, "GET " + url + " HTTP/1.1\r\n" + credential + "\r\n");
  });
  while (true) {
    const auto seen = Site::shared().seen();
    if (std::find(seen.begin(), seen.end(), "/mute") != seen.end()) break;
  }
  proxy_.reset();
  client.join();
}

TEST(ReadProxyRequest, KeepsProxyHeadersFromTheOrigin) {
  const auto request =
      detail::read_proxy_request(
          "POST http://Example.com:81?q HTTP/1.1\r\nHost: evil\r\nProxy-Authorization: Basic c2VjcmV0\r\n"
          "Proxy-Connection: keep-alive\r\nConnection: keep-alive\r\nAccept: */*\r\nContent-Length: 3\r\n\r\n")
          .value();
  EXPECT_EQ(
      request.forward_head,
      "POST /?q HTTP/1.1\r\nHost: Example.com:81\r\nConnection: close\r\nAccept: */*\r\nContent-Length: 3\r\n\r\n");
  EXPECT_EQ(request.authorization, "Basic c2VjcmV0");
  EXPECT_EQ(request.host, "Example.com");
  EXPECT_EQ(request.port, 81);
  EXPECT_EQ(request.body_length, 3U);
  EXPECT_EQ(detail::read_proxy_request("CONNECT [2001:db8::1]:443 HTTP/1.1\r\n\r\n").value().host, "2001:db8::1");
}

}  // namespace
}  // namespace rushes::source
