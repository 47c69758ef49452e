#pragma once
#include <cstdint>
#include <string_view>

namespace rushes::net {

/// Checks UTF-8 that comes in pieces; a character may lie across two of them.
///
/// Threads: single-owner.
class Utf8Validator {
 public:
  /// Whether all so far can still become valid text. Once false, always false.
  bool feed(std::string_view bytes) noexcept;
  /// Whether the text may end here.
  bool complete() const noexcept { return state_ == 0; }
  void reset() noexcept { state_ = 0; }

 private:
  std::uint32_t state_ = 0;
};

/// The whole text at once.
bool is_valid_utf8(std::string_view text) noexcept;

}  // namespace rushes::net
