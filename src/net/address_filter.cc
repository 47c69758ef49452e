#include "net/address_filter.h"

#include "base/text.h"

#include <boost/asio/io_context.hpp>
#include <boost/url/parse.hpp>
#include <boost/url/url.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace rushes::net {
namespace {

namespace asio = boost::asio;
namespace urls = boost::urls;
using asio::ip::address;
using asio::ip::address_v4;
using asio::ip::address_v6;

constexpr std::size_t kMaxUrl = 2'048;

/// What may be done with the addresses of a range.
enum class Verdict : std::uint8_t { open, private_network, never };

struct RangeV4 {
  std::uint32_t network;
  unsigned prefix;
  Verdict verdict;
};

constexpr std::uint32_t v4(std::uint32_t a, std::uint32_t b, std::uint32_t c, std::uint32_t d) {
  return (a << 24U) | (b << 16U) | (c << 8U) | d;
}

// The IANA registry of special-purpose addresses, and the metadata services of clouds. The first match decides.
constexpr std::array kRangesV4{
    RangeV4{v4(100, 100, 100, 200), 32, Verdict::never},  // metadata (Alibaba), inside CGNAT
    RangeV4{v4(192, 0, 0, 192), 32, Verdict::never},      // metadata (Oracle)
    RangeV4{v4(0, 0, 0, 0), 8, Verdict::never},           // this network; 0.0.0.0 reaches localhost on Linux
    RangeV4{v4(10, 0, 0, 0), 8, Verdict::private_network},
    RangeV4{v4(100, 64, 0, 0), 10, Verdict::private_network},  // CGNAT
    RangeV4{v4(127, 0, 0, 0), 8, Verdict::private_network},
    RangeV4{v4(169, 254, 0, 0), 16, Verdict::never},  // link-local, with the metadata of most clouds
    RangeV4{v4(172, 16, 0, 0), 12, Verdict::private_network},
    RangeV4{v4(192, 0, 0, 0), 24, Verdict::never},    // IETF protocol assignments
    RangeV4{v4(192, 0, 2, 0), 24, Verdict::never},    // documentation
    RangeV4{v4(192, 88, 99, 0), 24, Verdict::never},  // 6to4 relays
    RangeV4{v4(192, 168, 0, 0), 16, Verdict::private_network},
    RangeV4{v4(198, 18, 0, 0), 15, Verdict::never},    // benchmarking
    RangeV4{v4(198, 51, 100, 0), 24, Verdict::never},  // documentation
    RangeV4{v4(203, 0, 113, 0), 24, Verdict::never},   // documentation
    RangeV4{v4(224, 0, 0, 0), 4, Verdict::never},      // multicast
    RangeV4{v4(240, 0, 0, 0), 4, Verdict::never},      // reserved, and the broadcast address
};

Verdict verdict_of(const address_v4& address) {
  const auto bits = address.to_uint();
  for (const auto& range : kRangesV4) {
    const auto shift = 32U - range.prefix;
    if ((bits >> shift) == (range.network >> shift)) return range.verdict;
  }
  return Verdict::open;
}

bool starts_with_bits(const address_v6::bytes_type& bytes, std::initializer_list<std::uint8_t> prefix, unsigned bits) {
  auto expected = prefix.begin();
  for (std::size_t i = 0; bits > 0; ++i, ++expected) {
    const unsigned here = std::min(bits, 8U);
    const auto mask = static_cast<std::uint8_t>(0xFFU << (8U - here));
    if ((bytes[i] & mask) != (*expected & mask)) return false;
    bits -= here;
  }
  return true;
}

Verdict verdict_of(const address_v6& address) {
  const auto bytes = address.to_bytes();
  if (address.is_loopback() || starts_with_bits(bytes, {0xFC}, 7) || starts_with_bits(bytes, {0xFE, 0xC0}, 10)) {
    // fd00:ec2::254 and fd20:ce::254 are the metadata services of two clouds.
    const bool metadata =
        starts_with_bits(bytes, {0xFD, 0x00, 0x0E, 0xC2}, 32) || starts_with_bits(bytes, {0xFD, 0x20, 0x00, 0xCE}, 32);
    return metadata ? Verdict::never : Verdict::private_network;
  }
  // All that is assigned to hosts lies in 2000::/3. So mapped and compatible addresses, NAT64 and link-local fall out.
  if (!starts_with_bits(bytes, {0x20}, 3)) return Verdict::never;
  if (starts_with_bits(bytes, {0x20, 0x01, 0x00}, 23)) return Verdict::never;        // Teredo, benchmarking, ORCHID
  if (starts_with_bits(bytes, {0x20, 0x01, 0x0D, 0xB8}, 32)) return Verdict::never;  // documentation
  if (starts_with_bits(bytes, {0x20, 0x02}, 16)) return Verdict::never;              // 6to4
  if (starts_with_bits(bytes, {0x3F, 0xFF, 0x00}, 20)) return Verdict::never;        // documentation
  return Verdict::open;
}

Verdict verdict_of(const address& address) {
  return address.is_v4() ? verdict_of(address.to_v4()) : verdict_of(address.to_v6());
}

Error url_invalid(std::string_view url, std::string_view why) {
  return Error::for_user(Errc::invalid_argument, "URL_INVALID",
                         fmt::format("\"{}\" is not a URL that can be fetched: {}.", shorten(url, 100), why));
}

/// One part of an address as inet_aton reads it: decimal, 0x… or 0….
std::optional<std::uint64_t> number_part(std::string_view part) {
  int base = 10;
  if (part.size() > 1 && part[0] == '0' && (part[1] == 'x' || part[1] == 'X')) {
    part.remove_prefix(2);
    base = 16;
    if (part.empty()) return 0;  // browsers read a bare 0x as zero
  } else if (part.size() > 1 && part[0] == '0') {
    base = 8;
  }
  std::uint64_t value = 0;
  const auto [end, failed] = std::from_chars(part.data(), part.data() + part.size(), value, base);
  if (failed != std::errc() || end != part.data() + part.size()) return std::nullopt;
  return value;
}

std::optional<address_v4> loose_v4(std::string_view host) {
  std::vector<std::uint64_t> parts;
  while (true) {
    const auto dot = host.find('.');
    const auto value = number_part(host.substr(0, dot));
    if (!value || parts.size() == 4) return std::nullopt;
    parts.push_back(*value);
    if (dot == std::string_view::npos) break;
    host.remove_prefix(dot + 1);
  }
  // The last part fills all the bytes that are left.
  const auto last_bits = 8U * (5U - static_cast<unsigned>(parts.size()));
  if (parts.back() >> last_bits != 0) return std::nullopt;
  std::uint64_t bits = parts.back();
  for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
    if (parts[i] > 255) return std::nullopt;
    bits |= parts[i] << (24U - 8U * static_cast<unsigned>(i));
  }
  return address_v4(static_cast<std::uint32_t>(bits));
}

