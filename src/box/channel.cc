#include "box/channel.h"

#include "box/enter.h"

#include <sys/socket.h>

#include <cerrno>

namespace rushes::box {
namespace {

bool write_all(std::string_view text) {
  while (!text.empty()) {
    const auto sent = ::send(kChannelFd, text.data(), text.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    text.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool read_all(std::string& text) {
  std::size_t at = 0;
  while (at < text.size()) {
    const auto got = ::recv(kChannelFd, text.data() + at, text.size() - at, 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += static_cast<std::size_t>(got);
  }
  return true;
}

}  // namespace

std::string encode_length(std::size_t bytes) {
  std::string text(kLengthBytes, '\0');
  for (std::size_t i = 0; i < kLengthBytes; ++i) text[i] = static_cast<char>(bytes >> (8 * i) & 0xffU);
  return text;
}

Result<std::size_t> decode_length(std::string_view four_bytes, std::size_t most) {
  std::size_t length = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    length |= static_cast<std::size_t>(static_cast<unsigned char>(four_bytes[i])) << (8 * i);
  }
  if (length > most) {
    return Error(Errc::malformed, "box: a message of " + std::to_string(length) + " bytes");
  }
  return length;
}

bool Channel::send(std::string_view text) const {
  const std::lock_guard lock(sending_);
  return write_all(encode_length(text.size())) && write_all(text);
}

std::optional<std::string> Channel::receive() const {
  std::string head(kLengthBytes, '\0');
  if (!read_all(head)) return std::nullopt;
  const auto length = decode_length(head);
  if (!length) return std::nullopt;
  std::string text(*length, '\0');
  if (!read_all(text)) return std::nullopt;
  return text;
}

}  // namespace rushes::box
