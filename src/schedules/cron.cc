#include "schedules/cron.h"

#include "base/text.h"

#include <array>
#include <charconv>
#include <span>
#include <string>
#include <vector>

namespace rushes::schedules {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::local_days;
using std::chrono::minutes;

constexpr std::size_t kLongest = 1'000;
constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::chrono::years kHorizon{50};

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<unsigned, 13> kLongestMonth{0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

struct Field {
  std::string_view name;
  unsigned least;
  unsigned most;
  std::span<const std::string_view> names;  // of least and what follows
  std::string_view allowed;
};

constexpr std::array<Field, 5> kFields{
    {{"minute", 0, 59, {}, "0 to 59"},
     {"hour", 0, 23, {}, "0 to 23"},
     {"day of month", 1, 31, {}, "1 to 31"},
     {"month", 1, 12, kMonths, "1 to 12 or JAN to DEC"},
     {"day of week", 0, 7, kWeekdays, "0 to 7 or SUN to SAT, where 0 and 7 are Sunday"}}};

struct Nickname {
  std::string_view name;
  std::string_view fields;
};
constexpr std::array<Nickname, 7> kNicknames{{{"@hourly", "0 * * * *"},
                                              {"@daily", "0 0 * * *"},
                                              {"@midnight", "0 0 * * *"},
                                              {"@weekly", "0 0 * * 0"},
                                              {"@monthly", "0 0 1 * *"},
                                              {"@yearly", "0 0 1 1 *"},
                                              {"@annually", "0 0 1 1 *"}}};

Error invalid(const std::string& why) {
  return Error::for_user(Errc::invalid_argument, "CRON_INVALID", "cron: " + why + ".");
}

Error bad_item(const Field& field, std::string_view item, const std::string& why) {
  return invalid(std::string(field.name) + " '" + shorten(item, 40) + "' " + why);
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  for (;;) {
    const auto end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (;;) {
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    if (text.empty()) return words;
    words.push_back(text.substr(0, text.find_first_of(kBlanks)));
    text.remove_prefix(words.back().size());
  }
}

std::optional<unsigned> number(std::string_view text) {
  unsigned value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<unsigned> value_of(const Field& field, std::string_view text) {
  for (unsigned i = 0; i < field.names.size(); ++i) {
    if (equals_ignore_case(text, field.names[i])) return field.least + i;
  }
  const auto value = number(text);
  return value && *value >= field.least && *value <= field.most ? value : std::nullopt;
}

struct Range {
  unsigned first;
  unsigned last;
};

Result<Range> read_range(const Field& field, std::string_view item, std::string_view text) {
  if (text == "*") return Range{field.least, field.most};
  const auto dash = text.find('-');
  const auto first = value_of(field, text.substr(0, dash));
  auto last = dash == std::string_view::npos ? first : value_of(field, text.substr(dash + 1));
  if (!first || !last) {
    return bad_item(field, item,
                    "is not allowed: write numbers from " + std::string(field.allowed) +
                        ", *, ranges such as 1-5, steps such as */2, or a list of these");
  }
  // A week may end on its Sunday by name too.
  if (*last == 0 && *first > 0 && field.most == 7) last = 7;
  if (*last < *first) {
    return bad_item(field, item, "ends before it begins: write two ranges with a comma between them");
  }
  return Range{*first, *last};
}

template <std::size_t N>
Result<std::bitset<N>> read_field(const Field& field, std::string_view text) {
  std::bitset<N> named;
  for (const auto item : split(text, ',')) {
    const auto slash = item.find('/');
    const auto base = item.substr(0, slash);
    unsigned step = 1;
    if (slash != std::string_view::npos) {
      const auto given = number(item.substr(slash + 1));
      if (!given || *given < 1 || *given > field.most) {
        return bad_item(field, item, "has no step from 1 to " + std::to_string(field.most) + " behind its /");
      }
      if (base != "*" && base.find('-') == std::string_view::npos) {
        return bad_item(field, item, "has a step without a range: write */n or a-b/n");
      }
      step = *given;
    }
    const auto range = read_range(field, item, base);
    if (!range) return range.error();
    for (auto value = range->first; value <= range->last; value += step) named.set(value);
  }
  return named;
}

}  // namespace

Result<CronExpression> CronExpression::parse(std::string_view text) {
  if (text.size() > kLongest) return invalid("the expression is longer than " + std::to_string(kLongest) + " bytes");
  auto words = words_of(text);
  if (words.size() == 1 && words[0].starts_with('@')) {
    for (const auto& known : kNicknames) {
      if (equals_ignore_case(words[0], known.name)) return parse(known.fields);
    }
    return invalid("'" + shorten(words[0], 40) +
                   "' is unknown; allowed: @hourly, @daily, @weekly, @monthly, @yearly, or five fields");
  }
  if (words.size() != kFields.size()) {
    return invalid("'" + shorten(text, 80) + "' has " + std::to_string(words.size()) +
                   (words.size() == 1 ? " field" : " fields") +
                   "; write five: minute, hour, day of month, month, day of week, such as 30 6 * * MON-FRI");
  }
  const auto in_minutes = read_field<60>(kFields[0], words[0]);
  if (!in_minutes) return in_minutes.error();
  const auto in_hours = read_field<24>(kFields[1], words[1]);
  if (!in_hours) return in_hours.error();
  const auto in_days = read_field<32>(kFields[2], words[2]);
  if (!in_days) return in_days.error();
  const auto in_months = read_field<13>(kFields[3], words[3]);
  if (!in_months) return in_months.error();
  const auto in_week = read_field<8>(kFields[4], words[4]);
  if (!in_week) return in_week.error();

  CronExpression read;
  read.minutes_ = *in_minutes;
  read.hours_ = *in_hours;
  read.days_ = *in_days;
  read.months_ = *in_months;
  read.weekdays_ = *in_week;
  if (read.weekdays_[7]) read.weekdays_.set(0);
  read.either_day_ = !words[2].starts_with('*') && !words[4].starts_with('*');
  bool comes = read.either_day_;
  for (unsigned month = 1; month <= 12; ++month) {
    for (unsigned day = 1; day <= kLongestMonth[month]; ++day) {
      comes = comes || (read.months_[month] && read.days_[day]);
    }
  }
  if (!comes) {
    return Error::for_user(Errc::invalid_argument, "CRON_NEVER",
                           "cron: day of month '" + shorten(words[2], 40) + "' never comes in month '" +
                               shorten(words[3], 40) + "'; change one of the two.");
  }
  return read;
}

bool CronExpression::names(std::chrono::year_month_day day) const {
  const bool of_month = days_[static_cast<unsigned>(day.day())];
  const bool of_week = weekdays_[std::chrono::weekday(local_days(day)).c_encoding()];
  return either_day_ ? of_month || of_week : of_month && of_week;
}

std::optional<minutes> CronExpression::first_in_day(minutes from) const {
  const auto begin = static_cast<unsigned>(from.count());
  for (auto hour = begin / 60; hour < 24; ++hour) {
    if (!hours_[hour]) continue;
    for (auto minute = hour == begin / 60 ? begin % 60 : 0; minute < 60; ++minute) {
      if (minutes_[minute]) return minutes(hour * 60 + minute);
    }
  }
  return std::nullopt;
}

std::optional<LocalMinute> CronExpression::first(LocalMinute from) const {
  const auto first_day = floor<days>(from);
  const auto last_day = first_day + floor<days>(kHorizon);
  for (auto day = first_day; day <= last_day;) {
    const std::chrono::year_month_day date(day);
    if (!months_[static_cast<unsigned>(date.month())]) {
      day = local_days((date.year() / date.month() + std::chrono::months(1)) / 1);
      continue;
    }
    if (names(date)) {
      if (const auto time = first_in_day(day == first_day ? from - day : minutes(0))) return day + *time;
    }
    day += days(1);
  }
  return std::nullopt;
}

}  // namespace rushes::schedules
