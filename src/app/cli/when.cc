#include "app/cli/when.h"

#include "base/text.h"

#include <charconv>
#include <chrono>

namespace rushes::app::cli {
namespace {

/// The digits at `at`, or nothing where there is anything else.
std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  int value = 0;
  const auto* first = text.data() + at;
  const auto [end, failed] = std::from_chars(first, first + count, value);
  if (failed != std::errc() || end != first + count || value < 0) return std::nullopt;
  return value;
}

}  // namespace

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  if (text.size() < 20 || text.back() != 'Z' || text[4] != '-' || text[7] != '-' || text[10] != 'T' ||
      text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  const auto years = digits(text, 0, 4);
  const auto months = digits(text, 5, 2);
  const auto of_month = digits(text, 8, 2);
  const auto of_day = digits(text, 11, 2);
  const auto of_hour = digits(text, 14, 2);
  const auto of_minute = digits(text, 17, 2);
  if (!years || !months || !of_month || !of_day || !of_hour || !of_minute) return std::nullopt;
  const year_month_day date{year(*years), month(static_cast<unsigned>(*months)), day(static_cast<unsigned>(*of_month))};
  if (!date.ok() || *of_day > 23 || *of_hour > 59 || *of_minute > 60) return std::nullopt;
  const auto fraction = text[19] == '.' ? digits(text, 20, 3).value_or(0) : 0;
  return sys_days(date) + hours(*of_day) + minutes(*of_hour) + seconds(*of_minute) + milliseconds(fraction);
}

std::string ago(Timestamp then, Timestamp now) {
  using namespace std::chrono;
  const auto past = now - then;
  const auto in_words = [](auto count, const char* unit) {
    return std::to_string(count.count()) + " " + unit + " ago";
  };
  if (past < minutes(1)) return "just now";
  if (past < hours(1)) return in_words(duration_cast<minutes>(past), "min");
  if (past < days(2)) return in_words(duration_cast<hours>(past), "h");
  return in_words(duration_cast<days>(past), "d");
}

std::string elapsed(std::string_view from, std::string_view to) {
  const auto begin = parse_rfc3339(from);
  const auto end = parse_rfc3339(to);
  if (!begin || !end || *end < *begin) return {};
  return to_clock_time(std::chrono::duration<double>(*end - *begin).count());
}

}  // namespace rushes::app::cli
