#include "schedules/rhythm.h"

#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <ctime>
#include <random>
#include <string>

namespace rushes::schedules {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_days;
using std::chrono::year;

/// The times after `from`, as RFC 3339 without seconds.
std::vector<std::string> times(std::string_view cron, std::string_view zone, Timestamp from, int count) {
  std::vector<std::string> written;
  for (const auto time : Rhythm::parse(cron, zone).value().after(from, count)) {
    written.push_back(to_rfc3339(time).substr(0, 16));
  }
  return written;
}
using Times = std::vector<std::string>;

const Timestamp kSpring = sys_days(year(2026) / 3 / 28) + 12h;   // Berlin: 29 March, 02:00 to 03:00 is left out
const Timestamp kAutumn = sys_days(year(2026) / 10 / 24) + 12h;  // 25 October, 02:00 to 03:00 comes twice

TEST(RhythmTest, ATimeThatClocksLeaveOutComesAfterTheGap) {
  EXPECT_EQ(times("30 2 * * *", "Europe/Berlin", kSpring, 3),
            (Times{"2026-03-29T01:00", "2026-03-30T00:30", "2026-03-31T00:30"}));
  EXPECT_EQ(times("0,15,30 2,3 * * *", "Europe/Berlin", kSpring, 4),
            (Times{"2026-03-29T01:00", "2026-03-29T01:15", "2026-03-29T01:30", "2026-03-30T00:00"}))
      << "once, however many of them the gap holds";
  EXPECT_EQ(times("0 12 30 12 *", "Pacific/Apia", sys_days(year(2011) / 12 / 1), 1), (Times{"2011-12-30T10:00"}))
      << "a day that was left out";
}

TEST(RhythmTest, ATimeThatClocksShowTwiceComesOnce) {
  EXPECT_EQ(times("30 2 * * *", "Europe/Berlin", kAutumn, 2), (Times{"2026-10-25T00:30", "2026-10-26T01:30"}));
  EXPECT_EQ(times("*/30 2 * * *", "Europe/Berlin", kAutumn, 3),
            (Times{"2026-10-25T00:00", "2026-10-25T00:30", "2026-10-26T01:00"}));
  // Asked in the second of the two hours.
  EXPECT_EQ(times("30 2 * * *", "Europe/Berlin", sys_days(year(2026) / 10 / 25) + 1h, 1), (Times{"2026-10-26T01:30"}));
}

TEST(RhythmTest, EveryHourGoesOnByTheTimeThatPasses) {
  EXPECT_EQ(times("30 * * * *", "Europe/Berlin", kSpring + 12h, 3),
            (Times{"2026-03-29T00:30", "2026-03-29T01:30", "2026-03-29T02:30"}));
  EXPECT_EQ(times("30 * * * *", "Europe/Berlin", kAutumn + 12h, 3),
            (Times{"2026-10-25T00:30", "2026-10-25T01:30", "2026-10-25T02:30"}));
}

TEST(RhythmTest, ComesStrictlyLater) {
  const auto noon = sys_days(year(2026) / 1 / 1) + 12h;
  EXPECT_EQ(times("* * * * *", "UTC", noon, 1), (Times{"2026-01-01T12:01"}));
  EXPECT_EQ(times("* * * * *", "UTC", noon - 1ms, 1), (Times{"2026-01-01T12:00"}));
  EXPECT_EQ(times("0 12 * * *", "UTC", noon - 1ms, 1), (Times{"2026-01-01T12:00"}));
  EXPECT_EQ(times("0 12 * * *", "UTC", noon, 1), (Times{"2026-01-02T12:00"}));
  EXPECT_EQ(times("0 0 * * *", "America/New_York", noon, 1), (Times{"2026-01-02T05:00"}));
}

/// A field written as text, and what it names, made at random.
struct MadeField {
  std::string text;
  std::array<bool, 61> named{};
};

class Maker {
 public:
  explicit Maker(unsigned seed) : random_(seed) {}
  int pick(int least, int most) { return std::uniform_int_distribution<>(least, most)(random_); }

  MadeField field(int least, int most) {
    MadeField made;
    const auto add = [&](const std::string& item, int first, int last, int step) {
      made.text += (made.text.empty() ? "" : ",") + item;
      for (int value = first; value <= last; value += step) made.named.at(static_cast<std::size_t>(value)) = true;
    };
    const int form = pick(0, 5);
    if (form < 2) {
      add("*", least, most, 1);
    } else if (form == 2) {
      const int step = pick(1, most);
      add("*/" + std::to_string(step), least, most, step);
    } else {
      for (int items = pick(1, 3); items > 0; --items) {
        const int first = pick(least, most);
        const int last = pick(first, most);
        const int step = pick(1, 5);
        if (pick(0, 1) == 0) {
          add(std::to_string(first), first, first, 1);
        } else {
          add(std::to_string(first) + "-" + std::to_string(last) + "/" + std::to_string(step), first, last, step);
        }
      }
    }
    return made;
  }

 private:
  std::mt19937 random_;
};

struct MadeExpression {
  MadeField minute, hour, day, month, weekday;

