#include "auth/client.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstdint>

namespace rushes::auth {
namespace {

constexpr std::size_t kV4Bytes = 4;
constexpr std::size_t kMappedAt = 12;  // ::ffff:0:0/96, then the IPv4 address

std::string v4_network(const std::uint8_t* address) {
  return std::to_string(address[0]) + "." + std::to_string(address[1]) + "." + std::to_string(address[2]) + ".0/24";
}

bool is_mapped(const std::array<std::uint8_t, 16>& address) {
  constexpr std::array<std::uint8_t, kMappedAt> kPrefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::equal(kPrefix.begin(), kPrefix.end(), address.begin());
}

}  // namespace

std::string network_of(std::string_view address) {
  const std::string text(address.substr(0, address.find('%')));
  std::array<std::uint8_t, kV4Bytes> four{};
  if (::inet_pton(AF_INET, text.c_str(), four.data()) == 1) return v4_network(four.data());
  std::array<std::uint8_t, 16> six{};
  if (::inet_pton(AF_INET6, text.c_str(), six.data()) != 1) return {};
  if (is_mapped(six)) return v4_network(six.data() + kMappedAt);
  std::fill(six.begin() + 6, six.end(), std::uint8_t{0});
  std::array<char, INET6_ADDRSTRLEN> written{};
  if (::inet_ntop(AF_INET6, six.data(), written.data(), written.size()) == nullptr) return {};
  return std::string(written.data()) + "/48";
}

std::string_view browser_of(std::string_view user_agent) noexcept {
  struct Family {
    std::string_view mark;
    std::string_view name;
  };
  // In this order: each later browser also names the earlier ones that it is like.
  constexpr std::array<Family, 10> kFamilies{{{"Edg", "Edge"},
                                              {"OPR/", "Opera"},
                                              {"Firefox/", "Firefox"},
                                              {"FxiOS/", "Firefox"},
                                              {"Chrome/", "Chrome"},
                                              {"Chromium/", "Chrome"},
                                              {"CriOS/", "Chrome"},
                                              {"Safari/", "Safari"},
                                              {"curl/", "curl"},
                                              {"rushes-cli", "rushes"}}};
  for (const auto& [mark, name] : kFamilies) {
    if (user_agent.find(mark) != std::string_view::npos) return name;
  }
  return "another program";
}

}  // namespace rushes::auth
