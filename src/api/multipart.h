#pragma once
#include "async/task.h"
#include "base/result.h"

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::api {

/// What precedes a part's content.
struct PartHead {
  std::string name;
  std::string file_name;  // as the client calls it; empty for a plain field
  bool is_file = false;
};

/// The boundary of a `multipart/form-data` content type (RFC 7578, RFC 2046 5.1).
/// Errors: `unsupported` (CONTENT_TYPE) for another type; `malformed` without a usable boundary.
Result<std::string> multipart_boundary(std::string_view content_type);

/// Reads a multipart/form-data body part by part, in constant memory, without a copy of the content.
///
/// Use: `next_part`, then `read` until it is empty, then `next_part` again; what was not read is skipped.
///
/// Threads:  single-owner.
/// Errors:   those of the source; `malformed` where the body breaks the form.
class MultipartReader {
 public:
  /// Fills the span's front and gives how much; 0 at the end.
  using Source = std::function<Task<Result<std::size_t>>(std::span<char>)>;

  /// Asked before the buffer grows to so many bytes; where it says no, the buffer stays as it is.
  using Growth = std::function<bool(std::size_t)>;
  static constexpr std::size_t kFirstBuffer = std::size_t{16} << 10U;

  /// The buffer grows up to `most_bytes`, as the content comes faster than that.
  MultipartReader(std::string boundary, Source source, std::size_t most_bytes = std::size_t{256} << 10U,
                  Growth may_grow = {});

  /// The next part; nothing after the last.
  Task<Result<std::optional<PartHead>>> next_part();

  /// More of the part's content, valid until the next call; empty at its end.
  Task<Result<std::string_view>> read();

 private:
  Task<Result<std::size_t>> fill();
  void grow();
  std::string_view buffered() const noexcept { return {buffer_.data() + begin_, end_ - begin_}; }

  const std::string delimiter_;  // CRLF, two dashes, the boundary
  Source source_;
  const std::size_t most_bytes_;
  Growth may_grow_;
  std::vector<char> buffer_;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool in_part_ = false;
  bool started_ = false;
  bool finished_ = false;
};

}  // namespace rushes::api
