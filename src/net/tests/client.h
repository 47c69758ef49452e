#pragma once
#include "base/file.h"

#include <gtest/gtest.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace rushes::net {

/// A plain blocking client: what it writes and reads are bytes.
class Client {
 public:
  explicit Client(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  }

  /// False once the server has closed for good.
  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// One answer: its head, then as many bytes as Content-Length says.
  std::string answer(bool with_body = true) {
    while (in_.find("\r\n\r\n") == std::string::npos && more()) {
    }
    const auto head_end = in_.find("\r\n\r\n");
    if (head_end == std::string::npos) return std::exchange(in_, {});
    std::size_t size = head_end + 4;
    const auto length = in_.find("Content-Length: ");
    if (with_body && length < head_end) size += std::stoul(in_.substr(length + 16));
    while (in_.size() < size && more()) {
    }
    auto text = in_.substr(0, size);
    in_.erase(0, size);
    return text;
  }
  /// All until the server closes.
  std::string rest() {
    while (more()) {
    }
    return std::exchange(in_, {});
  }
  bool more() {
    pollfd waiting{fd_.get(), POLLIN, 0};
    if (::poll(&waiting, 1, 10'000) <= 0) return false;
    char buffer[65'536];
    const auto got = ::recv(fd_.get(), buffer, sizeof buffer, 0);
    reset_ = reset_ || got < 0;
    if (got <= 0) return false;
    in_.append(buffer, static_cast<std::size_t>(got));
    return true;
  }
  bool was_reset() const { return reset_; }
  void leave() { fd_.reset(); }

 private:
  FileDescriptor fd_;
  std::string in_;
  bool reset_ = false;
};

}  // namespace rushes::net
