#include "net/gzip.h"

#include "base/text.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <optional>

namespace rushes::net {
namespace {

constexpr int kLevel = 4;
constexpr int kGzipWindow = 15 + 16;  // zlib's way to ask for gzip's frame
constexpr int kMemory = 8;

/// `gzip;q=0.5` to 500; 1000 without a weight, 0 for one that is none.
int weight_of(std::string_view coding) {
  const auto semicolon = coding.find(';');
  if (semicolon == std::string_view::npos) return 1000;
  const auto parameter = trim(coding.substr(semicolon + 1));
  if (parameter.size() < 3 || !equals_ignore_case(parameter.substr(0, 2), "q=")) return 0;
  const auto number = parameter.substr(2);
  if (number.size() > 5 || (number[0] != '0' && number[0] != '1') || (number.size() > 1 && number[1] != '.')) return 0;
  int weight = number[0] == '1' ? 1000 : 0;
  int place = 100;
  for (const char digit : number.substr(std::min<std::size_t>(2, number.size()))) {
    if (digit < '0' || digit > '9') return 0;
    weight += (digit - '0') * place;
    place /= 10;
  }
  return weight <= 1000 ? weight : 0;
}

}  // namespace

bool accepts_gzip(const Headers& headers) {
  std::optional<int> gzip;
  std::optional<int> identity;
  std::optional<int> any;
  for (const auto field : headers) {
    if (!equals_ignore_case(field.name, "Accept-Encoding")) continue;
    for (auto rest = field.value; !rest.empty();) {
      const auto coding = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(coding.size() + 1, rest.size()));
      const auto name = trim(coding.substr(0, coding.find(';')));
      if (equals_ignore_case(name, "gzip") || equals_ignore_case(name, "x-gzip")) gzip = weight_of(coding);
      if (equals_ignore_case(name, "identity")) identity = weight_of(coding);
      if (name == "*") any = weight_of(coding);
    }
  }
  const auto weight = gzip ? *gzip : any.value_or(0);
  return weight > 0 && weight >= identity.value_or(0);
}

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
