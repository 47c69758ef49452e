#include "app/cli/live.h"

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/websocket.hpp>

#include <algorithm>
#include <string_view>
#include <utility>

namespace rushes::app::cli {
namespace {

namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::string_view kNamespace = "/queue";
constexpr std::size_t kMostMessageBytes = 64UL << 20U;  // a completed job brings its whole analysis
constexpr milliseconds kFirstPause{500};
constexpr milliseconds kLongestPause{10'000};

Error lost(std::string_view doing, const boost::system::error_code& failed) {
  if (failed == beast::error::timeout) return {Errc::timed_out, std::string(doing) + ": the server is silent"};
  if (failed == asio::error::eof || failed == websocket::error::closed || failed == beast::http::error::end_of_stream) {
    return {Errc::unavailable, "the server closed the connection"};
  }
  return {Errc::unavailable, std::string(doing) + ": " + failed.message()};
}

}  // namespace

/// A WebSocket of one session.
class LiveClient::Socket {
 public:
  explicit Socket(asio::io_context& loop) : stream_(loop) {}

  Task<Result<void>> open(boost::urls::url server) {
    boost::system::error_code failed;
    auto token = asio::redirect_error(asio::use_awaitable, failed);
    const std::string host(server.host_address());
    const std::string port(server.has_port() ? std::string(server.port()) : std::string("80"));

    tcp::resolver resolver(stream_.get_executor());
    const auto addresses = co_await resolver.async_resolve(host, port, token);
    if (failed) co_return lost("cannot resolve " + host, failed);
    auto& connection = beast::get_lowest_layer(stream_);
    connection.expires_after(seconds(10));
    co_await connection.async_connect(addresses, token);
    if (failed) co_return lost("cannot connect to " + host + ":" + port, failed);
    connection.expires_never();
    boost::system::error_code ignored;
    connection.socket().set_option(tcp::no_delay(true), ignored);

    stream_.set_option(websocket::stream_base::timeout{seconds(10), seconds(45), false});
    stream_.read_message_max(kMostMessageBytes);
    websocket::response_type answer;
    const auto target = std::string(server.encoded_path()) + "/socket.io/?EIO=4&transport=websocket";
    const auto host_header = std::string(server.encoded_host_and_port());
    co_await stream_.async_handshake(answer, host_header, target, token);
    if (failed == websocket::error::upgrade_declined) {
      co_return Error::for_user(Errc::unsupported, "SOCKETS_UNAVAILABLE",
                                "The server does not speak Socket.IO at " + std::string(server.buffer()) + " (status " +
                                    std::to_string(answer.result_int()) + ").");
    }
    if (failed) co_return lost("cannot open a WebSocket", failed);
    co_return Result<void>();
  }

  /// How long silence may last before the connection counts as dead.
  void set_silence(milliseconds most) { stream_.set_option(websocket::stream_base::timeout{seconds(10), most, false}); }

  Task<Result<std::string>> read() {
    boost::system::error_code failed;
    co_await stream_.async_read(buffer_, asio::redirect_error(asio::use_awaitable, failed));
    if (failed) co_return lost("reading", failed);
    // A binary message is never one of ours; an empty text reads as malformed, so say no-op instead.
    auto message = stream_.got_text() ? beast::buffers_to_string(buffer_.data()) : std::string("6");
    buffer_.consume(buffer_.size());
    co_return message;
  }

  Task<Result<void>> write(std::string message) {
    boost::system::error_code failed;
    stream_.text(true);
    co_await stream_.async_write(asio::buffer(message), asio::redirect_error(asio::use_awaitable, failed));
    if (failed) co_return lost("writing", failed);
    co_return Result<void>();
  }

