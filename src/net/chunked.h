#pragma once
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace rushes::net {

/// Reads a chunked body (RFC 9112, 7.1), without I/O and without memory of its own. Extensions and
/// trailers are checked for their form and skipped, within bounds.
///
/// Threads: single-owner.
class ChunkDecoder {
 public:
  struct Step {
    std::size_t consumed = 0;  // of the input
    std::size_t produced = 0;  // into the output
  };

  /// Takes from `input` and puts body bytes into `output` until one of them is used up, the body has
  /// ended, or it is malformed.
  Step decode(std::string_view input, std::span<char> output) noexcept;
  bool done() const noexcept { return state_ == State::done; }
  bool malformed() const noexcept { return state_ == State::malformed; }

 private:
  enum class State : std::uint8_t {
    size,
    blank,  // between a size and the semicolon of an extension
    extension_start,
    extension,
    size_line_feed,
    content,
    content_return,
    content_line_feed,
    trailer_start,
    trailer_name,
    trailer,
    trailer_line_feed,
    end_line_feed,
    done,
    malformed,
  };
  void take(char c) noexcept;
  /// One more byte of an extension or a trailer.
  void skip(bool allowed, State next) noexcept;

  State state_ = State::size;
  std::uint8_t digits_ = 0;
  std::uint32_t skipped_ = 0;  // bytes of extensions and trailers
  std::uint64_t left_ = 0;     // of this chunk
};

}  // namespace rushes::net
