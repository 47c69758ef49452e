// A request's head: read from a part of the bytes it means nothing yet, or what the whole means; and written down
// again it means the same.
#include "net/head_parser.h"
#include "require.h"

#include <algorithm>
#include <string>

using namespace rushes;
using fuzz::require;

namespace {

struct Parsed {
  net::HeadOutcome outcome;
  net::Request request;
};

Parsed parse(std::string_view bytes, const net::HeadLimits& limits) {
  Parsed parsed;
  parsed.outcome = net::parse_head(bytes, limits, parsed.request);
  return parsed;
}

bool same_fields(const net::Headers& a, const net::Headers& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.name == y.name && x.value == y.value; });
}

void check_head(std::string_view bytes, const Parsed& parsed, const net::HeadLimits& limits) {
  const auto& head = *parsed.outcome.head;
  const auto& request = parsed.request;
  require(head.consumed <= bytes.size(), "no more is consumed than there is");
  require(bytes.substr(0, head.consumed).ends_with("\r\n\r\n"), "a head ends with an empty line");
  require(bytes.substr(0, head.consumed - 1).find("\r\n\r\n", 2 * 16) == std::string_view::npos || head.consumed < 36,
          "and with the first one");
  require(request.headers.size() <= limits.max_fields, "the limit of fields is kept");
  require(!(head.chunked && head.content_length), "a body has one length");
  require(!head.chunked || !head.http_1_0, "HTTP/1.0 has no chunks");
  require(!request.path.empty() && (request.path.front() == '/' || request.path == "*"), "a path is absolute");
  require(request.path.find('\0') == std::string::npos, "no zero byte in a path");
  for (const auto& field : request.headers) {
    require(!field.name.empty(), "a field has a name");
    for (const auto* text : {&field.name, &field.value}) {
      require(text->find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos, "a field is one line");
    }
  }
  // Written down again: what a proxy behind us would read is what we have read.
  std::string again = request.method + " " + request.target + (head.http_1_0 ? " HTTP/1.0\r\n" : " HTTP/1.1\r\n");
  for (const auto& field : request.headers) again.append(field.name).append(": ").append(field.value).append("\r\n");
  again += "\r\n";
  net::HeadLimits wide = limits;
  wide.max_bytes += 4 * limits.max_fields + 16;  // blanks that were not there
  const auto second = parse(again, wide);
  require(second.outcome.head.has_value(), "it can be read again");
  require(second.outcome.head->content_length == head.content_length && second.outcome.head->chunked == head.chunked &&
              second.outcome.head->keep_alive == head.keep_alive && second.outcome.head->upgrade == head.upgrade,
          "the second reading agrees about body and connection");
  require(second.request.path == request.path && second.request.query == request.query &&
              same_fields(second.request.headers, request.headers),
          "the second reading agrees about path, query and fields");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::as_text(data, size);
  net::HeadLimits limits;
  limits.max_bytes = 512;  // so that the limits are met
  limits.max_fields = 8;
  const auto whole = parse(bytes, limits);
  if (whole.outcome.head) check_head(bytes, whole, limits);

  const std::size_t step = size > 256 ? size / 64 : 1;
  for (std::size_t cut = 0; cut < size; cut += step) {
    const auto part = parse(bytes.substr(0, cut), limits);
    if (part.outcome.needs_more()) continue;
    require(part.outcome.refusal.has_value() == whole.outcome.refusal.has_value(), "a part is judged as the whole is");
    if (part.outcome.refusal) continue;
    require(part.outcome.head->consumed == whole.outcome.head->consumed &&
                same_fields(part.request.headers, whole.request.headers) && part.request.path == whole.request.path,
            "what follows a head does not change it");
  }
  return 0;
}
