#pragma once
#include "base/file.h"
#include "net/address_book.h"
#include "net/frame.h"
#include "net/loop.h"
#include "net/message.h"
#include "net/out_queue.h"
#include "net/ws_codec.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::net {

struct WebSocketOptions {
  WsLimits limits;
  bool deflate = false;                   // agree on permessage-deflate with clients that offer it
  std::size_t deflate_from = 1'024;       // bytes; a shorter message goes out as it is
  std::size_t max_backlog = 1UL << 20U;   // bytes that wait for one slow client; past it, it is cut
  std::size_t merge_above = 64UL << 10U;  // bytes; past them, what is out of date is left out
};

/// What a client's handshake is answered, and what was agreed on.
struct WsHandshake {
  std::string answer;
  bool deflate = false;
};

/// Why a WebSocket ended.
enum class WebSocketEnd : std::uint8_t {
  closed,          // the peer closed it, by a close frame or by its end of the connection
  protocol_error,  // it sent what RFC 6455 forbids, or a message over the limit
  too_slow,        // more was queued for it than it may have
};

/// A connected WebSocket, the server's side. Idle it owns no buffer; output waits as references to
/// shared frames. An event goes out at once where the loop has time to spare, else with what else was gathered (see
/// WritePace); anything else at the turn's end.
///
/// Threads:   one shard's.
/// Lifetime:  owned by its listener; the loop outlives it. It may be destroyed from any of its own
///            callbacks only by way of `Loop::dispose_later` or `finish`.
class WebSocket final : public Loop::Disposable, Loop::Watched, Loop::Flushed, WsSink {
 public:
  class Listener {
   public:
    /// `payload` is valid during the call.
    virtual void on_message(bool binary, std::string_view payload) = 0;
    /// The last call: nothing is sent or received for the listener any more. It gives the socket to `finish`.
    virtual void on_end(WebSocketEnd end) = 0;

   protected:
    ~Listener() = default;
  };

  /// `options` and `listener` outlive it.
  WebSocket(Loop& loop, FileDescriptor fd, AddressLease lease, const WebSocketOptions& options, Listener& listener);
  ~WebSocket() override;

  /// Answers the handshake; before anything else is sent.
  void accept(const WsHandshake& handshake);
  /// Starts to read; `buffered` is what came already behind the handshake. May call the listener.
  void start(std::string buffered);
  /// Hands the connection to another listener: the upgrade of a session.
  void set_listener(Listener& listener) noexcept { listener_ = &listener; }

  /// Queues a frame. A client whose queue is full is cut, and `on_end` follows later.
  void send(const FramePtr& frame);
  bool idle() const noexcept { return out_ == nullptr; }
  /// Whether the system does not take what waits: the client reads too little.
  bool congested() const noexcept { return awaits_writable_; }
  /// Bytes that wait to be written.
  std::size_t backlog() const noexcept { return out_ ? out_->bytes() : 0; }

  /// Says goodbye without the listener: the queue goes out, then a close frame; the socket ends when the
  /// peer has answered, or after two seconds. One that has ended goes at the turn's end.
  static void finish(std::unique_ptr<WebSocket> socket, WsCloseCode code, std::string_view reason);

 private:
  struct Goodbye;

  void on_events(std::uint32_t events) override;
  void on_flush() override;
  bool on_ws_message(bool binary, std::string_view payload) override;
  bool on_ws_ping(std::string_view payload) override;
  void on_ws_close(std::uint16_t code, std::string_view reason) override;

  void send_as_is(const FramePtr& frame);
  void read();
  void decode(std::span<char> bytes);
  /// Writes as much of it as the system takes, and gives its bytes; what fails shows again in `write`.
  std::size_t write_alone(const Frame& frame);
  /// Writes what the system takes. False: the connection is broken.
  bool write();
  void fail();
  void end(WebSocketEnd why);
  void release();

  Loop& loop_;
  FileDescriptor fd_;
  AddressLease lease_;
  bool awaits_writable_ = false;
  bool closing_ = false;  // a close frame is queued or sent
  bool ended_ = false;
  bool overflowed_ = false;
  bool broken_ = false;
  bool draining_ = false;  // failed: what still comes is thrown away, so that the peer reads our close frame
  bool alone_ = false;     // finishing, owned by the loop
  bool deflate_ = false;   // the client takes compressed messages
  const WebSocketOptions* options_;
  Listener* listener_;
  WsDecoder decoder_;
  std::unique_ptr<OutQueue> out_;
  std::unique_ptr<Goodbye> goodbye_;  // from `finish` on
};

/// The 101 answer to a WebSocket handshake. Errors: `malformed` for one that RFC 6455 refuses (method, version, key).
Result<WsHandshake> websocket_handshake(const Request& request, const WebSocketOptions& options);

}  // namespace rushes::net
