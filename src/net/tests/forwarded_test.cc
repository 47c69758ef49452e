#include "net/forwarded.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <utility>

namespace rushes::net {
namespace {

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

ClientView view(Fields fields, std::string_view peer = "10.0.0.1",
                const std::vector<std::string>& trusted = {"10.0.0.0/8", "fd00::/8"}) {
  Headers headers;
  headers.add("Host", "inner:3000");
  for (const auto& [name, value] : fields) headers.add(name, value);
  return view_of_client(AddressRanges::parse(trusted).value(), peer, headers);
}

std::string client(Fields fields, std::string_view peer = "10.0.0.1") { return view(fields, peer).address; }

TEST(AddressRanges, HoldWhatTheyName) {
  const auto ranges = AddressRanges::parse({"192.0.2.7", "10.20.0.0/15", "2001:db8::/33", "loopback"}).value();
  const auto holds = [&](const char* text) { return ranges.contains(boost::asio::ip::make_address(text)); };
  for (const auto* in :
       {"192.0.2.7", "::ffff:192.0.2.7", "10.20.0.1", "10.21.255.255", "2001:db8:7fff::1", "127.9.9.9", "::1"}) {
    EXPECT_TRUE(holds(in)) << in;
  }
  for (const auto* out :
       {"192.0.2.8", "10.22.0.0", "10.19.255.255", "2001:db8:8000::1", "::2", "::127.0.0.1", "8.8.8.8"}) {
    EXPECT_FALSE(holds(out)) << out;
  }
  const auto inside = AddressRanges::parse({"private"}).value();
  EXPECT_TRUE(inside.contains(boost::asio::ip::make_address("172.31.0.1")));
  EXPECT_FALSE(inside.contains(boost::asio::ip::make_address("172.32.0.1")));
  for (const auto* bad : {"", "10.0.0.0/33", "10.0.0.0/0", "::/0", "10.0.0.0/", "10.0.0.0/8x", "10.0.0", "proxy",
                          "fe80::1%1", "1.2.3.4:80"}) {
    EXPECT_FALSE(AddressRanges::parse({bad})) << bad;
  }
}

TEST(Forwarded, StrangersAreNotBelieved) {
  const auto seen = view({{"X-Forwarded-For", "198.51.100.1"},
                          {"X-Forwarded-Proto", "https"},
                          {"X-Forwarded-Host", "a.example"},
                          {"X-Forwarded-Prefix", "/a"},
                          {"Forwarded", "for=198.51.100.1"}},
                         "203.0.113.9");
  EXPECT_EQ(seen.address, "203.0.113.9");
  EXPECT_EQ(seen.scheme, "http");
  EXPECT_EQ(seen.host, "inner:3000");
  EXPECT_EQ(seen.prefix, "");
  EXPECT_EQ(view({{"X-Forwarded-For", "198.51.100.1"}}, "127.0.0.1", {}).address, "127.0.0.1")
      << "nobody is trusted by default";
}

TEST(Forwarded, ATrustedProxyNamesTheClient) {
  const auto seen = view({{"X-Forwarded-For", "198.51.100.1"},
                          {"X-Forwarded-Proto", "https"},
                          {"X-Forwarded-Host", "a.example:8443"},
                          {"X-Forwarded-Prefix", "/rushes/"}});
  EXPECT_EQ(seen.address, "198.51.100.1");
  EXPECT_EQ(seen.scheme, "https");
  EXPECT_EQ(seen.host, "a.example:8443");
  EXPECT_EQ(seen.prefix, "/rushes");
  EXPECT_EQ(view({{"X-Forwarded-Proto", "wss"}}).scheme, "https") << "Traefik's word for an upgrade";
  EXPECT_EQ(view({}).address, "10.0.0.1");
  EXPECT_EQ(view({}).host, "inner:3000");
}

TEST(Forwarded, WhatTheClientWroteIntoTheChainDoesNotCount) {
  EXPECT_EQ(client({{"X-Forwarded-For", "127.0.0.1, 8.8.8.8, 198.51.100.1"}}), "198.51.100.1");
  EXPECT_EQ(client({{"X-Forwarded-For", "127.0.0.1"}, {"X-Forwarded-For", "198.51.100.1"}}), "198.51.100.1")
      << "two lines";
  EXPECT_EQ(client({{"X-Forwarded-For", "1.1.1.1, 198.51.100.1, 10.0.0.2,10.0.0.3"}}), "198.51.100.1")
      << "three proxies";
  EXPECT_EQ(client({{"X-Forwarded-For", "10.0.0.9, 10.0.0.2"}}), "10.0.0.9") << "a client inside";
  EXPECT_EQ(view({{"X-Forwarded-Host", "evil.example, real.example"}}).host, "real.example");
  EXPECT_EQ(view({{"X-Forwarded-Proto", "https, http"}}).scheme, "http");
}

TEST(Forwarded, AHopThatIsNoAddressEndsTheChain) {
  for (const auto* bad :
       {"unknown", "_hidden", "", "198.51.100.1:x", "198.51.100.1:99999", "[198.51.100.1]:1", "198.51.100",
        "a.example:1", "[2001:db8::1", "2001:db8::1]", "fe80::1%eth0", "198.51.100.1 x", "<script>"}) {
    EXPECT_EQ(client({{"X-Forwarded-For", std::string("8.8.8.8, ") + bad}}), "10.0.0.1") << bad;
    EXPECT_EQ(client({{"X-Forwarded-For", std::string(bad) + ", 10.0.0.5"}}), "10.0.0.5") << bad;
  }
}

TEST(Forwarded, PortsAndBracketsAreNoPartOfAnAddress) {
  EXPECT_EQ(client({{"X-Forwarded-For", "198.51.100.1:4711"}}), "198.51.100.1");
  EXPECT_EQ(client({{"X-Forwarded-For", "2001:DB8::1"}}), "2001:db8::1");
  EXPECT_EQ(client({{"X-Forwarded-For", "[2001:db8::1]"}}), "2001:db8::1");
  EXPECT_EQ(client({{"X-Forwarded-For", "[2001:db8::1]:4711"}}), "2001:db8::1");
  EXPECT_EQ(client({{"X-Forwarded-For", "::ffff:198.51.100.1"}}), "198.51.100.1");
  EXPECT_EQ(client({{"X-Forwarded-For", "2001:db8::1"}}, "fd00::7"), "2001:db8::1");
}

TEST(Forwarded, ReadsTheStandardField) {
  const auto seen =
      view({{"Forwarded",
             "for=8.8.8.8;host=evil.example, for=\"[2001:db8::1]:4711\";proto=https;host=\"a.example:8443\";by=_x"}});
  EXPECT_EQ(seen.address, "2001:db8::1");
  EXPECT_EQ(seen.scheme, "https");
  EXPECT_EQ(seen.host, "a.example:8443");
  EXPECT_EQ(client({{"Forwarded", "For=198.51.100.1; Proto=http"}}), "198.51.100.1");
  EXPECT_EQ(client({{"Forwarded", "for=198.51.100.1"}, {"Forwarded", "for=10.0.0.2"}}), "198.51.100.1");
  EXPECT_EQ(client({{"Forwarded", "for=\"198.51.100.1\\:80\""}}), "198.51.100.1") << "an escape";
  for (const auto* bad :
       {"for=\"8.8.8.8", "for", "for 8.8.8.8", "for=8.8.8.8 x", "\"", "=", ";;,,", "for=\"8.8.8.8, for=198.51.100.1"}) {
    EXPECT_EQ(client({{"Forwarded", bad}}), "10.0.0.1") << bad;
    EXPECT_EQ(client({{"Forwarded", bad}, {"Forwarded", "for=198.51.100.1"}}), "198.51.100.1")
        << bad << ": the proxy's own line stands";
  }
}

TEST(Forwarded, TheStandardFieldIsTheClientsWhereTheProxyWritesTheOther) {
  const auto seen =
      view({{"Forwarded", "for=8.8.8.8;host=evil.example;proto=https"}, {"X-Forwarded-For", "198.51.100.1"}});
  EXPECT_EQ(seen.address, "198.51.100.1");
  EXPECT_EQ(seen.host, "inner:3000");
  EXPECT_EQ(seen.scheme, "http");
}

TEST(Forwarded, APrefixIsAPlainPath) {
  EXPECT_EQ(view({{"X-Forwarded-Prefix", "/a, /b/c"}}).prefix, "/a/b/c") << "two proxies";
  EXPECT_EQ(view({{"X-Forwarded-Prefix", "/a"}, {"X-Forwarded-Prefix", "/b"}}).prefix, "/a/b");
  for (const auto* bad : {"//evil.example", "/", "", "rushes", "https://evil.example", "/a//b", "/../x", "/a\"b",
                          "/a b", "/a?b", "/a%2f"}) {
    EXPECT_EQ(view({{"X-Forwarded-Prefix", bad}}).prefix, "") << bad;
  }
  EXPECT_EQ(view({{"X-Forwarded-Prefix", "/" + std::string(300, 'a')}}).prefix, "");
}

TEST(Forwarded, AHostIsAHost) {
  for (const auto* bad :
       {"", "a b", "user@a.example", "a.example:", "a.example:99999", "https://a.example", "a.example/x"}) {
    EXPECT_EQ(view({{"X-Forwarded-Host", bad}}).host, "inner:3000") << bad;
  }
}

TEST(Forwarded, ProxiesLeaveTraces) {
  Headers headers;
  headers.add("Host", "a");
  EXPECT_FALSE(has_proxy_fields(headers));
  for (const auto* name : {"Forwarded", "x-forwarded-for", "X-Forwarded-Whatever", "Via", "X-Real-Ip"}) {
    Headers one;
    one.add(name, "x");
    EXPECT_TRUE(has_proxy_fields(one)) << name;
  }
}

}  // namespace
}  // namespace rushes::net
