#pragma once
#include "base/named_set.h"
#include "engineio/packet.h"
#include "net/loop.h"
#include "net/out_queue.h"
#include "net/router.h"
#include "net/timers.h"
#include "net/websocket.h"

#include <boost/asio/steady_timer.hpp>
#include <boost/static_string/static_string.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::engineio {

class Session;

/// 20 characters of base64url, kept in place.
using SessionId = boost::static_strings::static_string<20>;

struct Options {
  std::string path = "/engine.io/";
  std::string sid_prefix;  // the first character of every session id, for balancers that route by it; empty: none
  std::chrono::milliseconds ping_interval{25'000};
  std::chrono::milliseconds ping_timeout{20'000};
  std::chrono::milliseconds upgrade_timeout{10'000};
  std::size_t max_payload = 1'000'000;    // bytes of one message, and of one POST
  std::size_t max_backlog = 1UL << 20U;   // bytes queued for one client
  std::size_t merge_above = 64UL << 10U;  // bytes; past them, events that newer ones made out of date are left out
  bool polling = true;
  bool websocket = true;
  bool per_message_deflate = false;  // agree on it with WebSocket clients that offer it
};

/// Why a session ended, in the words that Socket.IO users know (`to_text`).
enum class CloseReason : std::uint8_t {
  transport_close,  // the client closed it or went away
  transport_error,  // it broke the transport's rules, or was too slow
  ping_timeout,     // no pong in time
  parse_error,      // it sent what is no packet
  forced_close,     // we closed it
  server_shutting_down,
};
std::string_view to_text(CloseReason reason);

/// What stands on a session: Socket.IO, or an application of its own.
///
/// Threads: called on the session's shard.
class SessionHandler {
 public:
  virtual ~SessionHandler() = default;
  /// The first call. What is sent here, or was sent before, reaches the client right behind the open packet.
  virtual void on_open() {}
  /// Views are valid during the call.
  virtual void on_message(std::string_view text) = 0;
  virtual void on_binary(std::string_view bytes) = 0;
  /// The last call.
  virtual void on_close(CloseReason reason) = 0;
};

/// What the sessions of one shard have done since it began. Counted on the shard, read from anywhere.
struct SessionCounts {
  Counter opened_polling;
  Counter opened_websocket;
  Counter upgraded;
  Counter upgrades_late;  // given up; polling went on
  Counter closed_polling;
  Counter closed_websocket;
  std::array<Counter, 6> closed_by;  // CloseReason
};

struct SidOf {
  std::string_view operator()(const Session& session) const noexcept;
};

/// The sessions of one shard and what they share.
///
/// Threads: its shard's.
struct SessionShard {
  /// `settings` outlives it.
  explicit SessionShard(const Options& settings) : options(settings) {}
  SessionShard(const SessionShard&) = delete;
  SessionShard& operator=(const SessionShard&) = delete;
  ~SessionShard();

  const Options& options;
  std::shared_ptr<net::Loop> loop;
  NamedSet<Session, SidOf> sessions;  // owned by it
  net::WebSocketOptions websocket_options;
  net::FramePtr ping;  // encoded once for all
  SessionCounts counts;
  bool stopping = false;
};

/// A poll that waits for something to say. It lives in its request's coroutine.
struct WaitingPoll {
  explicit WaitingPoll(const Executor& executor) : wake(executor, asio::steady_timer::time_point::max()) {}
  asio::steady_timer wake;
  std::string payload;
};

/// One Engine.IO v4 connection, whatever carries it: long-polling, a WebSocket, or the first on its way
/// to the second.
///
/// Threads:   one shard's.
/// Lifetime:  owned by its SessionShard; it goes at the end of the turn in which it closed, or when the
///            closing poll was answered.
class Session final : public net::Loop::Disposable, public net::WebSocket::Listener, net::Deadline {
 public:
  Session(SessionShard& shard, std::string_view sid);
  ~Session() override;

  std::string_view sid() const noexcept { return {sid_.data(), sid_.size()}; }
  const char* transport() const noexcept { return socket_ ? "websocket" : "polling"; }
  net::Loop& loop() noexcept { return *shard_.loop; }

  /// Queues a message. A text frame's payload begins with Engine.IO's `4`; a binary one is as it is.
  void send(const net::FramePtr& message);
  /// Whether the client takes less than it is sent.
  bool congested() const noexcept { return socket_ ? socket_->congested() : backlog() > 0 && !has_waiting_poll(); }
  /// Bytes that wait for the client.
  std::size_t backlog() const noexcept;
  /// What was sent before still reaches the client, and nothing more of what it sends is read.
  void close(CloseReason reason);

  // The rest is the engine's.

  /// A WebSocket whose handshake is to be answered.
  struct Upgrade {
    net::DetachedSocket socket;
    net::WsHandshake handshake;
    bool base64 = false;  // binary messages go as text, since the client asked for that (`b64=1`)
  };
  /// Begins on polling, with the open packet in the buffer, or on a WebSocket, whose handshake answer goes first.
  void open_polling(std::shared_ptr<SessionHandler> handler);
  void open_websocket(Upgrade upgrade, std::shared_ptr<SessionHandler> handler);
  bool is_polling() const noexcept { return !socket_ && !closed_; }
  bool closed() const noexcept { return closed_; }

  bool has_waiting_poll() const noexcept;
  /// What a poll can have at once; empty where it must wait.
  std::string take_payload();
  void wait(WaitingPoll& poll) noexcept;
  /// Two polls at once: the session dies.
  void refuse_second_poll();
  /// The client went away in the middle of its poll.
  void lose_poll();
  /// False: the payload was no payload, and the session is closed.
  bool receive(std::string_view payload);
  bool can_upgrade() const noexcept;
  void start_probe(Upgrade upgrade);

 private:
  class Probe;
  struct Polling;

  void on_message(bool binary, std::string_view payload) override;
  void on_end(net::WebSocketEnd end) override;
  void on_deadline() override;

  std::string open_packet(bool upgradable) const;
  void begin(std::shared_ptr<SessionHandler> handler, bool upgradable);
  void on_part(const PayloadPart& part);
  void on_packet(const Packet& packet);
  /// Whether what the client sends is not read any more.
  bool is_ending() const noexcept;
  void complete_upgrade();
  void close_later(CloseReason reason);
  void drop_probe();
  void retire_probe();
  void answer_poll(std::string payload);
  void finish(CloseReason reason, const char* last_packet);
  void bury();

  SessionShard& shard_;
  const SessionId sid_;
  std::shared_ptr<SessionHandler> handler_;
  std::unique_ptr<net::WebSocket> socket_;  // null while polling
  std::unique_ptr<Polling> polling_;        // null with a WebSocket
  std::unique_ptr<net::OutQueue> early_;    // what was sent before it was open
  bool base64_ = false;                     // of the WebSocket
  bool awaits_pong_ = false;
  bool renewed_ = false;  // the time-out of that pong
  bool closed_ = false;
  bool buried_ = false;
};

}  // namespace rushes::engineio
