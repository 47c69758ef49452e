#include "net/http_body.h"

#include "base/text.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace rushes::net {
namespace {

constexpr std::size_t kFirstPiece = BodyBudget::kFree;
constexpr std::uint64_t kSmall = 64UL << 10U;

}  // namespace

HttpConnection::Body::Body(HttpConnection& connection, const RequestHead& head, std::uint64_t limit)
    : connection_(connection),
      length_(head.chunked ? std::nullopt : std::optional(head.content_length.value_or(0))),
      limit_(limit),
      chunked_(head.chunked),
      continue_due_(head.expects_continue && head.has_body()),
      ended_(!head.has_body()),
      lease_(connection.shared_->bodies) {}

Task<bool> HttpConnection::Body::send_continue() {
  continue_due_ = false;
  if (!connection_.input().empty()) co_return true;
  co_return co_await connection_.write_rest("HTTP/1.1 100 Continue\r\n\r\n", {});
}

Task<Result<std::size_t>> HttpConnection::Body::read(std::span<char> buffer) {
  if (failed_) co_return *failed_;
  if (ended_ || buffer.empty()) co_return 0UL;
  if (continue_due_) {
    const bool sent = co_await send_continue();
    if (!sent) co_return failure();
  }
  if (chunked_) co_return co_await read_chunked(buffer);
  co_return co_await read_known(buffer);
}

Task<bool> HttpConnection::Body::input_comes() {
  if (connection_.socket_.may_receive()) co_return true;  // nobody waits for the client
  const auto time = patience();
  if (time.count() <= 0) {
    slow_ = true;
    co_return false;
  }
  const auto since = std::chrono::steady_clock::now();
  connection_.timed_out_ = false;
  connection_.set_deadline(time);
  connection_.await_body(since);
  const bool ready = co_await connection_.socket_.readable();
  connection_.end_wait();
  connection_.clear_deadline();
  waited_ += std::chrono::steady_clock::now() - since;
  co_return ready;
}

Task<Result<std::size_t>> HttpConnection::Body::read_known(std::span<char> buffer) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), *length_ - taken_));
  std::size_t got = std::min(wanted, connection_.input().size());
  if (got > 0) {
    std::memcpy(buffer.data(), connection_.input().data(), got);
    connection_.consume(got);
  }
  while (got == 0) {
    const bool comes = co_await input_comes();
    if (!comes) co_return failure();
    const auto received = connection_.socket_.receive(buffer.first(wanted));
    if (received > 0) got = static_cast<std::size_t>(received);
    if (received == 0) co_return failure();
    if (received < 0 && errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) co_return failure();
  }
  taken_ += got;
  ended_ = taken_ == *length_;
  co_return got;
}

std::size_t HttpConnection::Body::take_chunks(std::span<char> buffer) {
  const auto step = chunks_.decode(connection_.input(), buffer);
  connection_.consume(step.consumed);
  taken_ += step.produced;
  ended_ = chunks_.done();
  return step.produced;
}

Task<Result<std::size_t>> HttpConnection::Body::read_chunked(std::span<char> buffer) {
  for (;;) {
    const auto produced = take_chunks(buffer);
    if (chunks_.malformed()) {
      failed_ = Error::for_user(Errc::malformed, "BAD_REQUEST", "The body could not be read: a chunk is malformed.");
      co_return *failed_;
    }
    if (taken_ > limit_) {
      failed_ =
          Error::for_user(Errc::too_large, "BODY_TOO_LARGE", "The body is larger than " + to_human_size(limit_) + ".");
      co_return *failed_;
    }
    if (produced > 0 || ended_) co_return produced;
    const bool comes = co_await input_comes();
    if (!comes) co_return failure();
    connection_.make_room();
    if (connection_.take_input(connection_.shard_.loop->read_buffer()) == Input::ended) co_return failure();
  }
}

bool HttpConnection::Body::take_all(std::string& into) {
  if (ended_) return true;
  const auto input = connection_.input();
  if (!length_ || taken_ > 0 || *length_ > input.size()) return false;
  const auto size = static_cast<std::size_t>(*length_);
  if (size > BodyBudget::kFree && !hold(size)) return false;
  into.assign(input.substr(0, size));
  connection_.consume(size);
  taken_ = size;
  ended_ = true;
  return true;
}

