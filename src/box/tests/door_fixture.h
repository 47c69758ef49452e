#pragma once
#include "base/random.h"
#include "base/text.h"
#include "box/door.h"
#include "box/door_report.h"
#include "box/listener.h"
#include "box/tests/site.h"

#include <boost/asio/ip/address.hpp>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

namespace rushes::box {

inline net::AddressFilter::Endpoint at_home(std::uint16_t port) {
  return {boost::asio::ip::make_address("127.0.0.1"), port};
}

/// A door and what speaks to it from inside. Its policy reaches the test site alone.
class DoorTest : public ::testing::Test {
 protected:
  static DoorPolicy only_the_site() { return only(Site::shared().port()); }
  static DoorPolicy only(std::uint16_t port) { return DoorPolicy{net::AddressFilter(false, {at_home(port)})}; }

  void open(DoorPolicy policy = only_the_site()) {
    door_ = Door::open(listen_on_loopback(0).value(), std::move(policy), rng_).value();
    const auto url = door_->url();
    port_ = static_cast<std::uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
    auto encoded = base64url_encode(url.substr(7, url.find('@') - 7));
    std::replace(encoded.begin(), encoded.end(), '-', '+');
    std::replace(encoded.begin(), encoded.end(), '_', '/');
    credential_ = "Proxy-Authorization: Basic " + encoded + "\r\n";
  }

  std::string ask(const std::string& line, const std::string& more = {}, std::size_t max = 1U << 20U) const {
    return talk(port_, line + " HTTP/1.1\r\n" + credential_ + more + "\r\n", max);
  }
  std::string get(const std::string& url, const std::string& more = {}, std::size_t max = 1U << 20U) const {
    return ask("GET " + url, "Host: ignored\r\n" + more, max);
  }
  std::string connect(const std::string& authority, const std::string& through = {}) const {
    return talk(port_, "CONNECT " + authority + " HTTP/1.1\r\n" + credential_ + "\r\n" + through);
  }
  static std::string site(const std::string& path) { return Site::shared().url(path); }
  static std::string home(std::uint16_t port, const std::string& path = "/") {
    return "http://127.0.0.1:" + std::to_string(port) + path;
  }

  /// The gravest incident since the last call.
  std::optional<Incident> incident() const { return ask_door(door_->url()).value(); }
  /// Its trouble and the code that users get: "refused_address URL_PRIVATE_ADDRESS".
  std::string trouble() const {
    const auto found = incident();
    return found ? std::string(to_string(found->trouble)) + " " + std::string(found->error.public_name()) : "none";
  }

  SystemRng rng_;
  std::unique_ptr<Door> door_;
  std::uint16_t port_ = 0;
  std::string credential_;
};

}  // namespace rushes::box
