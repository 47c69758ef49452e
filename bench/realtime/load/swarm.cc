#include "swarm.h"

#include "base/text.h"
#include "process.h"

#include <openssl/hmac.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace rushes::bench {
namespace {

enum class State : std::uint8_t { idle, connecting, upgrading, opening, joining, ready, dead };

constexpr std::size_t kReadSize = 64UL << 10U;
constexpr std::uint32_t kFirstSource = 0x7F000101;  // 127.0.1.1
constexpr std::uint32_t kSources = 8;

std::string signed_token(const std::string& secret, const std::string& subject) {
  const auto now = std::time(nullptr);
  const auto text = base64url_encode(R"({"alg":"HS256","typ":"JWT"})") + "." +
                    base64url_encode(R"({"sub":")" + subject + R"(","iat":)" + std::to_string(now) + R"(,"exp":)" +
                                     std::to_string(now + 86400) + "}");
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac{};
  unsigned size = 0;
  ::HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
  return text + "." + base64url_encode({reinterpret_cast<const char*>(mac.data()), size});
}

[[noreturn]] void fail_system(const char* what) { throw std::system_error(errno, std::generic_category(), what); }

sockaddr_in address_of(std::uint32_t host, std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(host);
  return address;
}

}  // namespace

struct Swarm::Client {
  int fd = -1;
  State state = State::idle;
  std::uint32_t user = 0;
  std::uint64_t begun = 0;
  std::uint64_t events = 0;
  std::unique_ptr<std::string> rest;  // of a frame or a header that has not come whole
};

Swarm::Swarm(SwarmOptions options)
    : options_(std::move(options)),
      upgrade_(
          "GET /socket.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: 127.0.0.1:" + std::to_string(options_.port) +
          "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
          "Sec-WebSocket-Version: 13\r\n\r\n"),
      event_start_("42" + options_.nsp + ",[\"" + options_.event + '"'),
      clients_(options_.sockets),
      epoll_(::epoll_create1(EPOLL_CLOEXEC)),
      buffer_(kReadSize) {
  if (epoll_ < 0) fail_system("epoll");
  const auto users = options_.users == 0 ? options_.sockets : options_.users;
  for (std::size_t i = 0; i < users; ++i) tokens_.push_back(signed_token(options_.secret, "u" + std::to_string(i)));
  for (std::size_t i = 0; i < clients_.size(); ++i) clients_[i].user = static_cast<std::uint32_t>(i % users);
}

Swarm::~Swarm() {
  cut_all();
  ::close(epoll_);
}

double Swarm::connect_all() {
  handshakes_ = Histogram();
  const auto begin = monotonic_ns();
  const auto limit = begin + static_cast<std::uint64_t>(options_.timeout_s * 1e9);
  std::size_t next = 0;
  while ((next < clients_.size() || under_way_ > 0) && monotonic_ns() < limit) {
    while (next < clients_.size() && under_way_ < options_.in_flight) start(next++);
    poll(100);
  }
  return static_cast<double>(monotonic_ns() - begin) / 1e9;
}

