#include "net/async_socket.h"

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace rushes::net {
namespace {

constexpr std::uint32_t kEnd = EPOLLRDHUP | EPOLLHUP | EPOLLERR;
constexpr std::uint32_t kInput = EPOLLIN | kEnd;
constexpr std::uint32_t kOutput = EPOLLOUT | EPOLLHUP | EPOLLERR;
// Of a stream that comes faster than it is read, more than this is there at once, and more behind it.
constexpr std::size_t kStream = 16UL << 10U;

}  // namespace

AsyncSocket::AsyncSocket(Loop& loop, FileDescriptor fd) : loop_(loop), fd_(std::move(fd)) {
  loop_.watch(fd_.get(), EPOLLIN | EPOLLRDHUP | EPOLLET, *this);
}

AsyncSocket::~AsyncSocket() {
  if (fd_) loop_.forget(fd_.get(), *this);
}

FileDescriptor AsyncSocket::release() {
  loop_.forget(fd_.get(), *this);
  return std::move(fd_);
}

ssize_t AsyncSocket::receive(std::span<char> into) {
  const auto got = ::recv(fd_.get(), into.data(), into.size(), MSG_DONTWAIT);
  if (got < 0) {
    if (errno == EAGAIN || errno == EWOULDBLOCK) may_receive_ = false;
  } else if (static_cast<std::size_t>(got) < std::min(into.size(), kStream) && !ended_) {
    may_receive_ = false;  // what comes from now on is told anew
  }
  return got;
}

Task<bool> AsyncSocket::readable() {
  if (may_receive_) co_return true;
  co_return co_await wait_for(kInput);
}

Task<bool> AsyncSocket::writable() {
  // This also tells of room that is there already: the last write need not have filled it.
  loop_.change(fd_.get(), EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET, *this);
  return wait_for(kOutput);
}

Task<bool> AsyncSocket::wait_for(std::uint32_t events) {
  auto begin = [this, events](auto handler) {
    using Handler = decltype(handler);
    struct Resumption final : Waiter {
      explicit Resumption(Handler&& waiting) : handler(std::move(waiting)) {}
      void wake(bool ready) override { std::move(handler)(ready); }
      Handler handler;
    };
    auto slot = asio::get_associated_cancellation_slot(handler);
    if (slot.is_connected()) slot.assign([this](asio::cancellation_type) { cancel(); });
    waiter_ = std::make_unique<Resumption>(std::move(handler));
    awaited_ = events;
  };
  return asio::async_initiate<const asio::use_awaitable_t<>, void(bool)>(std::move(begin), asio::use_awaitable);
}

void AsyncSocket::cancel() {
  if (!waiter_) return;
  asio::post(loop_.executor(), [waiter = std::move(waiter_)] { waiter->wake(false); });
}

void AsyncSocket::watch(std::function<void()> seen) {
  seen_ = std::move(seen);
  if (!seen_ || !may_receive_) return;
  asio::post(loop_.executor(), std::exchange(seen_, nullptr));
}

void AsyncSocket::on_events(std::uint32_t events) {
  if ((events & kInput) != 0) may_receive_ = true;
  if ((events & kEnd) != 0) ended_ = true;
  if ((events & kInput) != 0 && seen_) std::exchange(seen_, nullptr)();
  if (!waiter_ || (events & awaited_) == 0) return;
  const auto waiter = std::move(waiter_);  // whose waking may be the end of this
  waiter->wake(true);
}

}  // namespace rushes::net
