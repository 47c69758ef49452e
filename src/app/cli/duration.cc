#include "app/cli/duration.h"

#include <array>
#include <charconv>
#include <cstdint>

namespace rushes::app::cli {
namespace {

struct Unit {
  char letter;
  std::int64_t seconds;
  std::string_view word;
};
constexpr std::array<Unit, 4> kUnits{
    {{'d', 86'400, "day"}, {'h', 3'600, "hour"}, {'m', 60, "minute"}, {'s', 1, "second"}}};
constexpr std::int64_t kMostSeconds = 3'653LL * 86'400;

}  // namespace

Result<std::chrono::seconds> parse_duration(std::string_view text) {
  const Error bad(Errc::invalid_argument, "'" + std::string(text) +
                                              "' is not a length of time; allowed: a whole number with s, m, h or d, "
                                              "such as 90s, 15m, 1h, 7d, up to ten years");
  std::int64_t count = 0;
  const auto* last = text.data() + text.size();
  const auto [end, failed] = std::from_chars(text.data(), last, count);
  if (failed != std::errc() || last - end != 1 || count <= 0 || count > kMostSeconds) return bad;
  for (const auto& unit : kUnits) {
    if (unit.letter != *end) continue;
    if (count > kMostSeconds / unit.seconds) return bad;
    return std::chrono::seconds(count * unit.seconds);
  }
  return bad;
}

std::string to_words(std::chrono::seconds length) {
  for (const auto& unit : kUnits) {
    if (length.count() % unit.seconds != 0) continue;
    const auto count = length.count() / unit.seconds;
    return std::to_string(count) + " " + std::string(unit.word) + (count == 1 ? "" : "s");
  }
  return {};
}

}  // namespace rushes::app::cli
