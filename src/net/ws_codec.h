#pragma once
#include "net/utf8.h"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace rushes::net {

/// WebSocket close codes that we send (RFC 6455, 7.4).
enum class WsCloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  bad_text = 1007,
  policy = 1008,
  too_big = 1009,
};

struct WsLimits {
  std::size_t max_message = 1'000'000;  // bytes, of all fragments together
  std::size_t max_fragments = 1'024;
};

/// What a decoder hands on. Views are valid during the call only. Returning false stops the decoding:
/// for listeners that closed the connection.
class WsSink {
 public:
  virtual ~WsSink() = default;
  virtual bool on_ws_message(bool binary, std::string_view payload) = 0;
  virtual bool on_ws_ping(std::string_view payload) = 0;
  /// The peer closes; `code` is 1005 where it gave none.
  virtual void on_ws_close(std::uint16_t code, std::string_view reason) = 0;
};

/// Reads a client's WebSocket frames, without I/O.
///
/// A message that lies whole in the bytes given is unmasked in place and handed on without a copy;
/// memory is held only while a frame or a fragmented message is incomplete.
///
/// Threads: single-owner.
class WsDecoder {
 public:
  enum class Outcome : std::uint8_t { more, stopped, failed };

  /// Reads all of `bytes`, which it changes. After `failed`, `failure()` tells the code to close with;
  /// after anything but `more` the decoder is not used again.
  Outcome feed(std::span<char> bytes, const WsLimits& limits, WsSink& sink);
  /// From now on messages may be compressed (RFC 7692): the peers have agreed on it.
  void allow_deflate() noexcept { deflate_ = true; }
  WsCloseCode failure() const noexcept { return failure_; }
  /// Bytes held for what is incomplete.
  std::size_t pinned() const noexcept;

 private:
  struct Head;
  struct Partial;
  struct PartialDeleter {
    void operator()(Partial* partial) const noexcept;
  };

  Outcome fail(WsCloseCode code) noexcept;
  Outcome begin_frame(const Head& head, const WsLimits& limits);
  Outcome take_payload(std::span<char>& bytes, const WsLimits& limits, WsSink& sink);
  Outcome finish_frame(const WsLimits& limits, WsSink& sink);
  Outcome whole_frame(const Head& head, std::span<char> payload, const WsLimits& limits, WsSink& sink);
  Outcome hand_on_inflated(bool binary, std::string_view payload, const WsLimits& limits, WsSink& sink);
  Outcome control(std::uint8_t opcode, std::string_view payload, WsSink& sink);
  Partial& partial();
  void forget_if_idle() noexcept;

  std::unique_ptr<Partial, PartialDeleter> partial_;
  WsCloseCode failure_ = WsCloseCode::normal;
  bool deflate_ = false;
};

/// XORs `bytes` with the mask, whose first byte belongs to position `offset` (modulo 4).
void ws_unmask(std::span<char> bytes, const std::uint8_t (&mask)[4], std::size_t offset) noexcept;

/// The value of `Sec-WebSocket-Accept` for a `Sec-WebSocket-Key`.
std::string ws_accept_key(std::string_view key);

}  // namespace rushes::net
