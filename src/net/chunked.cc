#include "net/chunked.h"

#include <algorithm>
#include <cstring>

namespace rushes::net {
namespace {

// All extensions and trailers of one body together: nobody needs more, and they are for free otherwise.
constexpr std::uint32_t kMaxSkipped = 16U << 10U;
constexpr std::uint8_t kMaxDigits = 15;

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

ChunkDecoder::Step ChunkDecoder::decode(std::string_view input, std::span<char> output) noexcept {
  Step step;
  while (step.consumed < input.size() && !done() && !malformed()) {
    if (state_ != State::content) {
      take(input[step.consumed++]);
      continue;
    }
    const auto room = output.size() - step.produced;
    if (room == 0) break;
    const auto count =
        std::min({static_cast<std::uint64_t>(room), static_cast<std::uint64_t>(input.size() - step.consumed), left_});
    std::memcpy(output.data() + step.produced, input.data() + step.consumed, static_cast<std::size_t>(count));
    step.consumed += static_cast<std::size_t>(count);
    step.produced += static_cast<std::size_t>(count);
    left_ -= count;
    if (left_ == 0) state_ = State::content_return;
  }
  return step;
}

void ChunkDecoder::take(char c) noexcept {
  const auto expect = [this, c](char wanted, State next) { state_ = c == wanted ? next : State::malformed; };
  switch (state_) {
    case State::size:
      if (const int digit = hex_digit(c); digit >= 0) {
        left_ = left_ * 16 + static_cast<std::uint64_t>(digit);
        if (++digits_ > kMaxDigits) state_ = State::malformed;
      } else if (digits_ == 0) {
        state_ = State::malformed;
      } else if (c == ';' || c == ' ' || c == '\t') {
        state_ = State::extension;
      } else {
        expect('\r', State::size_line_feed);
      }
      return;
    case State::extension:
      if (c == '\r') {
        state_ = State::size_line_feed;
      } else if (c == '\n' || ++skipped_ > kMaxSkipped) {
        state_ = State::malformed;
      }
      return;
    case State::size_line_feed:
      digits_ = 0;
      expect('\n', left_ == 0 ? State::trailer_start : State::content);
      return;
    case State::content_return:
      expect('\r', State::content_line_feed);
      return;
    case State::content_line_feed:
      expect('\n', State::size);
      return;
    case State::trailer_start:
      if (c == '\r') {
        state_ = State::end_line_feed;
        return;
      }
      state_ = State::trailer;
      [[fallthrough]];
    case State::trailer:
      if (c == '\r') {
        state_ = State::trailer_line_feed;
      } else if (c == '\n' || ++skipped_ > kMaxSkipped) {
        state_ = State::malformed;
      }
      return;
    case State::trailer_line_feed:
      expect('\n', State::trailer_start);
      return;
    case State::end_line_feed:
      expect('\n', State::done);
      return;
    case State::content:
    case State::done:
    case State::malformed:
      return;
  }
}

}  // namespace rushes::net
