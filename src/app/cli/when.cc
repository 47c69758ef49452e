#include "app/cli/when.h"

#include "base/rfc3339.h"
#include "base/text.h"

#include <chrono>

namespace rushes::app::cli {

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