 private:
  websocket::stream<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
};

LiveClient::LiveClient(boost::urls::url server, std::string token)
    : server_(std::move(server)), token_(std::move(token)) {
  spawn_detached(loop_.get_executor(), "live", run());
}

// What runs is dropped where it waits, with the loop; the server sees the connection close.
LiveClient::~LiveClient() = default;

std::optional<LiveMessage> LiveClient::next(milliseconds wait) {
  const auto until = std::chrono::steady_clock::now() + wait;
  loop_.poll();
  while (messages_.empty() && loop_.run_one_until(until) > 0) {
  }
  if (messages_.empty()) return std::nullopt;
  auto message = std::move(messages_.front());
  messages_.pop_front();
  return message;
}

Task<> LiveClient::run() {
  auto pause = kFirstPause;
  while (!refused_) {
    const auto ended = co_await session();
    if (refused_) co_return;
    if (joined_) pause = kFirstPause;
    joined_ = false;
    LiveMessage message;
    if (ended.error().code() == Errc::unsupported) {
      message.kind = LiveMessage::Kind::refused;
      message.error = ended.error();
      refused_ = true;
    } else {
      message.why = ended.error().what();
    }
    messages_.push_back(std::move(message));
    if (refused_) co_return;
    co_await sleep_for(pause);
    pause = std::min(pause * 2, kLongestPause);
  }
}

/// From connecting to the end; always an Error, since only an ending returns.
Task<Result<void>> LiveClient::session() {
  Socket socket(loop_);
  auto opened = co_await socket.open(server_);
  if (!opened) co_return opened;
  for (;;) {
    auto message = co_await socket.read();
    if (!message) co_return message.error();
    auto packet = parse_live_packet(*message);
    if (!packet) co_return packet.error();
    auto taken = co_await take(socket, std::move(*packet));
    if (!taken) co_return taken;
  }
}

Task<Result<void>> LiveClient::take(Socket& socket, LivePacket packet) {
  using Kind = LivePacket::Kind;
  switch (packet.kind) {
    case Kind::open: {
      const auto& handshake = packet.body.get_object();
      const auto silence = int_member(handshake, "pingInterval").value_or(25'000) +
                           int_member(handshake, "pingTimeout").value_or(20'000);
      socket.set_silence(milliseconds(std::clamp<std::int64_t>(silence, 1'000, 600'000)));
      json::object auth{{"token", token_}};
      if (!pid_.empty() && !offset_.empty()) {
        auth["pid"] = pid_;
        auth["offset"] = offset_;
      }
      co_return co_await socket.write(connect_packet(kNamespace, auth));
    }
    case Kind::ping:
      co_return co_await socket.write("3");
    case Kind::close:
      co_return Error(Errc::unavailable, "the server ended the session");
    default:
      break;
  }
  if (packet.name_space != kNamespace) co_return Result<void>();
  switch (packet.kind) {
    case Kind::connected: {
      const auto pid = string_member(packet.body.get_object(), "pid").value_or("");
      recovered_ = !pid.empty() && pid == pid_;
      if (!recovered_) offset_.clear();
      pid_ = pid;
      co_return co_await socket.write(event_packet(kNamespace, 0, "subscribe-queue"));
    }
    case Kind::acknowledged: {
      joined_ = true;
      LiveMessage message;
      message.kind = LiveMessage::Kind::joined;
      message.recovered = recovered_;
      messages_.push_back(std::move(message));
      break;
    }
    case Kind::event:
      take_event(packet.body.get_array());
      break;
    case Kind::refused:
      refuse(packet.body.get_object());
      co_return Error(Errc::unauthenticated, "refused");
    case Kind::disconnected:
      if (refused_) co_return Error(Errc::unauthenticated, "refused");
      co_return Error(Errc::unavailable, "the server disconnected us");
    default:
      break;
  }
  co_return Result<void>();
}

void LiveClient::take_event(const json::array& event) {
  const auto& name = event.front().get_string();
  // Servers with recovery add the event's offset as a last argument, as the stock client takes it.
  if (event.size() > 1 && event.back().is_string()) offset_ = event.back().get_string();
  if (event.size() < 2 || !event.at(1).is_object()) return;
  if (name == "auth-error") refuse(event.at(1).get_object());
  if (name != "queue-update") return;
  LiveMessage message;
  message.kind = LiveMessage::Kind::update;
  message.update = event.at(1).get_object();
  messages_.push_back(std::move(message));
}

void LiveClient::refuse(const json::object& reason) {
  auto code = string_member(reason, "code").value_or("");
  if (const auto* more = reason.if_contains("data"); more != nullptr && more->is_object()) {
    code = string_member(more->get_object(), "code").value_or(code);
  }
  auto said = string_member(reason, "message").value_or("The server refused the connection.");
  if (said == "Invalid namespace") {
    code = "SOCKETS_UNAVAILABLE";
    said = "The server has its queue socket switched off.";
  }
  if (code.empty()) code = "CONNECTION_REFUSED";
  LiveMessage message;
  message.kind = LiveMessage::Kind::refused;
  message.error = Error::for_user(code == "SOCKETS_UNAVAILABLE" ? Errc::unsupported : Errc::unauthenticated,
                                  std::move(code), std::move(said));
  messages_.push_back(std::move(message));
  refused_ = true;
}

}  // namespace rushes::app::cli
