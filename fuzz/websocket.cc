// A client's WebSocket frames: the decoder hands on the same whatever packets they come in; and messages that are
// framed by the rules come back.
#include "net/frame.h"
#include "net/utf8.h"
#include "net/ws_codec.h"
#include "net/ws_deflate.h"
#include "require.h"

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <string>
#include <vector>

using namespace rushes;
using fuzz::require;

namespace {

const net::WsLimits kLimits{300, 6};  // so that the limits are met

struct Recorder final : net::WsSink {
  bool on_ws_message(bool binary, std::string_view payload) override {
    require(payload.size() <= kLimits.max_message, "the limit of a message is kept");
    require(binary || net::is_valid_utf8(payload), "a text is UTF-8");
    seen.push_back((binary ? "b" : "t") + std::string(payload));
    return true;
  }
  bool on_ws_ping(std::string_view payload) override {
    require(payload.size() <= 125, "a ping is short");
    seen.push_back("p" + std::string(payload));
    return true;
  }
  void on_ws_close(std::uint16_t code, std::string_view reason) override {
    require(net::is_valid_utf8(reason), "a reason is UTF-8");
    seen.push_back("c" + std::to_string(code) + std::string(reason));
  }
  std::vector<std::string> seen;
};

struct Decoded {
  std::vector<std::string> seen;
  net::WsDecoder::Outcome outcome = net::WsDecoder::Outcome::more;
  int failure = 0;
  bool operator==(const Decoded&) const = default;
};

/// In packets of the sizes of `cuts`, over and over. `deflate`: messages may be compressed.
Decoded decode(std::string bytes, const std::vector<std::size_t>& cuts, bool deflate) {
  net::WsDecoder decoder;
  if (deflate) decoder.allow_deflate();
  Recorder recorder;
  Decoded decoded;
  std::size_t turn = 0;
  for (std::size_t at = 0; at < bytes.size() && decoded.outcome == net::WsDecoder::Outcome::more;) {
    const auto count = std::min(cuts[turn++ % cuts.size()], bytes.size() - at);
    decoded.outcome = decoder.feed(std::span<char>(bytes).subspan(at, count), kLimits, recorder);
    require(decoder.pinned() <= 2 * kLimits.max_message + 1024, "little is kept");
    at += count;
  }
  if (decoded.outcome == net::WsDecoder::Outcome::failed) decoded.failure = static_cast<int>(decoder.failure());
  decoded.seen = std::move(recorder.seen);
  return decoded;
}

void append_frame(std::string& bytes, unsigned first, std::string_view payload, const std::string& mask) {
  bytes += static_cast<char>(first);
  if (payload.size() < 126) {
    bytes += static_cast<char>(0x80U | payload.size());
  } else {
    bytes += static_cast<char>(0x80U | 126U);
    bytes += static_cast<char>(payload.size() >> 8U);
    bytes += static_cast<char>(payload.size() & 0xFFU);
  }
  bytes += mask;
  for (std::size_t i = 0; i < payload.size(); ++i) {
    bytes += static_cast<char>(static_cast<unsigned char>(payload[i]) ^ static_cast<unsigned char>(mask[i & 3U]));
  }
}

/// Messages, some in fragments with pings between them, and what the decoder must make of them.
void check_round_trip(FuzzedDataProvider& provider, const std::vector<std::size_t>& cuts, bool deflate) {
  std::string bytes;
  std::vector<std::string> expected;
  std::string mask = provider.ConsumeBytesAsString(4);
  mask.resize(4, 'm');
  while (provider.remaining_bytes() > 0 && expected.size() < 20) {
    auto message = provider.ConsumeRandomLengthString(kLimits.max_message);
    const bool binary = provider.ConsumeBool() || !net::is_valid_utf8(message);
    std::string wire = message;
    if (deflate && provider.ConsumeBool()) wire = net::ws_deflate(message);
    const bool compressed = wire != message && wire.size() <= kLimits.max_message;
    if (!compressed) wire = message;
    const auto fragments = provider.ConsumeIntegralInRange<std::size_t>(1, kLimits.max_fragments);
    std::string_view left = wire;
    for (std::size_t i = 0; i < fragments; ++i) {
      const bool last = i + 1 == fragments;
      const auto piece =
          left.substr(0, last ? left.size() : provider.ConsumeIntegralInRange<std::size_t>(0, left.size()));
      left.remove_prefix(piece.size());
      const auto opcode = (binary ? 2U : 1U) | (compressed ? 0x40U : 0U);
      append_frame(bytes, (last ? 0x80U : 0U) | (i > 0 ? 0U : opcode), piece, mask);
      if (!last && provider.ConsumeBool()) {
        const auto ping = provider.ConsumeRandomLengthString(125);
        append_frame(bytes, 0x89U, ping, mask);
        expected.push_back("p" + ping);
      }
    }
    expected.push_back((binary ? "b" : "t") + message);
  }
  const auto decoded = decode(bytes, cuts, deflate);
  require(decoded.outcome == net::WsDecoder::Outcome::more && decoded.seen == expected, "what is framed comes back");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider provider(data, size);
  std::vector<std::size_t> cuts;
  for (int i = 0; i < 4; ++i) cuts.push_back(provider.ConsumeIntegralInRange<std::size_t>(1, 40));
  const bool deflate = provider.ConsumeBool();
  if (provider.ConsumeBool()) {
    check_round_trip(provider, cuts, deflate);
    return 0;
  }
  const auto bytes = provider.ConsumeRemainingBytesAsString();
  const auto whole = decode(bytes, {bytes.size() + 1}, deflate);
  require(decode(bytes, cuts, deflate) == whole && decode(bytes, {1}, deflate) == whole, "the packets do not matter");
  return 0;
}
