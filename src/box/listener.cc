#include "box/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <string>

namespace rushes::box {
namespace {

/// The value of an int option of a socket; -1 where it has none.
int option_of(int socket, int name) {
  int value = -1;
  socklen_t length = sizeof value;
  return ::getsockopt(socket, SOL_SOCKET, name, &value, &length) == 0 ? value : -1;
}

}  // namespace

Result<FileDescriptor> listen_on_loopback(std::uint16_t port) {
  FileDescriptor listener(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (!listener || ::bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener.get(), SOMAXCONN) != 0) {
    return system_error("listen on", "127.0.0.1:" + std::to_string(port));
  }
  return listener;
}

bool is_listener(const FileDescriptor& socket) noexcept {
  return option_of(socket.get(), SO_DOMAIN) == AF_INET && option_of(socket.get(), SO_PROTOCOL) == IPPROTO_TCP &&
         option_of(socket.get(), SO_ACCEPTCONN) == 1;
}

}  // namespace rushes::box
