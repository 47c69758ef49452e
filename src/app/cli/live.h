#pragma once
#include "app/cli/live_packet.h"
#include "async/task.h"
#include "base/json.h"
#include "base/result.h"

#include <boost/asio/io_context.hpp>
#include <boost/url/url.hpp>

#include <chrono>
#include <deque>
#include <optional>
#include <string>

namespace rushes::app::cli {

/// What happened on the live connection.
struct LiveMessage {
  enum class Kind : unsigned char {
    joined,   // connected and subscribed; `recovered` says whether nothing was missed
    update,   // a `queue-update`; its payload in `update`
    lost,     // the connection is away; `why` says why, and another try follows by itself
    refused,  // the end: the server will not have us; see `error`
  };
  Kind kind = Kind::lost;
  bool recovered = false;
  json::object update;
  std::string why;
  Error error;
};

/// The user's job events from a server's namespace `/queue`, over WebSocket (http:// only), for a
/// program that waits for them. It connects again by itself, with growing pauses, and asks the
/// server for what it missed (connection state recovery).
///
/// Use: call `next` over and over; everything happens inside it, so pings are answered only there.
///
/// Threads: single-owner.
/// Errors:  come as messages. TOKEN_MISSING, TOKEN_INVALID, TOKEN_EXPIRED, and whatever else the
///          server answers a CONNECT with, by the server's code; SOCKETS_UNAVAILABLE for a server without them.
class LiveClient {
 public:
  LiveClient(boost::urls::url server, std::string token);
  LiveClient(const LiveClient&) = delete;
  LiveClient& operator=(const LiveClient&) = delete;
  ~LiveClient();

  /// The next message, or nothing when none came within `wait`. With zero: what is there already.
  std::optional<LiveMessage> next(std::chrono::milliseconds wait);

 private:
  class Socket;
  Task<> run();
  Task<Result<void>> session();
  /// Whether the session goes on.
  Task<Result<void>> take(Socket& socket, LivePacket packet);
  void take_event(const json::array& event);
  void refuse(const json::object& reason);

  const boost::urls::url server_;
  const std::string token_;
  std::deque<LiveMessage> messages_;
  bool joined_ = false;   // in this session
  bool refused_ = false;  // for good
  std::string pid_;       // for recovery: our name in the last session
  std::string offset_;    // and the last event we had of it
  bool recovered_ = false;
  asio::io_context loop_{1};  // last: what waits on it uses the others
};

}  // namespace rushes::app::cli
