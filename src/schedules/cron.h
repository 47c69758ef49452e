#pragma once
#include "base/result.h"

#include <bitset>
#include <chrono>
#include <optional>
#include <string_view>

namespace rushes::schedules {

/// A minute as the clocks of some place show it.
using LocalMinute = std::chrono::local_time<std::chrono::minutes>;

/// The five fields of a crontab: minute, hour, day of month, month, day of week. Numbers, names of months and days,
/// `*`, ranges, steps and lists; Sunday is 0 and 7. Or one of @hourly, @daily (@midnight), @weekly, @monthly,
/// @yearly (@annually). As in Vixie's cron a day is named by either of its two fields where both are restricted; one
/// that begins with `*` is not.
///
/// Threads: immutable.
class CronExpression {
 public:
  /// Errors: `invalid_argument`: CRON_INVALID, naming field, value and what is allowed; CRON_NEVER for a day that no
  /// month of it has.
  static Result<CronExpression> parse(std::string_view text);

  /// The first minute that it names, `from` or later; nothing within 50 years, which no expression is without.
  std::optional<LocalMinute> first(LocalMinute from) const;

  /// Whether it names every hour of its days: a rhythm, not a time of day.
  bool every_hour() const noexcept { return hours_.all(); }

 private:
  bool names(std::chrono::year_month_day day) const;
  std::optional<std::chrono::minutes> first_in_day(std::chrono::minutes from) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<8> weekdays_;
  bool either_day_ = false;  // days_ or weekdays_; else both
};

}  // namespace rushes::schedules
