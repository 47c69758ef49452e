#include "schedules/rhythm.h"

namespace rushes::schedules {

using std::chrono::ceil;
using std::chrono::floor;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_seconds;

namespace {

std::chrono::local_seconds shown_at(sys_seconds time, seconds ahead) {
  return std::chrono::local_seconds(time.time_since_epoch() + ahead);
}

}  // namespace

Result<Rhythm> Rhythm::parse(std::string_view cron, std::string_view zone) {
  const auto expression = CronExpression::parse(cron);
  if (!expression) return expression.error();
  const auto place = Zone::find(zone);
  if (!place) return place.error();
  return Rhythm(*expression, *place);
}

std::optional<Timestamp> Rhythm::after(Timestamp time) const {
  return expression_.every_hour() ? passing_after(time) : shown_after(time);
}

std::vector<Timestamp> Rhythm::after(Timestamp time, int count) const {
  std::vector<Timestamp> times;
  while (static_cast<int>(times.size()) < count) {
    const auto next = after(times.empty() ? time : times.back());
    if (!next) break;
    times.push_back(*next);
  }
  return times;
}

std::optional<Timestamp> Rhythm::passing_after(Timestamp time) const {
  auto from = floor<seconds>(time) + seconds(1);
  for (;;) {
    const auto period = zone_.at(from);
    const auto local = expression_.first(ceil<minutes>(shown_at(from, period.ahead)));
    if (!local) return std::nullopt;
    const auto found = sys_seconds(seconds(local->time_since_epoch()) - period.ahead);
    if (found < period.end) return found;
    from = period.end;
  }
}

std::optional<Timestamp> Rhythm::shown_after(Timestamp time) const {
  const auto now = floor<seconds>(time);
  // What the clocks showed earlier has come: the later a local time, the later, or as late, its first moment.
  auto local = floor<minutes>(shown_at(now, zone_.at(now).ahead)) + minutes(1);
  for (;;) {
    const auto next = expression_.first(local);
    if (!next) return std::nullopt;
    if (const Timestamp found = zone_.first(*next); found > time) return found;
    local = *next + minutes(1);
  }
}

}  // namespace rushes::schedules
