#pragma once
#include "async/task.h"
#include "base/file.h"
#include "base/result.h"

#include <boost/asio/redirect_error.hpp>

#include <string>
#include <vector>

namespace rushes::box::detail {

/// A text and the descriptors that travel with it over a Unix socket (SCM_RIGHTS, unix(7)).
struct Message {
  std::string text;
  std::vector<FileDescriptor> descriptors;
};

constexpr std::size_t kMaxMessage = 64U << 10U;
constexpr std::size_t kMaxDescriptors = 16;

/// Errors: `unavailable` when the peer is gone.
Result<void> send_message(int socket, std::string_view text, const std::vector<int>& descriptors = {});

/// Blocks unless the socket does not. An empty text: the peer has closed its end.
/// Errors: `unavailable`; `timed_out` where a socket that does not block has nothing; `malformed` where something was
/// cut off.
Result<Message> receive_message(int socket);

/// The same on an event loop. `Socket`: what Asio can wait for; borrowed.
template <class Socket>
Task<Result<Message>> async_receive_message(Socket& socket) {
  for (;;) {
    boost::system::error_code failed;
    co_await socket.async_wait(Socket::wait_read, asio::redirect_error(asio::use_awaitable, failed));
    if (failed) co_return Error(Errc::unavailable, "box: " + failed.message());
    auto message = receive_message(socket.native_handle());
    // It may wake without a message.
    if (message || message.error().code() != Errc::timed_out) co_return message;
  }
}

}  // namespace rushes::box::detail
