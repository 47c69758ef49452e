#include "box/door_report.h"

#include "base/file.h"
#include "base/json.h"
#include "base/text.h"

#include <fmt/format.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>

namespace rushes::box {
namespace {

using Steady = std::chrono::steady_clock;
constexpr std::chrono::milliseconds kPatience{2'000};
constexpr std::size_t kMaxAnswer = 16U << 10U;

struct Row {
  Trouble trouble;
  std::string_view name;
  Errc code;
};
constexpr std::array kRows{
    Row{Trouble::unresolved, "unresolved", Errc::invalid_argument},
    Row{Trouble::unreachable, "unreachable", Errc::not_found},
    Row{Trouble::packed_answer, "packed_answer", Errc::unsupported},
    Row{Trouble::refused_address, "refused_address", Errc::invalid_argument},
    Row{Trouble::too_late, "too_late", Errc::too_large},
    Row{Trouble::too_many_bytes, "too_many_bytes", Errc::too_large},
};

struct Address {
  std::string credential;
  std::uint16_t port = 0;
};

/// Of "http://rushes:PASSWORD@127.0.0.1:PORT".
std::optional<Address> read_door_url(std::string_view url) {
  constexpr std::string_view kScheme = "http://";
  constexpr std::string_view kHost = "@127.0.0.1:";
  const auto at = url.find(kHost);
  if (!url.starts_with(kScheme) || at == std::string_view::npos) return std::nullopt;
  const auto user = url.substr(kScheme.size(), at - kScheme.size());
  const auto port = url.substr(at + kHost.size());
  const auto plain = [](char c) { return c > ' ' && c < 0x7F; };
  Address address;
  const auto [end, failed] = std::from_chars(port.data(), port.data() + port.size(), address.port);
  if (failed != std::errc() || end != port.data() + port.size() || address.port == 0 || user.empty() ||
      !std::all_of(user.begin(), user.end(), plain)) {
    return std::nullopt;
  }
  address.credential = base64url_encode(user);
  std::replace(address.credential.begin(), address.credential.end(), '-', '+');
  std::replace(address.credential.begin(), address.credential.end(), '_', '/');
  while (address.credential.size() % 4 != 0) address.credential += '=';
  return address;
}

/// All that the door says until it closes.
std::optional<std::string> converse(std::uint16_t port, std::string_view request) {
  const FileDescriptor connection(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  // Of each call alone; the loop below bounds them all.
  timeval patience{};
  patience.tv_sec = std::chrono::duration_cast<std::chrono::seconds>(kPatience).count();
  ::setsockopt(connection.get(), SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
  ::setsockopt(connection.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const auto deadline = Steady::now() + kPatience;
  if (::connect(connection.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::send(connection.get(), request.data(), request.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request.size())) {
    return std::nullopt;
  }
  std::string told;
  std::array<char, 4'096> piece;
  while (told.size() <= kMaxAnswer && Steady::now() < deadline) {
    const auto count = ::recv(connection.get(), piece.data(), piece.size(), 0);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return std::nullopt;
    if (count == 0) return told;
    told.append(piece.data(), static_cast<std::size_t>(count));
  }
  return std::nullopt;
}

Result<std::optional<Incident>> read_report(std::string_view body) {
  const Error malformed(Errc::malformed, "the door's report cannot be read");
  const auto parsed = parse_json(body, 4);
  if (!parsed || !parsed->is_object()) return malformed;
  const auto& told = parsed->get_object();
  const auto trouble = string_member(told, "trouble");
  if (!trouble) return std::optional<Incident>();
  const auto* row = std::find_if(kRows.begin(), kRows.end(), [&](const Row& one) { return one.name == *trouble; });
  auto code = string_member(told, "code");
  auto message = string_member(told, "message");
  if (row == kRows.end() || !code || code->empty() || !message) return malformed;
  return std::optional(Incident{row->trouble, string_member(told, "host").value_or(""),
                                Error::for_user(row->code, std::move(*code), std::move(*message))});
}

}  // namespace

Result<std::optional<Incident>> ask_door(const std::string& door_url) {
  const auto door = read_door_url(door_url);
  if (!door) return Error(Errc::invalid_argument, "not the URL of a door");
  const auto told = converse(
      door->port,
      fmt::format("GET /incident HTTP/1.1\r\nHost: door\r\nProxy-Authorization: Basic {}\r\n\r\n", door->credential));
  if (!told) return Error(Errc::unavailable, "the door does not answer");
  const auto body = told->find("\r\n\r\n");
  if (!told->starts_with("HTTP/1.1 200 ") || body == std::string::npos) {
    return Error(Errc::unavailable, "the door refuses to report: " + shorten(told->substr(0, told->find('\r')), 60));
  }
  return read_report(std::string_view(*told).substr(body + 4));
}

std::string_view to_string(Trouble trouble) noexcept { return kRows[static_cast<std::size_t>(trouble)].name; }

}  // namespace rushes::box
