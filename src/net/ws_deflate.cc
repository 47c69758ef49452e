#include "net/ws_deflate.h"

#include "base/text.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>

namespace rushes::net {
namespace {

constexpr int kRawWindow = -15;  // zlib's way to ask for no frame around it
constexpr int kMemory = 8;
constexpr int kLevel = 3;                                 // quick: others wait while it is done
constexpr std::string_view kTail{"\x00\x00\xFF\xFF", 4};  // ends each message, and is not sent
constexpr std::size_t kPiece = 16UL << 10U;

/// zlib's state, some 300 KiB, is made once a thread and reset for each message.
class Packer {
 public:
  Packer() {
    if (deflateInit2(&stream_, kLevel, Z_DEFLATED, kRawWindow, kMemory, Z_DEFAULT_STRATEGY) != Z_OK)
      throw std::bad_alloc();
  }
  Packer(const Packer&) = delete;
  Packer& operator=(const Packer&) = delete;
  ~Packer() { deflateEnd(&stream_); }

  std::string pack(std::string_view message) {
    deflateReset(&stream_);
    std::string packed(deflateBound(&stream_, static_cast<uLong>(message.size())) + 16, '\0');
    stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(message.data()));
    stream_.avail_in = static_cast<uInt>(message.size());
    stream_.next_out = reinterpret_cast<Bytef*>(packed.data());
    stream_.avail_out = static_cast<uInt>(packed.size());
    deflate(&stream_, Z_SYNC_FLUSH);
    packed.resize(stream_.total_out - kTail.size());
    return packed;
  }

 private:
  z_stream stream_{};
};

class Unpacker {
 public:
  Unpacker() {
    if (inflateInit2(&stream_, kRawWindow) != Z_OK) throw std::bad_alloc();
  }
  Unpacker(const Unpacker&) = delete;
  Unpacker& operator=(const Unpacker&) = delete;
  ~Unpacker() { inflateEnd(&stream_); }

  Result<std::string> unpack(std::string_view payload, std::size_t max_size) {
    inflateReset(&stream_);
    std::string message;
    for (const auto part : {payload, kTail}) {
      stream_.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(part.data()));
      stream_.avail_in = static_cast<uInt>(part.size());
      for (bool more = !part.empty(); more;) {
        std::array<char, kPiece> piece;
        stream_.next_out = reinterpret_cast<Bytef*>(piece.data());
        stream_.avail_out = static_cast<uInt>(piece.size());
        const int outcome = inflate(&stream_, Z_SYNC_FLUSH);
        if (outcome != Z_OK && outcome != Z_STREAM_END && outcome != Z_BUF_ERROR) {
          return Error(Errc::malformed, "a compressed message that does not inflate");
        }
        message.append(piece.data(), piece.size() - stream_.avail_out);
        if (message.size() > max_size) return Error(Errc::too_large, "a compressed message that inflates to too much");
        if (outcome == Z_STREAM_END) inflateReset(&stream_);  // a last block: allowed, others may follow (7.2.3.4)
        more = stream_.avail_in > 0 || stream_.avail_out == 0;
        if (outcome == Z_BUF_ERROR) more = false;
      }
    }
    return message;
  }

 private:
  z_stream stream_{};
};

/// Whether a parameter of an offer is one that we can hold to.
bool can_hold_to(std::string_view parameter) {
  const auto equals = std::min(parameter.find('='), parameter.size());
  const auto name = trim(parameter.substr(0, equals));
  const auto value = trim(parameter.substr(std::min(equals + 1, parameter.size())));
  if (name == "server_no_context_takeover" || name == "client_no_context_takeover") return value.empty();
  if (name == "client_max_window_bits") return true;  // what it may do; we do not ask it to
  return name == "server_max_window_bits" && (value == "15" || value == "\"15\"");
}

bool is_acceptable(std::string_view offer) {
  auto end = offer.find(';');
  if (trim(offer.substr(0, end)) != "permessage-deflate") return false;
  while (end != std::string_view::npos) {
    offer.remove_prefix(end + 1);
    end = offer.find(';');
    if (!can_hold_to(trim(offer.substr(0, end)))) return false;
  }
  return true;
}

}  // namespace

std::optional<std::string_view> accept_ws_deflate(std::string_view offers) {
  while (!offers.empty()) {
    const auto end = std::min(offers.find(','), offers.size());
    if (is_acceptable(offers.substr(0, end))) {
      return "permessage-deflate; server_no_context_takeover; client_no_context_takeover";
    }
    offers.remove_prefix(std::min(end + 1, offers.size()));
  }
  return std::nullopt;
}

std::string ws_deflate(std::string_view message) {
  thread_local Packer packer;
  return packer.pack(message);
}

Result<std::string> ws_inflate(std::string_view payload, std::size_t max_size) {
  thread_local Unpacker unpacker;
  return unpacker.unpack(payload, max_size);
}

}  // namespace rushes::net
