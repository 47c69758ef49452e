#include "source/filtering_proxy.h"

#include "async/task.h"
#include "base/text.h"
#include "source/detail/proxy_request.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>
#include <utility>
#include <vector>

namespace rushes::source {
namespace {

using asio::ip::tcp;
using Steady = std::chrono::steady_clock;
using net::AddressFilter;

constexpr std::size_t kMaxHead = 32U << 10U;
constexpr auto kQuiet = asio::as_tuple(asio::use_awaitable);  // errors as values

std::string answer(std::string_view status, std::string_view body, std::string_view more = {}) {
  return fmt::format("HTTP/1.1 {}\r\nContent-Type: text/plain\r\nContent-Length: {}\r\nConnection: close\r\n{}\r\n{}",
                     status, body.size(), more, body);
}

bool equal_in_constant_time(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned differences = 0;
  for (std::size_t i = 0; i < a.size(); ++i) differences |= static_cast<unsigned char>(a[i] ^ b[i]);
  return differences == 0;
}

class Proxy final : public FilteringProxy {
 public:
  Proxy(AddressFilter filter, Limits limits, Rng& rng)
      : filter_(std::move(filter)), limits_(limits), password_(rng.token(24)), max_bytes_(limits.max_bytes) {
    // 7 + 32 bytes: a multiple of three, so base64 needs no padding and differs from ours in two letters only.
    credential_ = "Basic " + base64url_encode("rushes:" + password_);
    std::replace(credential_.begin(), credential_.end(), '-', '+');
    std::replace(credential_.begin(), credential_.end(), '_', '/');
  }

  ~Proxy() override {
    context_.stop();
    if (thread_.joinable()) thread_.join();
    stopping_ = true;
  }

  Result<void> listen() {
    boost::system::error_code failed;
    const tcp::endpoint here(asio::ip::address_v4::loopback(), 0);
    acceptor_.open(here.protocol(), failed);
    if (!failed) acceptor_.bind(here, failed);
    if (!failed) acceptor_.listen(asio::socket_base::max_listen_connections, failed);
    if (failed) return Error(Errc::unavailable, "filtering proxy: cannot listen: " + failed.message());
    port_ = acceptor_.local_endpoint().port();
    spawn_detached(context_.get_executor(), "proxy", accept());
    spawn_detached(context_.get_executor(), "proxy", sweep());
    thread_ = std::thread([this] { context_.run(); });
    return {};
  }

  std::string url() const override { return fmt::format("http://rushes:{}@127.0.0.1:{}", password_, port_); }
  std::uint16_t port() const override { return port_; }

  void begin(std::uint64_t max_bytes) override {
    const std::lock_guard lock(mutex_);
    ++account_;  // connections of an earlier child end at their next byte
    max_bytes_ = max_bytes;
    received_ = 0;
    incident_.reset();
  }

  std::optional<Incident> incident() const override {
    const std::lock_guard lock(mutex_);
    return incident_;
  }

  std::uint64_t received() const override {
    const std::lock_guard lock(mutex_);
    return received_;
  }

 private:
  /// One client's connection and the one that was made for it.
  struct Connection {
    Connection(Proxy& proxy, tcp::socket socket)
        : owner(proxy), client(std::move(socket)), remote(client.get_executor()) {
      owner.connections_.insert(this);
    }
    ~Connection() {
      owner.connections_.erase(this);
      if (!owner.stopping_) owner.slot_free_.cancel();
    }
    void close() {
      boost::system::error_code ignored;
      client.close(ignored);
      remote.close(ignored);
    }
    void touch() { active = Steady::now(); }

    Proxy& owner;
    tcp::socket client;
    tcp::socket remote;
    Steady::time_point active = Steady::now();
    std::uint64_t account = owner.current_account();
  };
  // Two directions share a connection; the last one destroys it.
  using Shared = std::shared_ptr<Connection>;

  std::uint64_t current_account() const {
    const std::lock_guard lock(mutex_);
    return account_;
  }

