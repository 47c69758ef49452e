// A chunked body means the same however its bytes come and whatever room there is for the result; and what is
// encoded comes back.
#include "net/chunked.h"
#include "require.h"

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstdio>
#include <string>

using namespace rushes;
using fuzz::require;

namespace {

struct Result {
  std::string body;
  std::size_t consumed = 0;
  bool done = false;
  bool malformed = false;
  bool operator==(const Result&) const = default;
};

/// Gives the decoder `in` bytes and room for `out` at a time.
Result decode(std::string_view bytes, std::size_t in, std::size_t out) {
  net::ChunkDecoder decoder;
  Result result;
  std::string room(out, '\0');
  while (result.consumed < bytes.size() && !decoder.done() && !decoder.malformed()) {
    const auto input = bytes.substr(result.consumed, in);
    const auto step = decoder.decode(input, room);
    require(step.consumed <= input.size() && step.produced <= room.size(), "a step stays within its bounds");
    require(step.consumed > 0 || step.produced > 0 || decoder.malformed(), "a step gets on");
    result.consumed += step.consumed;
    result.body.append(room, 0, step.produced);
  }
  result.done = decoder.done();
  result.malformed = decoder.malformed();
  return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider provider(data, size);
  const auto in = provider.ConsumeIntegralInRange<std::size_t>(1, 16);
  const auto out = provider.ConsumeIntegralInRange<std::size_t>(1, 16);
  const auto rest = provider.ConsumeRemainingBytesAsString();

  const auto whole = decode(rest, rest.size() + 1, rest.size() + 1);
  require(!(whole.done && whole.malformed), "it cannot be done and malformed");
  require(whole.body.size() <= rest.size(), "a body is never longer than its encoding");
  require(decode(rest, in, out) == whole && decode(rest, 1, 1) == whole, "the cuts do not matter");

  std::string encoded;
  for (std::size_t at = 0; at < rest.size(); at += in) {
    const auto chunk = std::string_view(rest).substr(at, in);
    char head[32];
    std::snprintf(head, sizeof head, at % 2 == 0 ? "%zx\r\n" : "%zX;a=b\r\n", chunk.size());
    encoded.append(head).append(chunk).append("\r\n");
  }
  encoded += "0\r\nX-Trailer: t\r\n\r\n";
  const auto back = decode(encoded + "GET", out, in);
  require(back.done && back.body == rest && back.consumed == encoded.size(), "what is encoded comes back, and no more");
  return 0;
}