/// Whether the last label makes browsers and C libraries read the host as a number.
bool ends_in_number(std::string_view host) {
  const auto last = host.substr(host.rfind('.') + 1);
  if (last.empty()) return false;
  return std::all_of(last.begin(), last.end(), [](char c) { return c >= '0' && c <= '9'; }) ||
         (last.size() > 1 && last[0] == '0' && (last[1] == 'x' || last[1] == 'X') && number_part(last));
}

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

/// Percent-encodes what people paste into paths and queries and RFC 3986 does not allow there.
std::string tolerant(std::string_view url) {
  const auto scheme = url.find("://");
  const auto path = scheme == std::string_view::npos ? url.size() : url.find_first_of("/?#", scheme + 3);
  std::string out(url.substr(0, path));
  bool fragment = false;
  for (auto i = path; i < url.size(); ++i) {
    const char c = url[i];
    const bool stray_percent = c == '%' && !(i + 2 < url.size() && is_hex(url[i + 1]) && is_hex(url[i + 2]));
    const bool stray_hash = c == '#' && std::exchange(fragment, fragment || c == '#');
    const bool refused =
        static_cast<unsigned char>(c) >= 0x80 || std::string_view(" \"<>\\^`{|}[]").find(c) != std::string_view::npos;
    if (stray_percent || stray_hash || refused) {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out += c;
    }
  }
  return out;
}

