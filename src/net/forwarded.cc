#include "net/forwarded.h"

#include "base/text.h"
#include "net/authority.h"

#include <algorithm>
#include <charconv>
#include <optional>

namespace rushes::net {
namespace {

namespace ip = boost::asio::ip;

constexpr std::size_t kLongestPrefix = 200;

std::optional<ip::address> read_address(std::string_view text) {
  if (text.find('%') != std::string_view::npos) return std::nullopt;
  boost::system::error_code error;
  const auto address = ip::make_address(std::string(text), error);
  if (error) return std::nullopt;
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return ip::make_address_v4(ip::v4_mapped, address.to_v6());
  }
  return address;
}

/// `192.0.2.7`, `192.0.2.7:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
std::optional<ip::address> read_hop(std::string_view text) {
  const bool bracketed = text.starts_with('[');
  if (!bracketed && std::count(text.begin(), text.end(), ':') != 1) return read_address(text);
  const auto authority = parse_authority(text);
  if (!authority) return std::nullopt;
  const std::string_view host = authority->host;
  return read_address(bracketed ? host.substr(1, host.size() - 2) : host);
}

/// The parts of a comma-separated field, over all its lines.
std::vector<std::string_view> list_of(const Headers& headers, std::string_view name) {
  std::vector<std::string_view> parts;
  for (const auto field : headers) {
    if (!equals_ignore_case(field.name, name)) continue;
    auto rest = field.value;
    for (;;) {
      const auto comma = rest.find(',');
      parts.push_back(trim(rest.substr(0, comma)));
      if (comma == std::string_view::npos) break;
      rest.remove_prefix(comma + 1);
    }
  }
  return parts;
}

struct ForwardedElement {
  std::string node;
  std::string proto;
  std::string host;
};

/// One line of `Forwarded`. One that cannot be read is one element that says nothing.
class ForwardedLine {
 public:
  explicit ForwardedLine(std::string_view text) : rest_(text) {}

  void read(std::vector<ForwardedElement>& elements) {
    std::vector<ForwardedElement> found(1);
    while (ok_ && !rest_.empty()) {
      skip_blanks();
      if (take(',')) {
        found.emplace_back();
      } else if (!take(';')) {
        read_pair(found.back());
      }
    }
    if (!ok_) found = std::vector<ForwardedElement>(1);
    elements.insert(elements.end(), found.begin(), found.end());
  }

 private:
  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  void skip_blanks() {
    while (rest_.starts_with(' ') || rest_.starts_with('\t')) rest_.remove_prefix(1);
  }
  void read_pair(ForwardedElement& element) {
    const auto equals = rest_.find('=');
    const auto name = rest_.substr(0, equals);
    if (equals == std::string_view::npos || name.find_first_of(" \t,;\"") != std::string_view::npos) {
      ok_ = rest_.empty();
      return;
    }
    rest_.remove_prefix(equals + 1);
    auto value = read_value();
    if (equals_ignore_case(name, "for")) element.node = std::move(value);
    if (equals_ignore_case(name, "proto")) element.proto = std::move(value);
    if (equals_ignore_case(name, "host")) element.host = std::move(value);
    skip_blanks();
    ok_ = ok_ && (rest_.empty() || rest_.front() == ',' || rest_.front() == ';');
  }
  std::string read_value() {
    std::string value;
    if (!take('"')) {
      const auto end = std::min(rest_.find_first_of(" \t,;\""), rest_.size());
      value = rest_.substr(0, end);
      rest_.remove_prefix(end);
      return value;
    }
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\') rest_.remove_prefix(1);
      if (rest_.empty()) break;
      value += rest_.front();
      rest_.remove_prefix(1);
    }
    ok_ = take('"');
    return value;
  }

  std::string_view rest_;
  bool ok_ = true;
};

/// A path that is safe to write in front of another: `/a/b`.
bool is_prefix(std::string_view text) {
  const auto is_plain = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("/-._~").find(c) != std::string_view::npos;
  };
  return text.size() > 1 && text.size() <= kLongestPrefix && text.front() == '/' && text.back() != '/' &&
         text.find("//") == std::string_view::npos && text.find("/.") == std::string_view::npos &&
         std::all_of(text.begin(), text.end(), is_plain);
}

