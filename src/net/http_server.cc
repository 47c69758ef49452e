#include "net/http_server.h"

#include "base/file.h"
#include "net/http_connection.h"

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <functional>
#include <optional>
#include <system_error>
#include <thread>

namespace rushes::net {
namespace {

using asio::ip::tcp;
constexpr int kAcceptsAtOnce = 256;
constexpr std::chrono::milliseconds kRetryPause{100};
constexpr int kMostRoomUnderWay = 32;           // newcomers that wait for another's end
constexpr std::chrono::seconds kSilentBody{5};  // after which a connection may be closed in the middle of a body
constexpr std::chrono::seconds kNotePause{10};

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
  struct Newcomer {
    FileDescriptor socket;
    std::string address;
    AddressLease lease;
  };
  void admit(FileDescriptor socket, const tcp::endpoint& peer);
  void take_in(Newcomer newcomer);
  void adopt(std::size_t shard, Newcomer newcomer);
  /// Out of descriptors, or something worse.
  void run_short(int error);
  void accept_later();
  /// Closes the connection that has been idle longest; else one in whose body nothing has come for long. Then
  /// `done(true)`, once its descriptor is free; `done(false)` where there is none.
  void make_room(std::function<void(bool made)> done);
  /// Where that connection is.
  std::optional<std::size_t> shard_to_shrink() const;
  void note_shortage(const char* what);
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
  int room_under_way_ = 0;
  bool awaiting_ = false;
  std::chrono::steady_clock::time_point shortage_noted_{};
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
  if (!acceptor_.is_open() || std::exchange(awaiting_, true)) return;
  acceptor_.async_wait(tcp::acceptor::wait_read, [self = shared_from_this()](const boost::system::error_code& error) {
    self->awaiting_ = false;
    if (!error) self->accept_clients();
  });
}

void HttpServer::Impl::accept_clients() {
  for (int i = 0; i < kAcceptsAtOnce && acceptor_.is_open(); ++i) {
    if (room_under_way_ >= kMostRoomUnderWay) return;  // goes on once there is room
    tcp::endpoint peer;
    auto size = static_cast<socklen_t>(peer.capacity());
    FileDescriptor socket(::accept4(acceptor_.native_handle(), peer.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC));
    if (!socket) {
      if (errno == EINTR || errno == ECONNABORTED) continue;
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      return run_short(errno);
    }
    peer.resize(size);
    admit(std::move(socket), peer);
  }
  await_clients();
}

void HttpServer::Impl::admit(FileDescriptor socket, const tcp::endpoint& peer) {
  // A trusted proxy's connections are those of all its clients.
  const bool proxied = shared_->options.entry.trusted_proxies.contains(peer.address());
  auto [verdict, lease] = shared_->addresses->admit(peer.address(), std::chrono::steady_clock::now(), proxied);
  if (verdict != AddressBook::Verdict::admitted) {
    auto& counts = parts_[0]->counts;
    (verdict == AddressBook::Verdict::too_many ? counts.refused_too_many : counts.refused_too_fast).add(1);
    return;
  }
  Newcomer newcomer{std::move(socket), text_of(peer), std::move(lease)};
  if (shared_->addresses->open() <= shared_->options.limits.max_connections) return take_in(std::move(newcomer));
  make_room([this, held = std::make_shared<Newcomer>(std::move(newcomer))](bool made) {
    if (made) return take_in(std::move(*held));
    note_shortage("no connection is idle, and a newcomer was refused");
    parts_[0]->counts.refused_connections.add(1);
  });
}

void HttpServer::Impl::run_short(int error) {
  if (error != EMFILE && error != ENFILE) {
    log::warning("net", "cannot accept a connection: {}", std::strerror(error));
    return accept_later();
  }
  make_room([this](bool made) {
    if (made) return accept_clients();
    note_shortage("there are no descriptors left, and no connection is idle");
    accept_later();  // who waits stays in the kernel's queue
  });
}

void HttpServer::Impl::accept_later() {
  retry_.expires_after(kRetryPause);
  retry_.async_wait([self = shared_from_this()](const boost::system::error_code& error) {
    if (!error) self->accept_clients();
  });
}

std::optional<std::size_t> HttpServer::Impl::shard_to_shrink() const {
  const auto longest = [this](WaitingList HttpShard::*list) {
    return std::min_element(parts_.begin(), parts_.end(), [list](const auto& a, const auto& b) {
      return ((*a).*list).longest_since() < ((*b).*list).longest_since();
    });
  };
  if (const auto part = longest(&HttpShard::idle); (*part)->idle.longest_since() != WaitingList::kNobody) {
    return part - parts_.begin();
  }
  const auto part = longest(&HttpShard::in_body);
  const auto silent_before = WaitingList::Clock::now() - kSilentBody;
  if ((*part)->in_body.longest_since() > silent_before.time_since_epoch().count()) return std::nullopt;
  return part - parts_.begin();
}

void HttpServer::Impl::make_room(std::function<void(bool made)> done) {
  const auto shard = shard_to_shrink();
  if (!shard) return done(false);
  note_shortage("the connection that has been idle longest is closed for each newcomer");
  ++room_under_way_;
  auto finish = [self = shared_from_this(), done = std::move(done)](bool made) {
    const bool was_full = self->room_under_way_-- == kMostRoomUnderWay;
    done(made);
    if (was_full) self->accept_clients();
  };
  asio::post(shards_.executor(*shard),
             [self = shared_from_this(), shard = *shard, finish = std::move(finish)]() mutable {
               auto& part = *self->parts_[shard];
               const bool made = part.idle.close_longest() || part.in_body.close_longest();
               // Behind what closes the socket, which waits for its turn on that shard.
               asio::post(self->shards_.executor(shard), [self, made, finish = std::move(finish)]() mutable {
                 asio::post(self->shards_.executor(0), [made, finish = std::move(finish)] { finish(made); });
               });
             });
}

void HttpServer::Impl::note_shortage(const char* what) {
  const auto now = std::chrono::steady_clock::now();
  if (now - shortage_noted_ < kNotePause) return;
  shortage_noted_ = now;
  log::warning("net", "{} connections are open, of {} that the limit of open files allows: {}",
               shared_->addresses->open(), shared_->options.limits.max_connections, what);
}

void HttpServer::Impl::take_in(Newcomer newcomer) {
  shared_->connections.fetch_add(1, std::memory_order_relaxed);
  const auto shard = next_shard_++ % shards_.size();
  if (shard == 0) return adopt(shard, std::move(newcomer));
  asio::post(shards_.executor(shard), [self = shared_from_this(), shard, held = std::move(newcomer)]() mutable {
    self->adopt(shard, std::move(held));
  });
}

void HttpServer::Impl::adopt(std::size_t shard, Newcomer newcomer) {
  auto& part = *parts_[shard];
  const int on = 1;
  ::setsockopt(newcomer.socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto pass = part.gate.try_enter();
  if (!pass) {
    shared_->connections.fetch_sub(1, std::memory_order_relaxed);
    return;
  }
  std::shared_ptr<HttpConnection> connection;
  try {
    connection = std::make_shared<HttpConnection>(shared_, part, std::move(newcomer.socket),
                                                  std::move(newcomer.address), std::move(newcomer.lease));
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

std::size_t HttpServer::body_bytes() const noexcept { return impl_->shared().bodies.used(); }

std::uint64_t HttpServer::refused_bodies() const noexcept { return impl_->shared().bodies.refused(); }

Task<> HttpServer::stop(std::chrono::milliseconds grace) { return impl_->stop(grace); }

}  // namespace rushes::net
