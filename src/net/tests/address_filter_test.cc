#include "net/address_filter.h"

#include <gtest/gtest.h>

#include <string>

namespace rushes::net {
namespace {

using boost::asio::ip::make_address;

std::string refusal(const AddressFilter& filter, std::string_view url) {
  const auto checked = filter.check_url(url);
  return checked ? "passed as " + checked->url : std::string(checked.error().public_name());
}

TEST(AddressFilter, LetsPublicAddressesPass) {
  const AddressFilter filter(false);
  for (const auto* text :
       {"8.8.8.8", "1.1.1.1", "172.15.255.255", "172.32.0.0", "100.63.255.255", "100.128.0.0", "198.17.255.255",
        "198.20.0.0", "11.0.0.0", "223.255.255.255", "2606:4700::1111", "2a00:1450::1", "2001:4860:4860::8888"}) {
    EXPECT_TRUE(filter.check(make_address(text), 443)) << text;
  }
}

TEST(AddressFilter, RefusesWhatIsNotPublic) {
  const AddressFilter filter(false);
  for (const auto* text : {"0.0.0.0",
                           "0.1.2.3",
                           "10.0.0.1",
                           "10.255.255.255",
                           "100.64.0.1",
                           "100.127.255.255",
                           "100.100.100.200",
                           "127.0.0.1",
                           "127.255.255.254",
                           "169.254.0.1",
                           "169.254.169.254",
                           "172.16.0.1",
                           "172.31.255.255",
                           "192.0.0.192",
                           "192.0.2.1",
                           "192.88.99.1",
                           "192.168.1.1",
                           "198.18.0.1",
                           "198.19.255.255",
                           "198.51.100.7",
                           "203.0.113.9",
                           "224.0.0.1",
                           "239.255.255.255",
                           "240.0.0.1",
                           "255.255.255.255",
                           "::",
                           "::1",
                           "::ffff:127.0.0.1",
                           "::ffff:8.8.8.8",
                           "::127.0.0.1",
                           "::8.8.8.8",
                           "64:ff9b::7f00:1",
                           "64:ff9b:1::1",
                           "100::1",
                           "2001::1",
                           "2001:2::1",
                           "2001:db8::1",
                           "2002:7f00:1::1",
                           "3fff::1",
                           "fc00::1",
                           "fd00:ec2::254",
                           "fdff::1",
                           "fe80::1",
                           "febf::1",
                           "fec0::1",
                           "ff02::1"}) {
    const auto open = filter.check(make_address(text), 80);
    ASSERT_FALSE(open) << text;
    EXPECT_EQ(open.error().public_name(), "URL_PRIVATE_ADDRESS") << text;
    EXPECT_FALSE(open.error().retryable());
  }
}

TEST(AddressFilter, AllowPrivateNeverOpensMetadataOrImpossibleRanges) {
  const AddressFilter filter(true);
  for (const auto* text : {"127.0.0.1", "10.1.2.3", "192.168.0.5", "172.20.0.1", "100.64.0.1", "::1", "fd12::1"}) {
    EXPECT_TRUE(filter.check(make_address(text), 80)) << text;
  }
  for (const auto* text : {"169.254.169.254", "100.100.100.200", "192.0.0.192", "fd00:ec2::254", "0.0.0.0",
                           "::", "224.0.0.1", "255.255.255.255", "fe80::1", "::ffff:10.0.0.1", "198.18.0.1"}) {
    EXPECT_FALSE(filter.check(make_address(text), 80)) << text;
  }
}

TEST(AddressFilter, AnExceptionOpensOneEndpoint) {
  const AddressFilter filter(false, {parse_endpoint("127.0.0.1:8080").value(), parse_endpoint("10.0.0.7").value()});
  EXPECT_TRUE(filter.check(make_address("127.0.0.1"), 8080));
  EXPECT_FALSE(filter.check(make_address("127.0.0.1"), 8081));
  EXPECT_FALSE(filter.check(make_address("127.0.0.2"), 8080));
  EXPECT_TRUE(filter.check(make_address("10.0.0.7"), 1)) << "without a port: every port";
  EXPECT_TRUE(filter.check_url("http://localhost:8080/"));
  EXPECT_FALSE(filter.check_url("http://localhost:8081/"));
}

TEST(AddressFilter, NamesTheAddressAndTheRemedy) {
  const auto open = AddressFilter(false).check(make_address("192.168.1.7"), 80);
  EXPECT_EQ(open.error().public_message(),
            "192.168.1.7 is a private address; the operator can allow it with allow_private_addresses.");
}

TEST(CheckUrl, SeesThroughOddFormsOfAddresses) {
  const AddressFilter filter(false);
  for (const auto* url : {"http://127.0.0.1/",
                          "http://2130706433/",
                          "http://0x7f000001/",
                          "http://0x7f.1/",
                          "http://127.1/",
                          "http://0177.0.0.1/",
                          "http://017700000001/",
                          "http://127.0.1/",

                          "http://0/",
                          "http://0x0/",
                          "http://[::1]/",
                          "http://[::ffff:127.0.0.1]/",
                          "http://[::ffff:7f00:1]/",
                          "http://[::127.0.0.1]/",
                          "http://[64:ff9b::a9fe:a9fe]/",
                          "http://%31%32%37.0.0.1/",
                          "http://localhost/",
                          "http://LOCALHOST:9/",
                          "http://localhost./",
                          "http://a.localhost/",
                          "http://169.254.169.254/latest/meta-data/",
                          "http://2852039166/",
                          "http://0xA9.0xFE.43518/",
                          "HTTP://10.0.0.1/",
                          "https://[fe80::1]/",
                          "http://[fd00:ec2::254]/"}) {
    EXPECT_EQ(refusal(filter, url), "URL_PRIVATE_ADDRESS") << url;
  }
}

TEST(CheckUrl, RefusesWhatIsNotAFetchableUrl) {
  const AddressFilter filter(true);
  for (const auto* url : {"",
                          "   ",
                          "example.com",
                          "/watch?v=1",
                          "http://",
                          "http:///path",
                          "https://:80/",
                          "http://exa mple.com/",
                          "http://user@example.com/",
                          "http://user:pw@example.com/",
                          "http://@example.com/",
                          "http://a..b/",
                          "http://example.com:0/",
                          "http://example.com:65536/",
                          "http://example.com:99999/",
                          "http://example.com:4294967376/",
                          "http://example.com:port/",
                          "http://[::1/",
                          "http://[fe80::1%25eth0]/",
                          "http://256.0.0.1/",
                          "http://1.2.3.4.5/",
                          "http://8.8.8.8.evil.example/",
                          "http://[2606:4700::1]x/",
                          "http://a:80x/p",
                          "http://08.0.0.1/",
                          "http://127.0.0.1./",
                          "http://example.com/\nHost: x",
                          "http://ex\xC3\xA4mple.com/",
                          "http://%E3%80%82/",
                          "http://a%00b/",
                          "http://example.com\\@evil/",
                          "http://\xFF/",
                          "http://[v1.x]/",
                          "--exec=id"}) {
    EXPECT_EQ(refusal(filter, url), "URL_INVALID") << url;
  }
  EXPECT_EQ(refusal(filter, "http://example.com/" + std::string(2'048, 'a')), "URL_INVALID");
}

TEST(CheckUrl, RefusesOtherSchemes) {
  const AddressFilter filter(true);
  for (const auto* url : {"file:///etc/passwd", "ftp://example.com/a", "javascript:alert(1)", "data:text/plain,a",
                          "ytsearch:cats", "gopher://127.0.0.1:25/x", "rtmp://example.com/a"}) {
    EXPECT_EQ(refusal(filter, url), "URL_SCHEME") << url;
  }
}

TEST(CheckUrl, NormalisesWhatPeoplePaste) {
  const AddressFilter filter(false);
  EXPECT_EQ(filter.check_url("  HTTPS://WWW.Example.COM./watch?v=a b#t=1 ").value().url,
            "https://www.example.com/watch?v=a%20b");
  EXPECT_EQ(filter.check_url("https://example.com/видео?q=[1|2]").value().url,
            "https://example.com/%D0%B2%D0%B8%D0%B4%D0%B5%D0%BE?q=%5B1%7C2%5D");
  EXPECT_EQ(filter.check_url("https://example.com/100%").value().url, "https://example.com/100%25");
  EXPECT_EQ(filter.check_url("https://youtu.be/dQw4w9WgXcQ?si=x&t=1").value().url,
            "https://youtu.be/dQw4w9WgXcQ?si=x&t=1");
  const auto literal = filter.check_url("http://134744072:8080/a").value();
  EXPECT_EQ(literal.url, "http://8.8.8.8:8080/a") << "every later reader sees the address that was checked";
  EXPECT_EQ(literal.port, 8080);
  ASSERT_TRUE(literal.literal);
  const auto v6 = filter.check_url("https://[2606:4700:0:0::1111]/a").value();
  EXPECT_EQ(v6.url, "https://[2606:4700::1111]/a");
  EXPECT_EQ(v6.port, 443);
  EXPECT_TRUE(v6.https);
}

TEST(Resolve, GivesOnlyEndpointsThatMayBeReached) {
  const AddressFilter filter(false, {parse_endpoint("127.0.0.1:8080").value()});
  const auto found = filter.resolve_and_check("localhost", 8080);
  ASSERT_TRUE(found);
  for (const auto& endpoint : *found) EXPECT_EQ(endpoint, parse_endpoint("127.0.0.1:8080").value());
  EXPECT_EQ(filter.resolve_and_check("localhost", 8081).error().public_name(), "URL_PRIVATE_ADDRESS");
  EXPECT_EQ(filter.resolve_and_check("0x7f.1", 80).error().public_name(), "URL_PRIVATE_ADDRESS");
  EXPECT_EQ(filter.resolve_and_check("no-such-host.invalid", 80).error().public_name(), "URL_UNRESOLVED");
}

TEST(Resolve, KeepsThePublicOnesOfAMixedAnswer) {
  const AddressFilter filter(false);
  const auto kept = filter.allowed_of("mixed.example", {{make_address("10.0.0.1"), 80}, {make_address("8.8.8.8"), 80}});
  ASSERT_TRUE(kept);
  ASSERT_EQ(kept->size(), 1U);
  EXPECT_EQ(kept->front().address(), make_address("8.8.8.8"));
  EXPECT_EQ(filter.allowed_of("none.example", {}).error().public_name(), "URL_UNRESOLVED");
}

TEST(ParseEndpoint, ReadsBothFamilies) {
  EXPECT_EQ(parse_endpoint("[::1]:80").value(), AddressFilter::Endpoint(make_address("::1"), 80));
  EXPECT_EQ(parse_endpoint("::1").value(), AddressFilter::Endpoint(make_address("::1"), 0));
  for (const auto* text : {"", "host:80", "1.2.3.4:", "1.2.3.4:0", "1.2.3.4:70000", "1.2.3.4:8x", "[::1]80"}) {
    EXPECT_FALSE(parse_endpoint(text)) << text;
  }
}

}  // namespace
}  // namespace rushes::net
