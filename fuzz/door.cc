// The heads that a door reads: a request from inside a box, an answer from any site. What is passed on must mean the
// same to whoever reads it next.
#include "box/detail/answer_head.h"
#include "box/detail/door_request.h"
#include "require.h"

#include <string>

using namespace rushes;
using fuzz::require;

namespace {

/// Lines that end in CRLF, and the empty one at the end only.
void check_head(std::string_view head) {
  require(head.ends_with("\r\n\r\n"), "a head ends with an empty line");
  require(head.find("\r\n\r\n") == head.size() - 4, "and with the first one");
}

void check_request(std::string_view bytes) {
  const auto request = box::detail::read_door_request(bytes);
  if (!request || request->report) return;
  require(!request->host.empty() && request->port != 0, "there is somebody to connect to");
  require(request->host.find_first_of("@/\\%[] \r\n") == std::string::npos, "a host is a host");
  require(request->tunnel == request->forward_head.empty(), "a tunnel forwards no head");
}

void check_answer(std::string_view bytes) {
  const auto length = box::detail::answer_head_length(bytes);
  require(length <= bytes.size(), "no more is read than there is");
  if (length == 0) return;
  const auto head = box::detail::read_answer_head(bytes.substr(0, length));
  if (!head) return;
  check_head(head->forward);
  require(head->forward.find('\n') != std::string::npos && head->status >= 100, "an answer has a status");
  const auto again = box::detail::read_answer_head(head->forward);
  require(again.has_value(), "it can be read again");
  require(again->forward == head->forward && again->packing == head->packing && again->status == head->status &&
              again->interim == head->interim,
          "the second reading agrees");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = fuzz::as_text(data, size);
  check_request(bytes);
  check_answer(bytes);
  return 0;
}
