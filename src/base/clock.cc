#include "base/clock.h"

namespace rushes {

Timestamp SystemClock::now() const {
  return std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

Timestamp FakeClock::now() const { return from_millis(millis_.load()); }

void FakeClock::advance(std::chrono::milliseconds by) { millis_ += by.count(); }

std::string to_rfc3339(Timestamp time) {
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  std::string text = "0000-00-00T00:00:00.000Z";
  const auto put = [&text](std::size_t at, std::size_t digits, auto number) {
    for (auto left = static_cast<unsigned>(number); digits-- > 0; left /= 10) {
      text[at + digits] = static_cast<char>('0' + left % 10);
    }
  };
  put(0, 4, static_cast<int>(date.year()));
  put(5, 2, static_cast<unsigned>(date.month()));
  put(8, 2, static_cast<unsigned>(date.day()));
  put(11, 2, clock.hours().count());
  put(14, 2, clock.minutes().count());
  put(17, 2, clock.seconds().count());
  put(20, 3, clock.subseconds().count());
  return text;
}

std::int64_t to_millis(Timestamp time) { return time.time_since_epoch().count(); }

Timestamp from_millis(std::int64_t millis) { return Timestamp(std::chrono::milliseconds(millis)); }

}  // namespace rushes