bool is_name(std::string_view host) {
  if (host.empty() || host.size() > 253) return false;
  std::size_t label = 0;
  for (const char c : host) {
    const bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    if (c == '.' ? label == 0 : !word || label == 63) return false;
    label = c == '.' ? 0 : label + 1;
  }
  return label > 0;
}

}  // namespace

AddressFilter::AddressFilter(bool allow_private, std::vector<Endpoint> exceptions)
    : allow_private_(allow_private), exceptions_(std::move(exceptions)) {}

Result<void> AddressFilter::check(const address& address, std::uint16_t port) const {
  const auto excepted = [&](const Endpoint& e) {
    return e.address() == address && (e.port() == 0 || e.port() == port);
  };
  if (std::any_of(exceptions_.begin(), exceptions_.end(), excepted)) return {};
  switch (verdict_of(address)) {
    case Verdict::open:
      return {};
    case Verdict::private_network:
      if (allow_private_) return {};
      return Error::for_user(
          Errc::invalid_argument, "URL_PRIVATE_ADDRESS",
          fmt::format("{} is a private address; the operator can allow it with allow_private_addresses.",
                      address.to_string()));
    case Verdict::never:
      break;
  }
  return Error::for_user(Errc::invalid_argument, "URL_PRIVATE_ADDRESS",
                         fmt::format("{} is not a public address; name one that is.", address.to_string()));
}

Result<CheckedUrl> AddressFilter::check_url(std::string_view text) const {
  text = trim(text);
  if (text.empty()) return url_invalid(text, "it is empty");
  if (text.size() > kMaxUrl) return url_invalid(text, fmt::format("it is longer than {} bytes", kMaxUrl));
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; };
  if (std::any_of(text.begin(), text.end(), control)) return url_invalid("…", "it has control characters");
  if (!is_utf8(text)) return url_invalid("…", "it is not UTF-8");

  const auto encoded = tolerant(text);  // `parsed` borrows from it
  const auto parsed = urls::parse_uri(encoded);
  if (!parsed) return url_invalid(text, "it must look like https://example.com/video");
  urls::url url(*parsed);
  url.normalize_scheme();
  if (url.scheme() != "http" && url.scheme() != "https") {
    return Error::for_user(Errc::invalid_argument, "URL_SCHEME",
                           fmt::format("The scheme {} is not supported; use http or https.",
                                       shorten(std::string_view(url.scheme().data(), url.scheme().size()), 40)));
  }
  if (url.has_userinfo()) return url_invalid("…", "it holds a user name or password");

  CheckedUrl checked;
  checked.https = url.scheme() == "https";
  checked.port = checked.https ? 443 : 80;
  if (url.has_port() && !url.port().empty()) {
    // Boost 1.81 takes 99999 for the number that is left of it in 16 bits.
    const std::string_view digits(url.port().data(), url.port().size());
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), checked.port);
    if (failed != std::errc() || end != digits.data() + digits.size() || checked.port == 0) {
      return url_invalid(text, "its port is not between 1 and 65535");
    }
  }

  // Boost 1.81 takes "1.2.3.4.evil.example" for the address 1.2.3.4 with a path; others would connect to the name.
  const std::string_view path(url.encoded_path().data(), url.encoded_path().size());
  if (!path.empty() && path.front() != '/') return url_invalid(text, "its host or port cannot be read");

  checked.host = to_lower_ascii(url.host_name());
  if (url.host_type() == urls::host_type::ipv6) {
    boost::system::error_code failed;
    checked.literal = asio::ip::make_address_v6(std::string(url.host_address()), failed);
    if (failed) return url_invalid(text, "its address cannot be read");
  } else {
    if (url.host_type() != urls::host_type::name && url.host_type() != urls::host_type::ipv4) {
      return url_invalid(text, "it names no host");
    }
    if (url.host_type() == urls::host_type::ipv4) checked.host = std::string(url.host_address());
    if (checked.host.ends_with('.')) checked.host.pop_back();
    if (!is_name(checked.host))
      return url_invalid(text, "its host is not a name or an address (names outside ASCII: write xn--…)");
    checked.literal = literal_address(checked.host);
    if (!checked.literal && ends_in_number(checked.host)) return url_invalid(text, "its address cannot be read");
  }

  if (checked.literal) {
    if (const auto open = check(*checked.literal, checked.port); !open) return open.error();
    checked.host = checked.literal->to_string();
  } else if (checked.host == "localhost" || checked.host.ends_with(".localhost")) {
    if (const auto open = check(address_v4::loopback(), checked.port); !open) return open.error();
  }
  if (checked.literal && checked.literal->is_v6()) {
    url.set_host_address(checked.host);
  } else {
    url.set_host(checked.host);
  }
  url.remove_fragment();
  checked.url = std::string(url.buffer().data(), url.buffer().size());
  return checked;
}