void Swarm::cut_all() {
  for (auto& client : clients_) {
    if (client.fd >= 0) {
      const linger at_once{1, 0};
      ::setsockopt(client.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      ::close(client.fd);
    }
    client.fd = -1;
    client.state = State::idle;
    client.rest.reset();
  }
  ready_ = 0;
  under_way_ = 0;
}

void Swarm::run_for(double seconds) {
  const auto end = monotonic_ns() + static_cast<std::uint64_t>(seconds * 1e9);
  for (auto now = monotonic_ns(); now < end; now = monotonic_ns()) {
    poll(static_cast<int>(std::min<std::uint64_t>(50, (end - now) / 1'000'000 + 1)));
  }
}

void Swarm::drain(double most_s) {
  const auto end = monotonic_ns() + static_cast<std::uint64_t>(most_s * 1e9);
  auto last = total_events_;
  auto since = monotonic_ns();
  while (monotonic_ns() < end && monotonic_ns() - since < 300'000'000U) {
    poll(20);
    if (std::exchange(last, total_events_) != total_events_) since = monotonic_ns();
  }
}

Window Swarm::close_window() {
  auto window = std::move(*window_);
  window_.reset();
  return window;
}

std::vector<std::uint64_t> Swarm::events_by_socket() const {
  std::vector<std::uint64_t> all;
  for (const auto& client : clients_) all.push_back(client.events);
  return all;
}

void Swarm::start(std::size_t index) {
  auto& client = clients_[index];
  client.begun = monotonic_ns();
  client.fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (client.fd < 0) fail_system("socket");
  const int one = 1;
  ::setsockopt(client.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::setsockopt(client.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
  const auto from = address_of(kFirstSource + static_cast<std::uint32_t>(index) % kSources, 0);
  if (::bind(client.fd, reinterpret_cast<const sockaddr*>(&from), sizeof from) != 0) fail_system("bind");
  client.state = State::connecting;
  ++under_way_;
  const auto to = address_of(INADDR_LOOPBACK, options_.port);
  if (::connect(client.fd, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0 && errno != EINPROGRESS) {
    return fail(client, std::strerror(errno));
  }
  epoll_event interest{};
  interest.events = send_upgrade(client) ? EPOLLIN : EPOLLIN | EPOLLOUT;
  interest.data.u64 = index;
  ::epoll_ctl(epoll_, EPOLL_CTL_ADD, client.fd, &interest);
}

bool Swarm::send_upgrade(Client& client) {
  if (::send(client.fd, upgrade_.data(), upgrade_.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(upgrade_.size())) {
    return false;
  }
  client.state = State::upgrading;
  return true;
}

void Swarm::fail(Client& client, std::string_view why) {
  if (client.state == State::ready) {
    ++lost_;
    --ready_;
  } else if (client.state != State::idle && client.state != State::dead) {
    --under_way_;
  }
  if (first_error_.empty()) first_error_ = why;
  client.state = State::dead;
  ::close(client.fd);
  client.fd = -1;
  client.rest.reset();
}

void Swarm::poll(int milliseconds) {
  std::array<epoll_event, 1024> events{};
  const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), milliseconds);
  for (int i = 0; i < count; ++i) {
    const auto& event = events[static_cast<std::size_t>(i)];
    on_ready_fd(event.data.u64, event.events);
  }
}

void Swarm::on_ready_fd(std::size_t index, std::uint32_t events) {
  auto& client = clients_[index];
  if (client.fd < 0) return;
  if (client.state != State::connecting) return on_readable(client);
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(client.fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0 || (events & EPOLLOUT) == 0) return fail(client, std::strerror(error));
  if (!send_upgrade(client)) return fail(client, std::strerror(errno));
  epoll_event interest{};
  interest.events = EPOLLIN;
  interest.data.u64 = index;
  ::epoll_ctl(epoll_, EPOLL_CTL_MOD, client.fd, &interest);
}

void Swarm::on_readable(Client& client) {
  while (client.fd >= 0) {
    std::size_t held = 0;
    if (const auto rest = std::exchange(client.rest, nullptr)) {
      held = rest->size();
      if (buffer_.size() < held + kReadSize) buffer_.resize(held + kReadSize);
      std::memcpy(buffer_.data(), rest->data(), held);
    }
    const auto got = ::recv(client.fd, buffer_.data() + held, kReadSize, 0);
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      if (held > 0) client.rest = std::make_unique<std::string>(buffer_.data(), held);
      return;
    }
    if (got <= 0) return fail(client, got == 0 ? "closed by the server" : std::strerror(errno));
    if (window_) ++window_->reads;
    received_at_ = 0;
    const std::string_view bytes(buffer_.data(), held + static_cast<std::size_t>(got));
    const auto used = parse(client, bytes);
    if (client.fd < 0) return;
    if (used < bytes.size()) client.rest = std::make_unique<std::string>(bytes.substr(used));
    if (static_cast<std::size_t>(got) < kReadSize) return;  // what else there is shows again
  }
}

/// Takes whole frames; returns the bytes that they had.
std::size_t Swarm::parse(Client& client, std::string_view bytes) {
  std::size_t used = 0;
  if (client.state == State::upgrading) {
    const auto end = bytes.find("\r\n\r\n");
    if (end == std::string_view::npos) return 0;
    if (!bytes.starts_with("HTTP/1.1 101")) {
      fail(client, bytes.substr(0, 80));
      return bytes.size();
    }
    used = end + 4;
    client.state = State::opening;
  }
  while (client.fd >= 0 && bytes.size() - used >= 2) {
    const auto* frame = reinterpret_cast<const unsigned char*>(bytes.data()) + used;
    const auto available = bytes.size() - used;
    std::size_t header = 2;
    std::uint64_t length = frame[1] & 127U;
    if (length >= 126) {
      header = length == 126 ? 4 : 10;
      if (available < header) break;
      length = 0;
      for (std::size_t i = 2; i < header; ++i) length = length << 8U | frame[i];
    }
    if (available - header < length || available < header) break;
    const auto payload = bytes.substr(used + header, length);
    used += header + length;
    switch (frame[0]) {
      case 0x81:
        on_message(client, payload);
        break;
      case 0x89:
        send_frame(client, 10, payload);
        break;
      case 0x88:
        fail(client, "closed by the server's WebSocket");
        break;
      default:
        fail(client, "a frame that is neither text, ping nor close");
    }
  }
  return used;
}

void Swarm::on_message(Client& client, std::string_view message) {
  if (message.starts_with("42")) return on_event(client, message);
  if (message == "2") return send_frame(client, 1, "3");
  if (message.starts_with("0{") && client.state == State::opening) {
    client.state = State::joining;
    return send_frame(client, 1, "40" + options_.nsp + R"(,{"token":")" + tokens_[client.user] + R"("})");
  }
  if (message.starts_with("40") && client.state == State::joining) {
    client.state = State::ready;
    ++ready_;
    --under_way_;
    return handshakes_.add(monotonic_ns() - client.begun);
  }
  fail(client, message);
}

void Swarm::on_event(Client& client, std::string_view message) {
  if (!message.starts_with(event_start_)) return;
  ++client.events;
  ++total_events_;
  if (!window_) return;
  ++window_->events;
  window_->bytes += message.size();
  static constexpr std::string_view kField = R"("sentAt":)";
  auto at = message.rfind(kField);  // it is the last
  if (at == std::string_view::npos) return;
  std::uint64_t sent = 0;
  for (at += kField.size(); at < message.size(); ++at) {
    const char digit = message[at];
    if (digit >= '0' && digit <= '9') sent = sent * 10 + static_cast<std::uint64_t>(digit - '0');
  }
  if (received_at_ == 0) received_at_ = monotonic_ns();
  window_->latency.add(received_at_ > sent ? received_at_ - sent : 0);
}

/// Masked as the RFC demands, with a key of zeros: the payload stays as it is.
void Swarm::send_frame(Client& client, std::uint8_t opcode, std::string_view payload) {
  std::string frame(1, static_cast<char>(0x80U | opcode));
  if (payload.size() < 126) {
    frame += static_cast<char>(0x80U | payload.size());
  } else {
    frame += {static_cast<char>(0xFE), static_cast<char>(payload.size() >> 8U), static_cast<char>(payload.size())};
  }
  frame.append(4, '\0');
  frame += payload;
  if (::send(client.fd, frame.data(), frame.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(frame.size())) {
    fail(client, "the server does not read");
  }
}

}  // namespace rushes::bench
