#include "box/door.h"

#include "async/task.h"
#include "base/json.h"
#include "base/json_writer.h"
#include "base/text.h"
#include "box/detail/answer_head.h"
#include "box/detail/bad_ports.h"
#include "box/detail/door_request.h"
#include "box/detail/lookup.h"
#include "box/detail/quiet_thread.h"
#include "box/door_report.h"
#include "box/listener.h"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <set>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

namespace rushes::box {
namespace {

using asio::ip::tcp;
using Steady = std::chrono::steady_clock;
using net::AddressFilter;

constexpr std::size_t kMaxHead = 32U << 10U;
constexpr std::size_t kMaxAnswerHead = 64U << 10U;
constexpr int kMaxAnswerHeads = 8;                            // the last, and the interim ones before it
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

class LoopDoor final : public Door {
 public:
  LoopDoor(DoorPolicy policy, Rng& rng) : policy_(std::move(policy)), password_(rng.token(24)) {
    // 7 + 32 bytes: a multiple of three, so base64 needs no padding and differs from ours in two letters only.
    credential_ = "Basic " + base64url_encode("rushes:" + password_);
    std::replace(credential_.begin(), credential_.end(), '-', '+');
    std::replace(credential_.begin(), credential_.end(), '_', '/');
  }

  ~LoopDoor() override {
    // The loop's thread is at most in the middle of one handler, none of which blocks.
    context_.stop();
    if (thread_.joinable()) thread_.join();
    stopping_ = true;
  }

  Result<void> start(FileDescriptor listener) {
    boost::system::error_code failed;
    acceptor_.assign(tcp::v4(), listener.get(), failed);
    if (failed) return Error(Errc::unavailable, "door: cannot take the listener: " + failed.message());
    listener.release();
    port_ = acceptor_.local_endpoint(failed).port();
    spawn_detached(context_.get_executor(), "door", accept());
    spawn_detached(context_.get_executor(), "door", sweep());
    try {
      thread_ = detail::quiet_thread([this] { context_.run(); });
    } catch (const std::system_error& error) {
      return Error(Errc::unavailable, std::string("door: cannot start a thread: ") + error.what());
    }
    return {};
  }

  std::string url() const override { return fmt::format("http://rushes:{}@127.0.0.1:{}", password_, port_); }
  std::uint64_t received() const override { return received_; }

 private:
  /// One client's connection and the one that was made for it.
  struct Connection {
    Connection(LoopDoor& door, tcp::socket socket)
        : owner(door), client(std::move(socket)), remote(client.get_executor()), lookup(client.get_executor()) {
      owner.connections_.insert(this);
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() {
      owner.connections_.erase(this);
      if (!owner.stopping_) owner.slot_free_.cancel();
    }
    void close() {
      boost::system::error_code ignored;
      closed = true;
      client.close(ignored);
      remote.close(ignored);
      lookup.close(ignored);
    }
    /// Closes so that the client sees an error: what ends in the middle must not be taken for the whole.
    void cut() {
      boost::system::error_code ignored;
      client.set_option(asio::socket_base::linger(true, 0), ignored);
      close();
    }
    void touch() { active = Steady::now(); }

    LoopDoor& owner;
    tcp::socket client;
    tcp::socket remote;
    asio::posix::stream_descriptor lookup;
    bool closed = false;
    Steady::time_point active = Steady::now();
  };
  // Two directions share a connection; the last one destroys it.
  using Shared = std::shared_ptr<Connection>;

  Task<> accept() {
    while (true) {
      while (connections_.size() >= policy_.connections) co_await slot_free_.async_wait(kQuiet);
      auto [failed, socket] = co_await acceptor_.async_accept(kQuiet);
      if (failed == asio::error::operation_aborted) co_return;
      if (failed) {
        co_await sleep_for(std::chrono::milliseconds(50));  // out of descriptors: do not spin
        continue;
      }
      auto connection = std::make_shared<Connection>(*this, std::move(socket));
      spawn_detached(context_.get_executor(), "door", serve(std::move(connection)));
    }
  }

