#include "net/http_body.h"

#include "base/text.h"

#include <algorithm>
#include <cstring>

namespace rushes::net {
namespace {

constexpr std::chrono::seconds kRateGrace{30};
constexpr std::size_t kFirstPiece = 16UL << 10U;

}  // namespace

HttpConnection::Body::Body(HttpConnection& connection, const RequestHead& head, std::uint64_t limit)
    : connection_(connection),
      length_(head.chunked ? std::nullopt : std::optional(head.content_length.value_or(0))),
      limit_(limit),
      chunked_(head.chunked),
      continue_due_(head.expects_continue && head.has_body()),
      ended_(!head.has_body()),
      started_(std::chrono::steady_clock::now()) {}

Task<Result<std::size_t>> HttpConnection::Body::read(std::span<char> buffer) {
  if (failed_) co_return *failed_;
  if (ended_ || buffer.empty()) co_return 0UL;
  if (continue_due_) {
    continue_due_ = false;
    if (connection_.input().empty()) {
      const bool written = co_await connection_.write_rest("HTTP/1.1 100 Continue\r\n\r\n", {});
      if (!written) co_return failure();
    }
  }
  if (chunked_) co_return co_await read_chunked(buffer);
  co_return co_await read_known(buffer);
}

Task<Result<std::size_t>> HttpConnection::Body::read_known(std::span<char> buffer) {
  const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), *length_ - taken_));
  std::size_t got = std::min(wanted, connection_.input().size());
  if (got > 0) {
    std::memcpy(buffer.data(), connection_.input().data(), got);
    connection_.consume(got);
  } else {
    if (too_slow()) co_return failure();
    connection_.set_deadline(connection_.shared_->options.limits.body_stall_timeout);
    got = co_await connection_.read_some(buffer.first(wanted));
    connection_.clear_deadline();
    if (got == 0) co_return failure();
  }
  taken_ += got;
  ended_ = taken_ == *length_;
  co_return got;
}

Task<Result<std::size_t>> HttpConnection::Body::read_chunked(std::span<char> buffer) {
  for (;;) {
    const auto step = chunks_.decode(connection_.input(), buffer);
    connection_.consume(step.consumed);
    taken_ += step.produced;
    if (chunks_.malformed()) {
      failed_ = Error(Errc::malformed, "bad chunk in a request's body");
      co_return *failed_;
    }
    if (taken_ > limit_) {
      failed_ =
          Error::for_user(Errc::too_large, "BODY_TOO_LARGE", "The body is larger than " + to_human_size(limit_) + ".");
      co_return *failed_;
    }
    ended_ = chunks_.done();
    if (step.produced > 0 || ended_) co_return step.produced;
    if (too_slow()) co_return failure();
    connection_.set_deadline(connection_.shared_->options.limits.body_stall_timeout);
    const bool more = co_await connection_.fill_input();
    connection_.clear_deadline();
    if (!more) co_return failure();
  }
}

bool HttpConnection::Body::take_all(std::string& into) {
  const auto input = connection_.input();
  if (!length_ || taken_ > 0 || *length_ > input.size()) return false;
  const auto size = static_cast<std::size_t>(*length_);
  into.assign(input.substr(0, size));
  connection_.consume(size);
  taken_ = size;
  ended_ = true;
  return true;
}

Task<Result<bool>> HttpConnection::Body::read_all(std::string& into) {
  while (!ended_) {
    // Memory follows what came, not what was announced.
    const auto had = into.size();
    auto room = std::max(kFirstPiece, had);
    if (length_) room = static_cast<std::size_t>(std::min<std::uint64_t>(room, *length_ - taken_));
    into.resize(had + room);
    auto got = co_await read(std::span<char>(into).subspan(had));
    into.resize(had + (got ? *got : 0));
    if (!got) co_return got.error();
  }
  co_return true;
}

Error HttpConnection::Body::failure() {
  if (connection_.timed_out_ || too_slow()) {
    failed_ = Error(Errc::timed_out, "a request's body came too slowly");
  } else {
    failed_ = Error(Errc::malformed, "the client left in the middle of a body");
  }
  return *failed_;
}

bool HttpConnection::Body::too_slow() const {
  const auto lasted = std::chrono::steady_clock::now() - started_;
  if (lasted < kRateGrace) return false;
  const auto seconds = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(lasted).count());
  return taken_ < seconds * connection_.shared_->options.limits.min_body_rate;
}

}  // namespace rushes::net