Task<Result<void>> HttpConnection::Body::read_all(std::string& into) {
  in_memory_ = true;
  if (continue_due_) {
    const bool sent = co_await send_continue();
    if (!sent) co_return failure();
  }
  while (!ended_) {
    // Memory follows what came, not what was announced.
    if (connection_.input().empty()) {
      const bool comes = co_await input_comes();
      if (!comes) co_return failure();
    }
    const auto had = into.size();
    if (auto made = make_room(into); !made) co_return made.error();
    auto room = into.capacity() - had;
    if (length_) room = static_cast<std::size_t>(std::min<std::uint64_t>(room, *length_ - taken_));
    into.resize(had + room);
    const auto got = co_await read(std::span<char>(into).subspan(had));
    into.resize(had + (got ? *got : 0));
    if (!got) co_return got.error();
  }
  co_return Result<void>();
}

Result<void> HttpConnection::Body::make_room(std::string& into) {
  if (into.size() < into.capacity() && into.capacity() >= kFirstPiece) return {};
  auto wanted = std::max({kFirstPiece, 2 * into.size(), into.size() + connection_.input().size()});
  if (length_) wanted = static_cast<std::size_t>(std::min<std::uint64_t>(wanted, into.size() + (*length_ - taken_)));
  if (wanted <= into.capacity()) return {};
  if (auto held = hold(wanted); !held) return held;
  // Into a new one, since `reserve` takes more than it is asked for.
  std::string larger;
  larger.reserve(wanted);
  larger = into;
  into.swap(larger);
  return {};
}

Result<void> HttpConnection::Body::hold(std::size_t bytes) {
  const auto& request = connection_.request_;
  const bool known = !request.user.empty();
  // No address looks like a user's.
  const auto verdict = lease_.resize(bytes, known ? "user " + request.user : request.remote_address);
  if (verdict == BodyBudget::Verdict::granted) return {};
  const auto limit = to_human_size(connection_.shared_->bodies.limit());
  switch (verdict) {
    case BodyBudget::Verdict::too_large:
      return Error::for_user(Errc::too_large, "BODY_TOO_LARGE",
                             "The body needs more than the " + limit + " that this server has for all bodies.");
    case BodyBudget::Verdict::share_used:
      return Error::for_user(Errc::exhausted, "BODY_MEMORY_OF_USER",
                             std::string("Other requests of this ") + (known ? "user" : "address") +
                                 " that are still coming in hold a quarter of the " + limit +
                                 " for all bodies; try again once they have ended.");
    case BodyBudget::Verdict::full:
    case BodyBudget::Verdict::granted:
      break;
  }
  return Error::for_user(Errc::unavailable, "BODY_MEMORY",
                         "The " + limit + " for the bodies of all requests are used up; try again later.");
}

bool HttpConnection::Body::is_small() const noexcept {
  return !continue_due_ && !failed_ && length_.value_or(0) <= kSmall;
}

void HttpConnection::Body::skip_arrived() {
  if (ended_ || failed_ || continue_due_) return;
  if (length_) {
    const auto rest = std::min<std::uint64_t>(connection_.input().size(), *length_ - taken_);
    connection_.consume(static_cast<std::size_t>(rest));
    taken_ += rest;
    ended_ = taken_ == *length_;
    return;
  }
  const auto waste = connection_.shard_.loop->read_buffer();
  while (!ended_ && !chunks_.malformed() && take_chunks(waste) > 0) {
  }
}

Task<bool> HttpConnection::Body::skip() {
  in_memory_ = true;  // as quick as one that is held: nothing waits for it
  while (!ended_ && taken_ <= kSmall) {
    const auto got = co_await read(connection_.shard_.loop->read_buffer());
    if (!got) co_return false;
  }
  co_return ended_;
}

Error HttpConnection::Body::failure() {
  if (connection_.timed_out_ || slow_) {
    failed_ = Error(Errc::timed_out, "a request's body came too slowly");
  } else {
    failed_ = Error(Errc::malformed, "the client left in the middle of a body");
  }
  return *failed_;
}

std::uint64_t HttpConnection::Body::least_rate() const noexcept {
  const auto& limits = connection_.shared_->options.limits;
  const auto window = (in_memory_ ? limits.memory_body_time : limits.stream_body_time).count();
  const auto size = length_.value_or(taken_);
  return std::max<std::uint64_t>({limits.min_body_rate, size / static_cast<std::uint64_t>(std::max(window, 1L)), 1});
}

std::chrono::milliseconds HttpConnection::Body::patience() const {
  using std::chrono::milliseconds;
  const auto& limits = connection_.shared_->options.limits;
  const auto allowed = std::max(limits.body_rate_grace, milliseconds(taken_ * 1'000 / least_rate()));
  return std::min(limits.body_stall_timeout, allowed - std::chrono::duration_cast<milliseconds>(waited_));
}

}  // namespace rushes::net