void take_scheme(ClientView& view, std::string_view scheme) {
  if (equals_ignore_case(scheme, "https") || equals_ignore_case(scheme, "wss")) view.scheme = "https";
}

void take_host(ClientView& view, std::string_view host) {
  if (parse_authority(host)) view.host = host;
}

}  // namespace

AddressRanges::Bytes AddressRanges::bytes_of(const ip::address& address) {
  if (address.is_v6()) return address.to_v6().to_bytes();
  return ip::make_address_v6(ip::v4_mapped, address.to_v4()).to_bytes();
}

bool AddressRanges::add(std::string_view word, std::vector<Range>& ranges) {
  const auto slash = word.find('/');
  const auto address = read_address(word.substr(0, slash));
  if (!address) return false;
  const unsigned width = address->is_v4() ? 32 : 128;
  unsigned bits = width;
  if (slash != std::string_view::npos) {
    const auto digits = word.substr(slash + 1);
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
    if (failed != std::errc() || end != digits.data() + digits.size() || bits == 0 || bits > width) return false;
  }
  ranges.push_back({bytes_of(*address), bits + (128 - width)});
  return true;
}

Result<AddressRanges> AddressRanges::parse(const std::vector<std::string>& words) {
  AddressRanges all;
  for (const auto& word : words) {
    std::vector<std::string> meant{word};
    if (word == "loopback") meant = {"127.0.0.0/8", "::1"};
    if (word == "private") meant = {"10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"};
    for (const auto& range : meant) {
      if (!add(range, all.ranges_)) return Error(Errc::invalid_argument, word);
    }
  }
  return all;
}

bool AddressRanges::contains(const ip::address& address) const {
  if (ranges_.empty()) return false;
  const auto bytes = bytes_of(address);
  return std::any_of(ranges_.begin(), ranges_.end(), [&](const Range& range) {
    const auto whole = range.bits / 8;
    if (!std::equal(bytes.begin(), bytes.begin() + whole, range.network.begin())) return false;
    const auto left = range.bits % 8;
    return left == 0 || ((bytes[whole] ^ range.network[whole]) >> (8 - left)) == 0;
  });
}

ClientView view_of_client(const AddressRanges& trusted, std::string_view peer, const Headers& headers) {
  ClientView view;
  view.address = peer;
  view.host = headers.get("Host");
  if (trusted.empty()) return view;
  auto client = read_address(peer);
  if (!client || !trusted.contains(*client)) return view;

  auto hops = list_of(headers, "X-Forwarded-For");
  std::vector<ForwardedElement> elements;  // behind `hops`
  if (hops.empty() && headers.has("Forwarded")) {
    for (const auto field : headers) {
      if (equals_ignore_case(field.name, "Forwarded")) ForwardedLine(field.value).read(elements);
    }
    for (const auto& element : elements) hops.push_back(element.node);
    take_scheme(view, elements.back().proto);
    take_host(view, elements.back().host);
  } else {
    const auto schemes = list_of(headers, "X-Forwarded-Proto");
    if (!schemes.empty()) take_scheme(view, schemes.back());
    const auto hosts = list_of(headers, "X-Forwarded-Host");
    if (!hosts.empty()) take_host(view, hosts.back());
  }
  for (auto hop = hops.rbegin(); hop != hops.rend() && trusted.contains(*client); ++hop) {
    const auto address = read_hop(*hop);
    if (!address) break;
    client = address;
  }
  view.address = client->to_string();
  // Each proxy of a chain adds what it has taken off, the outer one first.
  for (auto prefix : list_of(headers, "X-Forwarded-Prefix")) {
    if (prefix.ends_with('/')) prefix.remove_suffix(1);
    if (is_prefix(prefix) && view.prefix.size() + prefix.size() <= kLongestPrefix) view.prefix += prefix;
  }
  return view;
}

bool has_proxy_fields(const Headers& headers) {
  constexpr std::string_view kForwarded = "X-Forwarded-";
  return std::any_of(headers.begin(), headers.end(), [&](const Headers::Field& field) {
    return equals_ignore_case(field.name.substr(0, kForwarded.size()), kForwarded) ||
           equals_ignore_case(field.name, "Forwarded") || equals_ignore_case(field.name, "X-Real-IP") ||
           equals_ignore_case(field.name, "Via");
  });
}

}  // namespace rushes::net
