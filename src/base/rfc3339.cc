#include "base/rfc3339.h"

#include <chrono>

namespace rushes {
namespace {

/// Takes a text from its front, piece by piece.
class Reader {
 public:
  explicit Reader(std::string_view text) : rest_(text) {}

  /// A number of exactly so many digits.
  std::optional<int> number(std::size_t digits) {
    if (rest_.size() < digits) return std::nullopt;
    int value = 0;
    for (const char c : rest_.substr(0, digits)) {
      if (c < '0' || c > '9') return std::nullopt;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return value;
  }
  /// One of these characters; 0 for any other.
  char one_of(std::string_view allowed) {
    if (rest_.empty() || allowed.find(rest_.front()) == std::string_view::npos) return '\0';
    const char c = rest_.front();
    rest_.remove_prefix(1);
    return c;
  }
  bool at_end() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

std::optional<std::chrono::milliseconds> read_fraction(Reader& reader) {
  if (reader.one_of(".") == '\0') return std::chrono::milliseconds(0);
  int millis = 0;
  int weight = 100;
  int digits = 0;
  for (; const char c = reader.one_of("0123456789"); ++digits, weight /= 10) millis += weight * (c - '0');
  if (digits == 0) return std::nullopt;
  return std::chrono::milliseconds(millis);
}

std::optional<std::chrono::minutes> read_offset(Reader& reader) {
  const char sign = reader.one_of("Zz+-");
  if (sign == '\0') return std::nullopt;
  if (sign == 'Z' || sign == 'z') return std::chrono::minutes(0);
  const auto hours = reader.number(2);
  if (!hours || *hours > 23 || reader.one_of(":") == '\0') return std::nullopt;
  const auto minutes = reader.number(2);
  if (!minutes || *minutes > 59) return std::nullopt;
  const std::chrono::minutes offset(*hours * 60 + *minutes);
  return sign == '-' ? -offset : offset;
}

}  // namespace

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  Reader reader(text);
  const auto years = reader.number(4);
  if (!years || reader.one_of("-") == '\0') return std::nullopt;
  const auto months = reader.number(2);
  if (!months || reader.one_of("-") == '\0') return std::nullopt;
  const auto of_month = reader.number(2);
  if (!of_month || reader.one_of("Tt") == '\0') return std::nullopt;
  const auto of_day = reader.number(2);
  if (!of_day || *of_day > 23 || reader.one_of(":") == '\0') return std::nullopt;
  const auto of_hour = reader.number(2);
  if (!of_hour || *of_hour > 59 || reader.one_of(":") == '\0') return std::nullopt;
  const auto of_minute = reader.number(2);
  if (!of_minute || *of_minute > 60) return std::nullopt;  // a leap second
  const year_month_day date{year(*years), month(static_cast<unsigned>(*months)), day(static_cast<unsigned>(*of_month))};
  if (!date.ok()) return std::nullopt;
  const auto fraction = read_fraction(reader);
  if (!fraction) return std::nullopt;
  const auto offset = read_offset(reader);
  if (!offset || !reader.at_end()) return std::nullopt;
  return Timestamp(sys_days(date)) + hours(*of_day) + minutes(*of_hour) + seconds(*of_minute) + *fraction - *offset;
}

}  // namespace rushes
