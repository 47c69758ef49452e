#include "net/http_server.h"

#include "base/file.h"
#include "net/http_connection.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <system_error>
#include <thread>

namespace rushes::net {
namespace {

using asio::ip::tcp;
constexpr int kAcceptsAtOnce = 256;
constexpr std::chrono::milliseconds kOutOfFilesPause{100};

Result<tcp::endpoint> endpoint_of(const HttpOptions& options) {
  const std::string& host = options.host == "localhost" ? "127.0.0.1" : options.host;
  boost::system::error_code error;
  const auto address = asio::ip::make_address(host, error);
  if (error) {
    return Error::for_user(Errc::invalid_argument, "BAD_HOST",
                           "The host `" + options.host + "` to listen on is no IP address.");
  }
  return tcp::endpoint(address, options.port);
}

std::string text_of(const tcp::endpoint& endpoint) {
  const auto address = endpoint.address();
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()).to_string();
  }
  return address.to_string();
}

}  // namespace

class HttpServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Shards& shards, const Router& router, HttpOptions options)
      : shards_(shards),
        shared_(std::make_shared<HttpShared>(router, std::move(options))),
        acceptor_(shards.loop(0)),
        retry_(shards.loop(0)) {
    for (std::size_t i = 0; i < shards_.size(); ++i) parts_.push_back(std::make_unique<HttpShard>(shards_.loop(i)));
  }

  Result<std::uint16_t> start();
  Task<> stop(std::chrono::milliseconds grace);
  const std::vector<std::unique_ptr<HttpShard>>& parts() const noexcept { return parts_; }
  const HttpShared& shared() const noexcept { return *shared_; }

 private:
  void await_clients();
  void accept_clients();
  void adopt(std::size_t shard, int fd, const tcp::endpoint& peer, AddressLease lease);
  static Task<> close_acceptor(std::shared_ptr<Impl> self);
  static Task<> stop_shard(std::shared_ptr<Impl> self, std::size_t shard, std::chrono::milliseconds grace);

  Shards& shards_;
  const std::shared_ptr<HttpShared> shared_;
  std::vector<std::unique_ptr<HttpShard>> parts_;
  // Touched on shard 0 once started.
  tcp::acceptor acceptor_;
  asio::steady_timer retry_;
  tcp protocol_ = tcp::v4();
  std::size_t next_shard_ = 0;
  bool started_ = false;
  bool stopped_ = false;
};

Result<std::uint16_t> HttpServer::Impl::start() {
  const auto endpoint = endpoint_of(shared_->options);
  if (!endpoint) return endpoint.error();
  protocol_ = endpoint->protocol();
  boost::system::error_code error;
  acceptor_.open(protocol_, error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(*endpoint, error);
  if (!error) acceptor_.listen(4096, error);
  if (!error) acceptor_.native_non_blocking(true, error);
  if (error) {
    boost::system::error_code ignored;
    acceptor_.close(ignored);
    const auto where = shared_->options.host + ":" + std::to_string(shared_->options.port);
    return Error::for_user(Errc::unavailable, "CANNOT_LISTEN",
                           error == asio::error::address_in_use
                               ? "The address " + where + " is in use; stop the other program or choose another port."
                               : "Cannot listen on " + where + ": " + error.message() + ".");
  }
  started_ = true;
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    asio::post(shards_.executor(i), [loop = parts_[i]->loop] { loop->start(); });
  }
  const auto port = acceptor_.local_endpoint().port();
  asio::post(shards_.executor(0), [self = shared_from_this()] { self->await_clients(); });
  return port;
}

void HttpServer::Impl::await_clients() {
  if (!acceptor_.is_open()) return;
  acceptor_.async_wait(tcp::acceptor::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->accept_clients();
  });
}

