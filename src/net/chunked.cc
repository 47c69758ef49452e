#include "net/chunked.h"

#include <algorithm>
#include <cstring>
#include <string_view>

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

bool is_token(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

bool is_blank(char c) { return c == ' ' || c == '\t'; }

/// A byte of a field's value or of a quoted text (RFC 9110, 5.5): no control character but the tab.
bool is_text(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == '\t' || (byte >= 0x20 && byte != 0x7F);
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

void ChunkDecoder::skip(bool allowed, State next) noexcept {
  state_ = allowed && ++skipped_ <= kMaxSkipped ? next : State::malformed;
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
      } else if (c == ';') {
        state_ = State::extension_start;
      } else if (is_blank(c)) {
        state_ = State::blank;
      } else {
        expect('\r', State::size_line_feed);
      }
      return;
    case State::blank:
      skip(c == ';' || is_blank(c), c == ';' ? State::extension_start : State::blank);
      return;
    case State::extension_start:
      skip(is_token(c) || is_blank(c), is_token(c) ? State::extension : State::extension_start);
      return;
    case State::extension:
      if (c == '\r') {
        state_ = State::size_line_feed;
      } else {
        skip(is_text(c), State::extension);
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
      skip(is_token(c), State::trailer_name);
      return;
    case State::trailer_name:
      skip(is_token(c) || c == ':', c == ':' ? State::trailer : State::trailer_name);
      return;
    case State::trailer:
      if (c == '\r') {
        state_ = State::trailer_line_feed;
      } else {
        skip(is_text(c), State::trailer);
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
