#include "net/gzip.h"

#include <zlib.h>

#include <algorithm>
#include <array>

namespace rushes::net {
namespace {

constexpr int kLevel = 4;
constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for gzip's frame
constexpr int kMemory = 8;

}  // namespace

bool is_compressible(std::string_view content_type) noexcept {
  constexpr std::array<std::string_view, 7> kTypes{"text/",
                                                   "application/json",
                                                   "application/problem+json",
                                                   "application/javascript",
                                                   "application/manifest+json",
                                                   "application/openapi+json",
                                                   "image/svg+xml"};
  return std::any_of(kTypes.begin(), kTypes.end(), [&](auto type) { return content_type.starts_with(type); });
}

std::string gzip(std::string_view text) {
  z_stream stream{};
  if (deflateInit2(&stream, kLevel, Z_DEFLATED, kGzipWindow, kMemory, Z_DEFAULT_STRATEGY) != Z_OK) return {};
  // One byte less than there is: what does not fit is not worth it.
  std::string packed(text.empty() ? 0 : text.size() - 1, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  const bool whole = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  packed.resize(whole ? stream.total_out : 0);
  deflateEnd(&stream);
  return packed;
}

}  // namespace rushes::net