Result<std::vector<AddressFilter::Endpoint>> AddressFilter::allowed_of(std::string_view host,
                                                                       std::vector<Endpoint> resolved) const {
  if (resolved.empty()) {
    return Error::for_user(Errc::invalid_argument, "URL_UNRESOLVED",
                           fmt::format("The host {} has no address; check its spelling.", shorten(host, 100)));
  }
  std::optional<Error> refused;
  std::erase_if(resolved, [&](const Endpoint& endpoint) {
    const auto open = check(endpoint.address(), endpoint.port());
    if (!open) refused = open.error();
    return !open;
  });
  if (resolved.empty()) return *refused;
  return resolved;
}

Result<std::vector<AddressFilter::Endpoint>> AddressFilter::resolve_and_check(const std::string& host,
                                                                              std::uint16_t port) const {
  if (const auto literal = literal_address(host)) return allowed_of(host, {Endpoint(*literal, port)});
  asio::io_context context(1);
  asio::ip::tcp::resolver resolver(context);
  boost::system::error_code failed;
  const auto found = resolver.resolve(host, std::to_string(port), asio::ip::tcp::resolver::numeric_service, failed);
  std::vector<Endpoint> endpoints;
  for (const auto& entry : found) endpoints.push_back(entry.endpoint());
  return allowed_of(host, std::move(endpoints));
}

std::optional<address> literal_address(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  if (host.ends_with('.')) host.remove_suffix(1);
  if (host.find(':') != std::string_view::npos) {
    boost::system::error_code failed;
    const auto v6 = asio::ip::make_address_v6(std::string(host), failed);
    if (!failed) return v6;
    return std::nullopt;
  }
  if (const auto v4 = loose_v4(host)) return *v4;
  return std::nullopt;
}

Result<AddressFilter::Endpoint> parse_endpoint(std::string_view text) {
  const Error wrong(Errc::invalid_argument,
                    fmt::format("\"{}\" is not an address with a port, such as 192.0.2.1:8080", text));
  auto host = text;
  unsigned port = 0;
  const auto colon = text.rfind(':');
  const bool bracketed = text.starts_with('[');
  const bool has_port =
      colon != std::string_view::npos && (bracketed ? colon > 0 && text[colon - 1] == ']' : text.find(':') == colon);
  if (has_port) {
    host = text.substr(0, colon);
    const auto digits = text.substr(colon + 1);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (failed != std::errc() || end != digits.data() + digits.size() || port == 0 || port > 65'535) return wrong;
  }
  const auto address = literal_address(host);
  if (!address) return wrong;
  return AddressFilter::Endpoint(*address, static_cast<std::uint16_t>(port));
}

}  // namespace rushes::net
