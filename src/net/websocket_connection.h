#pragma once
#include "async/task.h"
#include "net/websocket.h"

#include <boost/asio/ip/tcp.hpp>

#include <deque>
#include <memory>
#include <optional>
#include <string>

namespace rushes::net {

/// Bytes for the wire, encoded once and shared by all that they go to. Immutable.
using SharedBytes = std::shared_ptr<const std::string>;

struct WebSocketLimits {
  std::size_t max_message = 1'000'000;              // bytes a client may send at once
  std::size_t max_backlog = std::size_t{4} << 20U;  // bytes that wait for a slow client; above: closed
};

/// A WebSocket connection after its handshake.
///
/// While nothing happens it owns no buffer and no coroutine: it waits for readiness, then reads into
/// a buffer of its thread's. What is sent within one turn of the loop leaves in one write.
///
/// Threads:  on its shard. Lifetime: shared with the operations under way; `Owner` outlives it or is
///           released by `detach`.
class WebSocketConnection : public std::enable_shared_from_this<WebSocketConnection> {
 public:
  class Owner {
   public:
    virtual ~Owner() = default;
    /// A whole message; `payload` is valid during the call.
    virtual void on_message(std::string_view payload, bool binary) = 0;
    /// Nothing more will come. `why`: for the log. Called once, never from inside `send` or `close`.
    virtual void on_closed(std::string_view why) = 0;
  };

  WebSocketConnection(asio::ip::tcp::socket socket, WebSocketLimits limits);

  /// Begins to read; `leftover` came with the handshake.
  void start(Owner& owner, std::string leftover);
  /// The owner is called no more.
  void detach() noexcept { owner_ = nullptr; }

  /// Queues whole frames. Past the backlog's bound the connection is closed.
  void send(SharedBytes frames);
  /// Sends what is queued, then a close frame, then closes.
  void close(std::uint16_t code);

  std::size_t backlog() const noexcept { return backlog_; }
  Executor executor() { return socket_.get_executor(); }

 private:
  void wait_readable();
  void on_readable();
  bool take(std::span<char> bytes);
  bool on_frame(WebSocketOpcode opcode, std::string_view payload);
  void schedule_flush();
  void flush();
  void end(std::string_view why);

  asio::ip::tcp::socket socket_;
  const WebSocketLimits limits_;
  Owner* owner_ = nullptr;
  WebSocketDecoder decoder_;
  std::deque<SharedBytes> queue_;
  std::size_t sent_of_first_ = 0;
  std::size_t backlog_ = 0;
  bool flush_scheduled_ = false;
  bool waiting_writable_ = false;
  bool closing_ = false;  // a close frame is queued
  bool ended_ = false;
};

}  // namespace rushes::net
