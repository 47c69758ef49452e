#pragma once
#include "base/clock.h"
#include "schedules/cron.h"
#include "schedules/zone.h"

#include <optional>
#include <string_view>
#include <vector>

namespace rushes::schedules {

/// When something recurs: a cron expression on the clocks of a place.
///
/// Where clocks are put forward, a time that they leave out comes at the first moment after the gap; where they are put
/// back, a time that they show twice comes once, the first time. An expression of every hour is no time of day: it goes
/// on by the minutes that pass, through both of the hours and over the gap.
///
/// Threads: immutable.
class Rhythm {
 public:
  /// Errors: those of CronExpression::parse and Zone::find.
  static Result<Rhythm> parse(std::string_view cron, std::string_view zone);

  /// The first time after `time`; a whole minute. Nothing only where the calendar ends.
  std::optional<Timestamp> after(Timestamp time) const;
  /// The first `count` times after `time`.
  std::vector<Timestamp> after(Timestamp time, int count) const;

 private:
  Rhythm(CronExpression expression, Zone zone) : expression_(expression), zone_(zone) {}
  std::optional<Timestamp> passing_after(Timestamp time) const;
  std::optional<Timestamp> shown_after(Timestamp time) const;

  CronExpression expression_;
  Zone zone_;
};

}  // namespace rushes::schedules
