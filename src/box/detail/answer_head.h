#pragma once
#include "base/result.h"

#include <string>
#include <string_view>

namespace rushes::box::detail {

/// The head of an origin's answer to a plain request, as the door passes it on.
struct AnswerHead {
  int status = 0;
  std::string forward;   // normalised: CRLF, one line a field, nothing that readers could understand in two ways
  std::string packing;   // what unpacks the body, of Content-Encoding and Transfer-Encoding; empty: nothing but chunks
  bool interim = false;  // 1xx: another head follows
};

/// Reads a head, up to and with its empty line. Lines may end in LF alone, and fields may be folded, as some old
/// servers write them; what is passed on is neither. Errors: `malformed` for what is not an HTTP/1 answer, and for 101,
/// which no request of the door asks for.
Result<AnswerHead> read_answer_head(std::string_view head);

/// How long the head at the start of `bytes` is; 0: its end is not there yet.
std::size_t answer_head_length(std::string_view bytes) noexcept;

}  // namespace rushes::box::detail