  Task<> accept() {
    while (true) {
      while (connections_.size() >= limits_.connections) co_await slot_free_.async_wait(kQuiet);
      auto [failed, socket] = co_await acceptor_.async_accept(kQuiet);
      if (failed == asio::error::operation_aborted) co_return;
      if (failed) {
        co_await sleep_for(std::chrono::milliseconds(50));  // out of descriptors: do not spin
        continue;
      }
      auto connection = std::make_shared<Connection>(*this, std::move(socket));
      spawn_detached(context_.get_executor(), "proxy", serve(std::move(connection)));
    }
  }

  /// Closes what has been silent for too long; its pending operation then ends with an error.
  Task<> sweep() {
    const auto step = std::clamp<std::chrono::milliseconds>(limits_.idle / 4, std::chrono::milliseconds(10),
                                                            std::chrono::milliseconds(1'000));
    while (true) {
      co_await sleep_for(step);
      const auto oldest = Steady::now() - limits_.idle;
      for (auto* connection : connections_) {
        if (connection->active < oldest) connection->close();
      }
    }
  }

  Task<> serve(Shared connection) {
    std::string head;
    auto buffer = asio::dynamic_buffer(head, kMaxHead);
    const auto [failed, length] = co_await asio::async_read_until(connection->client, buffer, "\r\n\r\n", kQuiet);
    if (failed) co_return;
    connection->touch();
    std::string early = head.substr(length);  // of the body, or of what goes through the tunnel
    head.resize(length);

    const auto request = detail::read_proxy_request(head);
    if (!request) {
      co_await reject(connection, answer("400 Bad Request", request.error().what()));
      co_return;
    }
    if (!equal_in_constant_time(request->authorization, credential_)) {
      co_await reject(connection, answer("407 Proxy Authentication Required", "",
                                         "Proxy-Authenticate: Basic realm=\"rushes\"\r\n"));
      co_return;
    }
    auto rejection = co_await reach(connection, request->host, request->port);
    if (!rejection.empty()) {
      co_await reject(connection, std::move(rejection));
      co_return;
    }

    auto& first_to = request->tunnel ? connection->client : connection->remote;
    std::string first = request->tunnel ? "HTTP/1.1 200 Connection established\r\n\r\n" : request->forward_head;
    bool sent = co_await send(connection, first_to, std::move(first));
    if (!sent) co_return;
    // Of a plain request only its own body passes: what follows might be for another host.
    auto allowance = request->tunnel ? UINT64_MAX : request->body_length;
    if (early.size() > allowance) co_return;
    allowance -= early.size();
    if (!early.empty()) {
      sent = co_await send(connection, connection->remote, std::move(early));
      if (!sent) co_return;
    }
    spawn_detached(context_.get_executor(), "proxy", upstream(connection, allowance));
    co_await downstream(connection);
  }

  Task<bool> send(Shared connection, tcp::socket& to, std::string bytes) {
    const auto [failed, written] = co_await asio::async_write(to, asio::buffer(bytes), kQuiet);
    connection->touch();
    co_return !failed;
  }

  Task<> reject(Shared connection, std::string text) {
    const bool sent = co_await send(connection, connection->client, std::move(text));
    if (!sent) co_return;
    boost::system::error_code ignored;
    connection->client.shutdown(tcp::socket::shutdown_send, ignored);
  }

  /// Connects `remote` to an address that passed the filter. Empty, or the answer that says why not.
  Task<std::string> reach(Shared connection, std::string host, std::uint16_t port) {
    if (exhausted()) co_return answer("403 Forbidden", "the limit of bytes is used up");
    std::vector<tcp::endpoint> resolved;
    if (const auto literal = net::literal_address(host)) {
      resolved.emplace_back(*literal, port);
    } else {
      tcp::resolver resolver(context_);
      const auto [failed, found] =
          co_await resolver.async_resolve(host, std::to_string(port), tcp::resolver::numeric_service, kQuiet);
      for (const auto& entry : found) resolved.push_back(entry.endpoint());
    }
    connection->touch();
    const auto allowed = filter_.allowed_of(host, std::move(resolved));
    if (!allowed) {
      const bool refused = allowed.error().public_name() == "URL_PRIVATE_ADDRESS";
      report({refused ? Trouble::refused_address : Trouble::unresolved, host, allowed.error()});
      co_return answer(refused ? "403 Forbidden" : "502 Bad Gateway", allowed.error().what());
    }
    const auto [failed, endpoint] = co_await asio::async_connect(connection->remote, *allowed, kQuiet);
    connection->touch();
    if (failed) {
      auto words =
          fmt::format("The host {} accepts no connection on port {}; check the URL.", shorten(host, 100), port);
      report({Trouble::unreachable, host, Error::for_user(Errc::not_found, "URL_DEAD", words)});
      co_return answer("502 Bad Gateway", words);
    }
    co_return std::string();
  }

  Task<> downstream(Shared connection) {
    std::vector<char> piece(64U << 10U);
    while (true) {
      const auto [failed, count] = co_await connection->remote.async_read_some(asio::buffer(piece), kQuiet);
      if (failed || !counted(*connection, count)) break;
      connection->touch();
      const auto [broken, written] =
          co_await asio::async_write(connection->client, asio::buffer(piece.data(), count), kQuiet);
      if (broken) break;
      connection->touch();
    }
    connection->close();
  }

  Task<> upstream(Shared connection, std::uint64_t allowance) {
    std::array<char, 16U << 10U> piece;
    while (true) {
      const auto [failed, count] = co_await connection->client.async_read_some(asio::buffer(piece), kQuiet);
      if (failed || count > allowance) break;
      connection->touch();
      allowance -= count;
      const auto [broken, written] =
          co_await asio::async_write(connection->remote, asio::buffer(piece.data(), count), kQuiet);
      if (broken) break;
    }
    connection->close();
  }

  bool exhausted() const {
    const std::lock_guard lock(mutex_);
    return max_bytes_ != 0 && received_ >= max_bytes_;
  }

  bool counted(const Connection& connection, std::size_t count) {
    {
      const std::lock_guard lock(mutex_);
      if (connection.account != account_) return false;
      received_ += count;
      if (max_bytes_ == 0 || received_ <= max_bytes_) return true;
    }
    report({Trouble::too_many_bytes, "",
            Error::for_user(
                Errc::too_large, "VIDEO_TOO_LARGE",
                fmt::format("The download is larger than {}; choose a shorter video.", to_human_size(max_bytes_)))});
    return false;
  }

  void report(Incident incident) {
    const auto rank = [](Trouble trouble) {
      return trouble == Trouble::too_many_bytes ? 2 : trouble == Trouble::refused_address ? 1 : 0;
    };
    const std::lock_guard lock(mutex_);
    if (!incident_ || rank(incident.trouble) >= rank(incident_->trouble)) incident_ = std::move(incident);
  }

  // Immutable once it listens.
  const AddressFilter filter_;
  const Limits limits_;
  const std::string password_;
  std::string credential_;
  std::uint16_t port_ = 0;

  mutable std::mutex mutex_;  // for the four below
  std::uint64_t account_ = 0;
  std::uint64_t max_bytes_;
  std::uint64_t received_ = 0;
  std::optional<Incident> incident_;

  // On the loop's thread only. The loop is destroyed first but for what runs on it: its frames hold Connections.
  std::set<Connection*> connections_;
  bool stopping_ = false;  // the frames outlive the timer
  asio::io_context context_{1};
  tcp::acceptor acceptor_{context_};
  asio::steady_timer slot_free_{context_, Steady::time_point::max()};  // never fires; cancelled when one ends
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<FilteringProxy>> FilteringProxy::start(AddressFilter filter, Limits limits, Rng& rng) {
  auto proxy = std::make_unique<Proxy>(std::move(filter), limits, rng);
  if (const auto listening = proxy->listen(); !listening) return listening.error();
  return std::unique_ptr<FilteringProxy>(std::move(proxy));
}

}  // namespace rushes::source
