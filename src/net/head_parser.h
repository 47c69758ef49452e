#pragma once
#include "net/message.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace rushes::net {

/// What of a request's head is not in the Request itself.
struct RequestHead {
  std::size_t consumed = 0;  // bytes of the input
  bool keep_alive = true;
  bool http_1_0 = false;
  bool chunked = false;
  bool upgrade = false;
  bool expects_continue = false;
  std::optional<std::uint64_t> content_length;

  bool has_body() const noexcept { return chunked || content_length.value_or(0) > 0; }
};

struct HeadLimits {
  std::size_t max_bytes = 32UL << 10U;
  std::size_t max_fields = 100;
};

/// Why a head was refused, as an HTTP status.
struct HeadRefusal {
  int status = 400;
  const char* why = "";
};

/// The outcome of one try: a head, nothing yet (`needs_more`), or a refusal.
struct HeadOutcome {
  std::optional<RequestHead> head;
  std::optional<HeadRefusal> refusal;
  bool needs_more() const noexcept { return !head && !refusal; }
};

/// Reads one request's head from the front of `input` into `request`; without I/O. What is ambiguous
/// about where a body ends (smuggling) is refused.
HeadOutcome parse_head(std::string_view input, const HeadLimits& limits, Request& request);

}  // namespace rushes::net