void HttpServer::Impl::accept_clients() {
  for (int i = 0; i < kAcceptsAtOnce && acceptor_.is_open(); ++i) {
    tcp::endpoint peer;
    auto size = static_cast<socklen_t>(peer.capacity());
    const int fd = ::accept4(acceptor_.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      // Out of descriptors or memory: waiting clients stay in the kernel's queue meanwhile.
      log::warning("net", "cannot accept a connection: {}", std::strerror(errno));
      retry_.expires_after(kOutOfFilesPause);
      retry_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
        if (!error) self->await_clients();
      });
      return;
    }
    peer.resize(size);
    if (shared_->connections.fetch_add(1, std::memory_order_relaxed) >= shared_->options.limits.max_connections) {
      shared_->connections.fetch_sub(1, std::memory_order_relaxed);
      ::close(fd);
      parts_[0]->counts.refused_connections.add(1);
      continue;
    }
    // A trusted proxy's connections are those of all its clients.
    const bool proxied = shared_->options.entry.trusted_proxies.contains(peer.address());
    auto [verdict, lease] = proxied ? std::pair(AddressBook::Verdict::admitted, AddressLease())
                                    : shared_->addresses->admit(peer.address(), std::chrono::steady_clock::now());
    if (verdict != AddressBook::Verdict::admitted) {
      shared_->connections.fetch_sub(1, std::memory_order_relaxed);
      auto& counts = parts_[0]->counts;
      (verdict == AddressBook::Verdict::too_many ? counts.refused_too_many : counts.refused_too_fast).add(1);
      ::close(fd);
      continue;
    }
    const auto shard = next_shard_++ % shards_.size();
    if (shard == 0) {
      adopt(shard, fd, peer, std::move(lease));
    } else {
      asio::post(shards_.executor(shard),
                 [self = shared_from_this(), shard, fd, peer, held = std::move(lease)]() mutable {
                   self->adopt(shard, fd, peer, std::move(held));
                 });
    }
  }
  await_clients();
}

void HttpServer::Impl::adopt(std::size_t shard, int fd, const tcp::endpoint& peer, AddressLease lease) {
  auto& part = *parts_[shard];
  const int on = 1;
  ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  FileDescriptor socket(fd);
  auto pass = part.gate.try_enter();
  if (!pass) {
    shared_->connections.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  std::shared_ptr<HttpConnection> connection;
  try {
    connection = std::make_shared<HttpConnection>(shared_, part, std::move(socket), text_of(peer), std::move(lease));
  } catch (const std::system_error& error) {
    log::error("net", "cannot watch a connection: {}", error.what());
    shared_->connections.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  spawn_detached(shards_.executor(shard), "net", HttpConnection::run(std::move(connection), std::move(*pass)));
}

Task<> HttpServer::Impl::close_acceptor(std::shared_ptr<Impl> self) {
  boost::system::error_code ignored;
  self->acceptor_.close(ignored);
  self->retry_.cancel();
  co_return;
}

Task<> HttpServer::Impl::stop_shard(std::shared_ptr<Impl> self, std::size_t shard, std::chrono::milliseconds grace) {
  auto& part = *self->parts_[shard];
  part.stopping = true;
  for (auto* connection : part.connections) connection->wind_down();
  asio::steady_timer patience(self->shards_.loop(shard), grace);
  patience.async_wait([&part](const boost::system::error_code& error) {
    if (error) return;
    for (auto* connection : part.connections) connection->cut();
  });
  co_await part.gate.close();
  patience.cancel();
  part.loop->stop();
}

Task<> HttpServer::Impl::stop(std::chrono::milliseconds grace) {
  if (!started_ || stopped_) co_return;
  stopped_ = true;
  const auto self = shared_from_this();
  co_await run_on(shards_.executor(0), close_acceptor(self));
  for (std::size_t i = 0; i < shards_.size(); ++i) co_await run_on(shards_.executor(i), stop_shard(self, i, grace));
}

HttpServer::HttpServer(Shards& shards, const Router& router, HttpOptions options)
    : impl_(std::make_shared<Impl>(shards, router, std::move(options))) {}

HttpServer::~HttpServer() = default;

Result<std::uint16_t> HttpServer::start() { return impl_->start(); }

std::size_t HttpServer::shards() const noexcept { return impl_->parts().size(); }

const HttpCounts& HttpServer::counts(std::size_t shard) const { return impl_->parts()[shard]->counts; }

std::size_t HttpServer::connections() const noexcept {
  return impl_->shared().connections.load(std::memory_order_relaxed);
}

Task<> HttpServer::stop(std::chrono::milliseconds grace) { return impl_->stop(grace); }

}  // namespace rushes::net