  std::string text() const {
    return minute.text + " " + hour.text + " " + day.text + " " + month.text + " " + weekday.text;
  }
  bool every_hour() const {
    for (std::size_t i = 0; i < 24; ++i) {
      if (!hour.named.at(i)) return false;
    }
    return true;
  }
  bool names(const std::tm& local) const {
    const auto is = [](const MadeField& field, int value) { return field.named.at(static_cast<std::size_t>(value)); };
    const bool by_week = is(weekday, local.tm_wday) || (local.tm_wday == 0 && is(weekday, 7));
    const bool both = day.text[0] == '*' || weekday.text[0] == '*';
    const bool by_day = is(day, local.tm_mday);
    return is(minute, local.tm_min) && is(hour, local.tm_hour) && is(month, local.tm_mon + 1) &&
           (both ? by_day && by_week : by_day || by_week);
  }
};

/// Minutes of one zone as the C library tells them, which reads the zone files by itself.
class Walk {
 public:
  struct Minute {
    std::time_t time;
    std::tm local;
    std::int64_t shown;  // the local time as minutes
  };

  Walk(const char* zone, int first_year, int months) {
    ::setenv("TZ", zone, 1);
    ::tzset();
    const auto begin = sys_days(year(first_year) / 1 / 1);
    const auto end = sys_days((year(first_year) / 1 + std::chrono::months(months)) / 1);
    for (auto at = std::chrono::sys_time<std::chrono::minutes>(begin); at < end; at += 1min) {
      Minute minute{};
      minute.time = std::chrono::system_clock::to_time_t(at);
      ::localtime_r(&minute.time, &minute.local);
      minute.shown = (minute.time + minute.local.tm_gmtoff) / 60;
      minutes_.push_back(minute);
    }
    ::unsetenv("TZ");
    ::tzset();
  }

  /// When the expression comes, found by looking at each minute but the first.
  std::vector<std::time_t> times_of(const MadeExpression& expression) const {
    const bool passing = expression.every_hour();
    std::vector<std::time_t> found;
    auto latest = minutes_.front().shown;
    for (std::size_t i = 1; i < minutes_.size(); ++i) {
      const auto& minute = minutes_[i];
      bool comes = (passing || minute.shown > latest) && expression.names(minute.local);
      for (auto left_out = latest + 1; !passing && !comes && left_out < minute.shown; ++left_out) {
        const std::time_t as_utc = left_out * 60;
        std::tm local{};
        ::gmtime_r(&as_utc, &local);
        comes = expression.names(local);
      }
      if (comes) found.push_back(minute.time);
      latest = std::max(latest, minute.shown);
    }
    return found;
  }
  Timestamp begin() const { return std::chrono::sys_seconds(std::chrono::seconds(minutes_.front().time)); }
  std::time_t last() const { return minutes_.back().time; }

 private:
  std::vector<Minute> minutes_;
};

TEST(RhythmTest, AgreesWithAWalkOverEachMinute) {
  struct Place {
    const char* zone;
    int year;
    int months;
  };
  // Half an hour of summer time (Lord Howe), a quarter in the offset (Chatham), a Ramadan (Casablanca), a change at
  // midnight (Cairo), a day that was left out (Apia), and a leap year.
  constexpr std::array<Place, 8> kPlaces{{{"Europe/Berlin", 2026, 24},
                                          {"America/New_York", 2027, 24},
                                          {"Australia/Lord_Howe", 2026, 12},
                                          {"Pacific/Chatham", 2026, 12},
                                          {"Africa/Casablanca", 2026, 12},
                                          {"Africa/Cairo", 2026, 12},
                                          {"Pacific/Apia", 2011, 13},
                                          {"UTC", 2028, 12}}};
  Maker maker(20'260'101);
  std::size_t compared = 0;
  for (const auto& place : kPlaces) {
    const Walk walk(place.zone, place.year, place.months);
    for (int i = 0; i < 12; ++i) {
      MadeExpression expression{maker.field(0, 59), maker.field(0, 23), maker.field(1, 31), maker.field(1, 12),
                                maker.field(0, 7)};
      const auto rhythm = Rhythm::parse(expression.text(), place.zone);
      const auto expected = walk.times_of(expression);
      if (!rhythm) {
        EXPECT_EQ(rhythm.error().public_name(), "CRON_NEVER") << expression.text();
        EXPECT_TRUE(expected.empty()) << expression.text();
        continue;
      }
      auto time = walk.begin();
      for (const auto next : expected) {
        const Timestamp want = std::chrono::sys_seconds(std::chrono::seconds(next));
        // From anywhere between two times it is the same.
        const auto between =
            time + std::chrono::milliseconds(
                       maker.pick(0, static_cast<int>(std::min<std::int64_t>((want - time).count() - 1, 1 << 30))));
        ASSERT_EQ(to_rfc3339(rhythm->after(time).value()), to_rfc3339(want))
            << expression.text() << " in " << place.zone << " after " << to_rfc3339(time);
        ASSERT_EQ(rhythm->after(between).value(), want)
            << expression.text() << " in " << place.zone << " after " << to_rfc3339(between);
        time = want;
        ++compared;
      }
      const auto behind = rhythm->after(time);
      ASSERT_TRUE(behind);
      EXPECT_GT(to_millis(*behind) / 1000, walk.last()) << expression.text() << " in " << place.zone;
    }
  }
  EXPECT_GT(compared, 100'000U);
}

}  // namespace
}  // namespace rushes::schedules
