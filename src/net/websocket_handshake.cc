#include "net/websocket_handshake.h"

#include "base/text.h"

#include <openssl/evp.h>

#include <array>

namespace rushes::net {
namespace {

constexpr std::string_view kGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
constexpr std::size_t kKeyLength = 24;  // 16 bytes in base64

Error bad_handshake(std::string_view why) {
  return Error::for_user(Errc::malformed, "BAD_HANDSHAKE",
                         "Not a WebSocket handshake of version 13: " + std::string(why) + ".");
}

}  // namespace

Result<std::string> websocket_accept(const Request& request) {
  if (request.method != "GET") return bad_handshake("the method is not GET");
  if (request.headers.find("sec-websocket-version") != "13") return bad_handshake("the version is not 13");
  const auto connection = to_lower_ascii(request.headers.find("connection").value_or(""));
  if (connection.find("upgrade") == std::string::npos) return bad_handshake("Connection does not say Upgrade");
  const std::string key(request.headers.find("sec-websocket-key").value_or(""));
  if (key.size() != kKeyLength) return bad_handshake("the key is not 16 bytes in base64");

  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  const auto text = key + std::string(kGuid);
  EVP_Digest(text.data(), text.size(), digest.data(), &length, EVP_sha1(), nullptr);
  std::array<unsigned char, 64> encoded{};
  const int size = EVP_EncodeBlock(encoded.data(), digest.data(), static_cast<int>(length));
  return std::string(reinterpret_cast<const char*>(encoded.data()), static_cast<std::size_t>(size));
}

}  // namespace rushes::net
