#include "box/tests/door_fixture.h"

#include <array>
#include <atomic>

namespace rushes::box {
namespace {

// 127.0.0.1, this host, private networks and metadata services, in every spelling that a C library, a browser or a
// transition mechanism understands.
constexpr std::array kRefused{
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.255.255.254",
    "127.0.0.1.",
    "2130706433",
    "017700000001",
    "0x7f000001",
    "0X7F.0x0.0x0.0x1",
    "0x7f.1",
    "0177.0.0.1",
    "0177.0x0.1",
    "00000177.0.0.1",
    "localhost",
    "LOCALHOST",
    "0",
    "0.0.0.0",
    "0x0",
    "10.0.0.1",
    "0xa.1",
    "012.0.0.1",
    "167772161",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "192.168.257",
    "3232235777",
    "100.64.0.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "2852039166",
    "0251.0376.0251.0376",
    "169.254.43518",
    "100.100.100.200",
    "192.0.0.192",
    "198.18.0.1",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "192.88.99.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:7F00:0001]",
    "[::ffff:0:127.0.0.1]",
    "[::127.0.0.1]",
    "[::7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[64:ff9b::a9fe:a9fe]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "[2002:7f00:1::1]",
    "[2002:a9fe:a9fe::1]",
    "[2001:0:7f00:1::]",
    "[2001:0:4136:e378:8000:63bf:80ff:fffe]",
    "[2001:db8::1]",
    "[3fff::1]",
    "[fe80::1]",
    "[fec0::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fd20:ce::254]",
    "[ff02::1]",
    "[100::1]",
};

TEST_F(DoorTest, RefusesPrivateAddressesInEverySpelling) {
  open();
  Trap trap;
  const auto port = std::to_string(trap.port());
  for (const std::string host : kRefused) {
    EXPECT_TRUE(get("http://" + host + ":" + port + "/").starts_with("HTTP/1.1 403")) << host;
    EXPECT_EQ(trouble(), "refused_address URL_PRIVATE_ADDRESS") << host;
    EXPECT_TRUE(connect(host + ":" + port).starts_with("HTTP/1.1 403")) << host;
    EXPECT_EQ(trouble(), "refused_address URL_PRIVATE_ADDRESS") << host;
  }
  EXPECT_EQ(trap.caught(), 0);
}

TEST_F(DoorTest, ReadsNoAddressThatOthersMightReadDifferently) {
  open(DoorPolicy{net::AddressFilter(true)});
  Trap trap;
  const auto port = std::to_string(trap.port());
  for (const std::string host : {"a@127.0.0.1", "127.0.0.1@a", "127.0.0.1%00", "127.0.0.1%2f", "[::1%25lo]",
                                 "[fe80::1%lo]", "[127.0.0.1", "127.0.0.1]",
                                 "\xe2\x91\xa0"
                                 "27.0.0.1",
                                 "127\xe3\x80\x82"
                                 "0\xe3\x80\x82"
                                 "0\xe3\x80\x82"
                                 "1",
                                 "", "[]x"}) {
    const auto plain = get("http://" + host + ":" + port + "/");
    EXPECT_TRUE(plain.starts_with("HTTP/1.1 400")) << host << ": " << plain;
    const auto tunnel = connect(host + ":" + port);
    EXPECT_TRUE(tunnel.starts_with("HTTP/1.1 400")) << host << ": " << tunnel;
  }
  // Numbers that are no address become names, and no such name is known.
  for (const std::string host :
       {"256.0.0.1", "1.2.3.4.5", "4294967296", "0x100000000", "127.0.0.0x", "08.0.0.1", "localhost."}) {
    EXPECT_FALSE(get("http://" + host + ":" + port + "/").starts_with("HTTP/1.1 200")) << host;
    EXPECT_FALSE(connect(host + ":" + port).starts_with("HTTP/1.1 200")) << host;
  }
  EXPECT_EQ(trap.caught(), 0);
}

TEST_F(DoorTest, OpensOnlyThePortsOfItsPolicy) {
  open();
  Trap trap;
  EXPECT_TRUE(get(home(trap.port())).starts_with("HTTP/1.1 403")) << "the site's address, another port";
  EXPECT_TRUE(connect("127.0.0.1:" + std::to_string(trap.port())).starts_with("HTTP/1.1 403"));
  EXPECT_TRUE(get("http://127.0.0.1/").starts_with("HTTP/1.1 403")) << "port 80";
  for (const std::string port :
       {"", "0", "-1", "+80", "65536", "99999999999999999999", "0x50", "8 0", "80:80", "80a"}) {
    EXPECT_TRUE(get("http://127.0.0.1:" + port + "/").starts_with("HTTP/1.1 400")) << port;
    EXPECT_TRUE(connect("127.0.0.1:" + port).starts_with("HTTP/1.1 400")) << port;
  }
  EXPECT_EQ(trap.caught(), 0);
  EXPECT_TRUE(get("http://0x7f.1:" + std::to_string(Site::shared().port()) + "/film.html").starts_with("HTTP/1.1 200"))
      << "an allowed endpoint in another spelling is still that endpoint";
}

TEST_F(DoorTest, ConnectsToTheAddressThatItChecked) {
  // A name that is public when it is first asked for, then private: it must be resolved once a connection.
  Trap trap;
  auto asked = std::make_shared<std::atomic<int>>(0);
  DoorPolicy policy;
  policy.resolver = [asked](const std::string&, std::uint16_t port) -> std::vector<net::AddressFilter::Endpoint> {
    const bool first = asked->fetch_add(1) == 0;
    return {{boost::asio::ip::make_address(first ? "203.0.113.1" : "127.0.0.1"), port}};
  };
  open(std::move(policy));
  const auto url = "http://rebinding.test:" + std::to_string(trap.port()) + "/";
  EXPECT_TRUE(get(url).starts_with("HTTP/1.1 403"));
  EXPECT_EQ(*asked, 1);
  EXPECT_TRUE(get(url).starts_with("HTTP/1.1 403"));
  EXPECT_TRUE(connect("rebinding.test:" + std::to_string(trap.port())).starts_with("HTTP/1.1 403"));
  EXPECT_EQ(*asked, 3);
  EXPECT_EQ(trap.caught(), 0);
}

TEST_F(DoorTest, PassesOverTheRefusedAddressesOfAName) {
  Trap trap;
  auto policy = only_the_site();
  policy.resolver = [port = trap.port()](const std::string&, std::uint16_t) {
    return std::vector{at_home(port), at_home(Site::shared().port())};
  };
  open(std::move(policy));
  EXPECT_TRUE(get("http://both.test/film.html").starts_with("HTTP/1.1 200"));
  EXPECT_EQ(trap.caught(), 0);
  EXPECT_FALSE(incident());
}

}  // namespace
}  // namespace rushes::box
