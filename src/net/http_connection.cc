#include "net/http_connection.h"

#include "base/text.h"
#include "net/http_body.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

// g++ 12 pairs Asio's frame allocator with the global one where a coroutine catches around a co_await.
#pragma GCC diagnostic ignored "-Wmismatched-new-delete"

namespace rushes::net {
namespace {

constexpr std::size_t kReadSize = 4UL << 10U;
// With a head, so much of what follows it is taken at most: it is held before anyone has asked who sends it.
constexpr std::size_t kHeadRead = 16UL << 10U;

Task<> expire(std::chrono::milliseconds after) { co_await sleep_for(after); }

}  // namespace

HttpConnection::HttpConnection(std::shared_ptr<HttpShared> shared, HttpShard& shard, FileDescriptor socket,
                               std::string peer_address, AddressLease lease)
    : shared_(std::move(shared)),
      shard_(shard),
      socket_(*shard.loop, std::move(socket)),
      peer_address_(std::move(peer_address)),
      lease_(std::move(lease)) {
  shard_.connections.insert(this);
  request_.watch_peer = [this](std::function<void()> gone) { watch_peer(std::move(gone)); };
}

HttpConnection::~HttpConnection() {
  end_wait();
  shard_.loop->timers().cancel(*this);
  shard_.connections.erase(this);
  shared_->connections.fetch_sub(1, std::memory_order_relaxed);
}

void HttpConnection::wind_down() {
  winding_down_ = true;
  if (streaming_ != nullptr) streaming_->stop();
  if (idle_) cut();
}

void HttpConnection::cut() {
  if (streaming_ != nullptr) streaming_->stop();
  socket_.cancel();
  // Not closed here: the task may hold the descriptor in a call that follows.
  if (socket_.fd() >= 0) ::shutdown(socket_.fd(), SHUT_RDWR);
}

bool HttpConnection::close_for_another() {
  char byte = 0;
  // A request that has come in the meantime is served.
  if (!lingering_ && ::recv(socket_.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0) return false;
  end_wait();
  shard_.counts.shed.add(1);
  cut();
  return true;
}

void HttpConnection::on_deadline() {
  timed_out_ = true;
  socket_.cancel();
}

Task<> HttpConnection::run(std::shared_ptr<HttpConnection> self, Gate::Pass pass) {
  const auto held = std::move(pass);
  // Unnamed work of its own would outlive `self` otherwise; see STYLE, Coroutines.
  co_await self->serve();
}

Task<> HttpConnection::serve() {
  for (;;) {
    reset_request();
    auto outcome = co_await read_head();
    if (outcome.needs_more()) co_return;  // the peer left, or has been idle too long
    auto verdict = shared_->entry.examine(request_);
    origin_ = verdict.origin;
    if (outcome.refusal) {
      co_await linger_after(status_problem(outcome.refusal->status, outcome.refusal->why));
      co_return;
    }
    const auto next = co_await handle(*outcome.head, std::move(verdict.refusal));
    if (next == Next::linger) co_await linger();
    if (next != Next::keep) co_return;
  }
}

void HttpConnection::reset_request() {
  auto& request = request_;
  request.method.clear();
  request.target.clear();
  request.path.clear();
  request.query.clear();
  request.headers.clear();
  request.params.clear();
  request.user.clear();
  request.ignored.clear();
  drop_body();
  if (out_.capacity() > 4 * kReadSize) std::string().swap(out_);
  request.stream = nullptr;
  request.peer_address = peer_address_;
  origin_ = OriginVerdict::none;
  http_1_0_ = false;
  ++request_number_;
}

void HttpConnection::drop_body() {
  if (request_.body.capacity() > kReadSize) std::string().swap(request_.body);
  request_.body.clear();
}

Task<HeadOutcome> HttpConnection::read_head() {
  const auto& limits = shared_->options.limits;
  const HeadLimits head_limits{limits.max_head, limits.max_fields};
  bool started = false;
  for (;;) {
    if (!input().empty()) {
      auto outcome = parse_head(input(), head_limits, request_);
      if (outcome.head) consume(outcome.head->consumed);
      if (!outcome.needs_more()) {
        end_wait();
        clear_deadline();
        co_return outcome;
      }
      if (!started) await_head(limits.head_timeout);
      started = true;
    } else {
      if (winding_down_) co_return HeadOutcome();
      await_head(request_number_ == 1 ? limits.head_timeout : limits.keep_alive_timeout);
    }
    make_room();
    idle_ = !started;
    const bool ready = co_await socket_.readable();
    idle_ = false;
    if (ready && take_input(shard_.loop->read_buffer().first(kHeadRead)) != Input::ended) continue;
    end_wait();
    HeadOutcome outcome;
    if (timed_out_ && started) outcome.refusal = HeadRefusal{408, "The head of the request came too slowly."};
    co_return outcome;
  }
}

void HttpConnection::await_head(std::chrono::milliseconds at_most) {
  const auto now = std::chrono::steady_clock::now();
  shard_.loop->timers().set(*this, now + at_most);
  shard_.idle.enter(*this, now);
}

Task<HttpConnection::Next> HttpConnection::handle(RequestHead head, std::optional<Response> refusal) {
  http_1_0_ = head.http_1_0;
  if (refusal && head.has_body()) return linger_after(std::move(*refusal));
  if (refusal) return answer(std::move(*refusal), head.keep_alive);
  if (head.upgrade && !head.http_1_0 && !head.has_body()) {
    if (const auto* handler = shared_->router.match_upgrade(request_.path)) return upgrade(head, *handler);
  }
  auto match = shared_->router.match(request_);
  if (match.route != nullptr) return dispatch(head, *match.route);
  if (request_.method == "OPTIONS") return answer(Response(204), head.keep_alive && !head.has_body());

  Response response;
  if (match.path_known) {
    response = status_problem(405, "This path does not take the method " + request_.method + ".");
    response.headers.add("Allow", match.allow);
  } else {
    response = problem(Error::for_user(Errc::not_found, "NO_SUCH_PATH", "There is nothing at this path."));
  }
  if (head.has_body()) return linger_after(std::move(response));
  return answer(std::move(response), head.keep_alive);
}

Task<HttpConnection::Next> HttpConnection::upgrade(RequestHead head, const UpgradeHandler& handler) {
  if (origin_ == OriginVerdict::refused) {
    shard_.counts.refused_origins.add(1);
    co_return co_await answer(status_problem(403, origin_refusal(request_)), false);
  }
  UpgradeAnswer verdict;
  bool failed = false;
  try {
    verdict = co_await handler(request_);
  } catch (const std::exception& error) {
    log::error("net", "the upgrade handler of {} threw: {}", request_.path, error.what());
    failed = true;
  }
  if (failed) co_return co_await answer(problem(Error()), false);
  if (verdict.refusal) co_return co_await answer(std::move(*verdict.refusal), head.keep_alive);
  shard_.counts.upgrades.add(1);
  DetachedSocket detached{socket_.release(), std::string(input()), std::move(lease_)};
  if (verdict.take_over) verdict.take_over(std::move(detached));
  co_return Next::detached;
}

Task<HttpConnection::Next> HttpConnection::dispatch(RequestHead head, const Router::Route& route) {
  const auto limit = route.options.max_body;
  if (head.content_length.value_or(0) > limit) {
    co_return co_await linger_after(status_problem(413, "The body is larger than " + to_human_size(limit) + "."));
  }
  Body body(*this, head, limit);
  request_.stream = &body;
  auto response = co_await call(route);
  request_.stream = nullptr;
  drop_body();
  body.release();
  if (body.timed_out()) {
    response = status_problem(408, "The body came too slowly: one of its size is sent at " +
                                       std::to_string(body.least_rate()) +
                                       " bytes a second or more, and without long silences.");
  }
  body.skip_arrived();
  if (body.ended()) co_return co_await answer(std::move(response), head.keep_alive);
  // A client that was refused need not send the rest, and one with much of it should not.
  if (response.status >= 400 || !head.keep_alive || !body.is_small())
    co_return co_await linger_after(std::move(response));
  const auto next = co_await answer(std::move(response), true);
  if (next != Next::keep) co_return next;
  const bool skipped = co_await body.skip();
  co_return skipped ? Next::keep : Next::close;
}

Task<Response> HttpConnection::call(const Router::Route& route) {
  using asio::experimental::awaitable_operators::operator||;
  Response response;
  try {
    if (route.options.deadline.count() > 0) {
      auto outcome = co_await (route.handler(request_) || expire(route.options.deadline));
      if (outcome.index() == 0) {
        response = std::get<0>(std::move(outcome));
      } else {
        response = problem(Error(Errc::unavailable, "the handler's deadline passed"));
      }
    } else {
      response = co_await route.handler(request_);
    }
  } catch (const std::exception& error) {
    log::error("net", "the handler of {} {} threw: {}", request_.method, request_.path, error.what());
    response = problem(Error());
  }
  end_watch();
  co_return response;
}

Task<std::size_t> HttpConnection::read_some(std::span<char> into) {
  for (;;) {
    const bool ready = co_await socket_.readable();
    if (!ready) co_return 0;
    const auto got = socket_.receive(into);
    if (got >= 0) co_return static_cast<std::size_t>(got);
    if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) co_return 0;
  }
}

void HttpConnection::make_room() {
  in_.erase(0, in_first_);
  in_first_ = 0;
  if (in_.empty() && in_.capacity() > kReadSize) std::string().swap(in_);
}

HttpConnection::Input HttpConnection::take_input(std::span<char> buffer) {
  const auto got = socket_.receive(buffer);
  if (got > 0) {
    in_.append(buffer.data(), static_cast<std::size_t>(got));
    return Input::came;
  }
  return got < 0 && (errno == EINTR || errno == EAGAIN || errno == EWOULDBLOCK) ? Input::none : Input::ended;
}

void HttpConnection::consume(std::size_t bytes) noexcept {
  in_first_ += bytes;
  // What waits for its client from here on keeps no buffer for it.
  if (in_first_ == in_.size() && in_.capacity() > kReadSize) make_room();
}

void HttpConnection::end_watch() {
  gone_ = nullptr;
  socket_.watch(nullptr);
}

void HttpConnection::watch_peer(std::function<void()> gone) {
  gone_ = std::move(gone);
  socket_.watch([self = weak_from_this(), number = request_number_] {
    const auto there = self.lock();
    if (!there || number != there->request_number_ || !there->gone_) return;
    char byte = 0;
    const auto got = ::recv(there->socket_.fd(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    // A further request behind this one is no reason to give up.
    if (got > 0 || (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))) return;
    const auto tell = std::exchange(there->gone_, nullptr);
    tell();
  });
}

}  // namespace rushes::net