  /// Closes what has been silent for too long, and all once the deadline has passed; pending operations then end with
  /// an error.
  Task<> sweep() {
    const auto step = std::clamp<std::chrono::milliseconds>(policy_.idle / 4, std::chrono::milliseconds(10),
                                                            std::chrono::milliseconds(1'000));
    asio::steady_timer timer(context_);
    while (true) {
      const auto now = Steady::now();
      const bool ends_now = !late_ && now >= policy_.deadline;
      if (ends_now) {
        late_ = true;
        report_late();
      }
      for (auto* connection : connections_) {
        if (ends_now || connection->active < now - policy_.idle) connection->cut();
      }
      timer.expires_at(late_ ? now + step : std::min(now + step, policy_.deadline));
      co_await timer.async_wait(kQuiet);
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

    const auto request = detail::read_door_request(head);
    if (!request) {
      co_await finish(connection, answer("400 Bad Request", request.error().what()));
      co_return;
    }
    if (!equal_in_constant_time(request->authorization, credential_)) {
      co_await finish(connection, answer("407 Proxy Authentication Required", "",
                                         "Proxy-Authenticate: Basic realm=\"rushes\"\r\n"));
      co_return;
    }
    if (request->report) {
      auto told = answer("200 OK", take_report());
      co_await finish(connection, std::move(told));
      co_return;
    }
    auto rejection = co_await reach(connection, request->host, request->port);
    if (!rejection.empty()) {
      co_await finish(connection, std::move(rejection));
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
    spawn_detached(context_.get_executor(), "door", upstream(connection, allowance));
    if (!request->tunnel) {
      rejection = co_await pass_heads(connection, request->host);
      if (!rejection.empty()) {
        boost::system::error_code ignored;
        connection->remote.close(ignored);
        co_await finish(connection, std::move(rejection));
        co_return;
      }
    }
    co_await downstream(connection);
  }

  Task<bool> send(Shared connection, tcp::socket& to, std::string bytes) {
    if (&to == &connection->remote && !may_send(bytes.size())) {
      connection->cut();
      co_return false;
    }
    const auto [failed, written] = co_await asio::async_write(to, asio::buffer(bytes), kQuiet);
    connection->touch();
    co_return !failed;
  }

  Task<> finish(Shared connection, std::string text) {
    const bool sent = co_await send(connection, connection->client, std::move(text));
    if (!sent) co_return;
    boost::system::error_code ignored;
    connection->client.shutdown(tcp::socket::shutdown_send, ignored);
  }

  /// Connects `remote` to an address that passed the filter. Empty, or the answer that says why not.
  Task<std::string> reach(Shared connection, std::string host, std::uint16_t port) {
    if (late_) {
      report_late();
      co_return answer("403 Forbidden", "the time is used up");
    }
    if (policy_.max_sent_bytes != 0 && sent_ >= policy_.max_sent_bytes) {
      co_return answer("403 Forbidden", "the limit of bytes to send is used up");
    }
    if (policy_.max_bytes != 0 && received_ >= policy_.max_bytes) {
      report_too_many();
      co_return answer("403 Forbidden", "the limit of bytes is used up");
    }
    if (detail::is_bad_port(port)) {
      auto words = fmt::format("Port {} is none of the web's; check the URL.", port);
      report({Trouble::unreachable, host, Error::for_user(Errc::not_found, "URL_DEAD", words)});
      co_return answer("403 Forbidden", words);
    }
    std::vector<tcp::endpoint> found;
    if (const auto literal = net::literal_address(host)) {
      found.emplace_back(*literal, port);
    } else {
      const auto resolver = policy_.resolver ? policy_.resolver : Resolver(detail::resolve_by_system);
      const auto lookup = detail::Lookup::start(resolver, host, port, lookups_);
      if (lookup != nullptr) {
        boost::system::error_code failed;
        auto ended = lookup->ended();
        connection->lookup.assign(ended.get(), failed);
        if (!failed) {
          ended.release();
          co_await connection->lookup.async_wait(asio::posix::descriptor_base::wait_read, kQuiet);
          if (!connection->closed) found = lookup->take();
          connection->lookup.close(failed);
        }
      }
    }
    connection->touch();
    const auto allowed = policy_.filter.allowed_of(host, std::move(found));
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

  /// Passes the heads of the answer to a plain request on, and with them what was read of its body. Empty, or the
  /// answer to give instead.
  Task<std::string> pass_heads(Shared connection, std::string host) {
    std::string bytes;
    std::array<char, 8U << 10U> piece;
    for (int heads = 0; heads < kMaxAnswerHeads && bytes.size() <= kMaxAnswerHead;) {
      const auto length = detail::answer_head_length(bytes);
      if (length == 0) {
        const auto [failed, count] = co_await connection->remote.async_read_some(asio::buffer(piece), kQuiet);
        if (failed || !counted(count)) {
          connection->cut();
          co_return std::string();
        }
        bytes.append(piece.data(), count);
        continue;
      }
      auto head = detail::read_answer_head(std::string_view(bytes).substr(0, length));
      if (!head) break;
      if (!head->packing.empty()) {
        auto words = fmt::format("The host {} sends this compressed ({}) though it was asked not to; name another URL.",
                                 shorten(host, 100), shorten(head->packing, 60));
        report({Trouble::packed_answer, host, Error::for_user(Errc::unsupported, "URL_UNSUPPORTED", words)});
        co_return answer("502 Bad Gateway", words);
      }
      ++heads;
      bytes.erase(0, length);
      auto passed = std::move(head->forward);
      if (!head->interim) passed += bytes;
      const bool sent = co_await send(connection, connection->client, std::move(passed));
      if (!sent) connection->close();
      if (!sent || !head->interim) co_return std::string();
    }
    auto words =
        fmt::format("The host {} does not answer in HTTP that can be read; check the URL.", shorten(host, 100));
    report({Trouble::unreachable, host, Error::for_user(Errc::not_found, "URL_DEAD", words)});
    co_return answer("502 Bad Gateway", words);
  }

  Task<> downstream(Shared connection) {
    std::vector<char> piece(64U << 10U);
    while (true) {
      const auto [failed, count] = co_await connection->remote.async_read_some(asio::buffer(piece), kQuiet);
      if (failed == asio::error::eof) break;
      if (failed || !counted(count)) {
        connection->cut();
        co_return;
      }
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
      if (!may_send(count)) {
        connection->cut();
        co_return;
      }
      const auto [broken, written] =
          co_await asio::async_write(connection->remote, asio::buffer(piece.data(), count), kQuiet);
      if (broken) break;
    }
    connection->close();
  }

  bool counted(std::size_t count) {
    received_ += count;
    if (policy_.max_bytes == 0 || received_ <= policy_.max_bytes) return true;
    report_too_many();
    return false;
  }

  bool may_send(std::size_t count) {
    sent_ += count;
    return policy_.max_sent_bytes == 0 || sent_ <= policy_.max_sent_bytes;
  }

  void report(Incident incident) {
    if (!incident_ || incident.trouble >= incident_->trouble) incident_ = std::move(incident);
  }

  void report_too_many() {
    report({Trouble::too_many_bytes, "",
            Error::for_user(Errc::too_large, "VIDEO_TOO_LARGE",
                            fmt::format("The download is larger than {}; choose a shorter video.",
                                        to_human_size(policy_.max_bytes)))});
  }

  void report_late() {
    report({Trouble::too_late, "",
            Error::for_user(Errc::too_large, "FETCH_TIMED_OUT",
                            "Fetching took longer than the server allows; try again later, or name a smaller video.")});
  }

  std::string take_report() {
    json::object told{{"received", received_.load()}};
    if (incident_) {
      told["trouble"] = to_string(incident_->trouble);
      told["host"] = incident_->host;
      told["code"] = incident_->error.public_name();
      told["message"] = incident_->error.public_message();
    }
    incident_.reset();
    return to_json_text(told);
  }

  // Immutable once the loop runs.
  const DoorPolicy policy_;
  const std::string password_;
  std::string credential_;
  std::uint16_t port_ = 0;

  std::atomic<std::uint64_t> received_ = 0;  // written by the loop's thread only

  // On the loop's thread only. The loop is destroyed first but for what runs on it: its frames hold Connections.
  const detail::Lookup::Count lookups_ = std::make_shared<std::atomic<int>>(0);
  std::uint64_t sent_ = 0;
  std::optional<Incident> incident_;
  bool late_ = false;
  std::set<Connection*> connections_;
  bool stopping_ = false;  // the frames outlive the timer
  asio::io_context context_{1};
  tcp::acceptor acceptor_{context_};
  asio::steady_timer slot_free_{context_, Steady::time_point::max()};  // never fires; cancelled when one ends
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Door>> Door::open(FileDescriptor listener, DoorPolicy policy, Rng& rng) {
  if (!is_listener(listener)) return Error(Errc::invalid_argument, "door: this is no listening TCP socket");
  auto door = std::make_unique<LoopDoor>(std::move(policy), rng);
  if (const auto started = door->start(std::move(listener)); !started) return started.error();
  return std::unique_ptr<Door>(std::move(door));
}

}  // namespace rushes::box
