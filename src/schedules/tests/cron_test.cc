#include "schedules/cron.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace rushes::schedules {
namespace {

using std::chrono::local_days;
using std::chrono::minutes;
using std::chrono::year;

LocalMinute at(int y, unsigned month, unsigned day, int hour = 0, int minute = 0) {
  return local_days(year(y) / static_cast<int>(month) / static_cast<int>(day)) + minutes(hour * 60 + minute);
}

LocalMinute first(std::string_view cron, LocalMinute from) {
  return CronExpression::parse(cron).value().first(from).value();
}

/// The days of January 2026 that it names; the 1st is a Thursday.
std::vector<int> days_of_january(std::string_view cron) {
  const auto expression = CronExpression::parse(cron).value();
  std::vector<int> days;
  for (auto from = at(2026, 1, 1); const auto next = expression.first(from);) {
    if (*next >= at(2026, 2, 1)) break;
    days.push_back(static_cast<int>((*next - at(2026, 1, 1)) / std::chrono::days(1)) + 1);
    from = *next + minutes(1);
  }
  return days;
}

std::string refusal(std::string_view cron, const char* name = "CRON_INVALID") {
  const auto read = CronExpression::parse(cron);
  if (read) return "accepted";
  EXPECT_EQ(read.error().public_name(), name) << cron;
  EXPECT_EQ(read.error().http_status(), 422);
  return std::string(read.error().public_message());
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST(CronTest, FieldsAreNumbersRangesStepsAndLists) {
  EXPECT_EQ(first("* * * * *", at(2026, 1, 1, 10, 7)), at(2026, 1, 1, 10, 7));
  EXPECT_EQ(first("30 6 * * *", at(2026, 1, 1, 6, 31)), at(2026, 1, 2, 6, 30));
  EXPECT_EQ(first("*/20 * * * *", at(2026, 1, 1, 10, 41)), at(2026, 1, 1, 11, 0));
  EXPECT_EQ(first("5-59/20 * * * *", at(2026, 1, 1, 10, 26)), at(2026, 1, 1, 10, 45));
  EXPECT_EQ(first("1,2,50-52 9-17 * * *", at(2026, 1, 1, 17, 51)), at(2026, 1, 1, 17, 51));
  EXPECT_EQ(first("1,2,50-52 9-17 * * *", at(2026, 1, 1, 17, 53)), at(2026, 1, 2, 9, 1));
  EXPECT_EQ(first("0 0 1 */6 *", at(2026, 1, 2)), at(2026, 7, 1));
  EXPECT_EQ(first("\t 0  0 31\t* * ", at(2026, 2, 1)), at(2026, 3, 31));
  EXPECT_EQ(first("0 0 31 * *\r\n", at(2026, 2, 1)), at(2026, 3, 31)) << "as read from a file";
  EXPECT_EQ(first("59 23 31 12 *", at(2026, 12, 31, 23, 59)), at(2026, 12, 31, 23, 59));
  EXPECT_EQ(first("0 0 1 1 *", at(2026, 1, 1, 0, 1)), at(2027, 1, 1));
  EXPECT_EQ(first("0 0 29 2 *", at(2096, 3, 1)), at(2104, 2, 29)) << "2100 is no leap year";
}

TEST(CronTest, MonthsAndDaysHaveNames) {
  EXPECT_EQ(first("0 0 1 feb *", at(2026, 1, 1)), at(2026, 2, 1));
  EXPECT_EQ(first("0 0 1 OCT-Dec *", at(2026, 1, 1)), at(2026, 10, 1));
  EXPECT_EQ(days_of_january("0 0 * * mon"), (std::vector<int>{5, 12, 19, 26}));
  EXPECT_EQ(days_of_january("0 0 * * sat-SUN"), (std::vector<int>{3, 4, 10, 11, 17, 18, 24, 25, 31}));
  EXPECT_EQ(days_of_january("0 0 * * 0"), (std::vector<int>{4, 11, 18, 25}));
  EXPECT_EQ(days_of_january("0 0 * * 7"), days_of_january("0 0 * * 0"));
  EXPECT_EQ(days_of_january("0 0 * * 5-7"), days_of_january("0 0 * * fri,sat,sun"));
  EXPECT_EQ(days_of_january("0 0 * * sun-mon"), days_of_january("0 0 * * 0,1"));
}

TEST(CronTest, ADayIsNamedByEitherFieldWhereBothAreRestricted) {
  EXPECT_EQ(days_of_january("0 0 13 * fri"), (std::vector<int>{2, 9, 13, 16, 23, 30}));
  EXPECT_EQ(days_of_january("0 0 13 * *"), (std::vector<int>{13}));
  EXPECT_EQ(days_of_january("0 0 */10 * fri"), (std::vector<int>{})) << "1, 11, 21 and 31 are no Fridays";
  EXPECT_EQ(days_of_january("0 0 */10 * sat"), (std::vector<int>{31}));
  EXPECT_EQ(days_of_january("0 0 1-31 * fri").size(), 31U);
}

TEST(CronTest, NicknamesStandForFields) {
  const auto from = at(2026, 3, 4, 5, 6);
  EXPECT_EQ(first("@hourly", from), at(2026, 3, 4, 6));
  EXPECT_EQ(first("@daily", from), at(2026, 3, 5));
  EXPECT_EQ(first("@midnight", from), at(2026, 3, 5));
  EXPECT_EQ(first("@weekly", from), at(2026, 3, 8));
  EXPECT_EQ(first("@monthly", from), at(2026, 4, 1));
  EXPECT_EQ(first("@yearly", from), at(2027, 1, 1));
  EXPECT_EQ(first(" @Annually ", from), at(2027, 1, 1));
  EXPECT_TRUE(has(refusal("@reboot"), "@hourly, @daily"));
}

TEST(CronTest, WhatIsWrongIsNamed) {
  EXPECT_TRUE(has(refusal("60 * * * *"), "cron: minute '60' is not allowed: write numbers from 0 to 59"));
  EXPECT_TRUE(has(refusal("* 24 * * *"), "hour '24'"));
  EXPECT_TRUE(has(refusal("* * 0 * *"), "day of month '0'"));
  EXPECT_TRUE(has(refusal("* * * 13 *"), "month '13'"));
  EXPECT_TRUE(has(refusal("* * * * 8"), "day of week '8'"));
  EXPECT_TRUE(has(refusal("* * * * funday"), "SUN to SAT"));
  EXPECT_TRUE(has(refusal("jan * * * *"), "minute 'jan'"));
  EXPECT_TRUE(has(refusal("* 22-2 * * *"), "hour '22-2' ends before it begins: write two ranges"));
  EXPECT_TRUE(has(refusal("*/0 * * * *"), "no step from 1 to 59"));
  EXPECT_TRUE(has(refusal("*/ * * * *"), "no step"));
  EXPECT_TRUE(has(refusal("5/15 * * * *"), "write */n or a-b/n"));
  for (const auto* bad : {"1,,2 * * * *", ", * * * *", "1- * * * *", "-1 * * * *", "+1 * * * *", "1.5 * * * *",
                          "99999999999999999999 * * * *", "** * * * *", "* * L * *", "* * ? * *", "* * * * 5#2",
                          "1-2-3 * * * *", "*-5 * * * *", "0x1 * * * *"}) {
    EXPECT_TRUE(has(refusal(bad), "minute, hour") || has(refusal(bad), "is not allowed")) << bad;
  }
  for (const auto* bad : {"", " ", "* * * *", "* * * * * *", "@", "hello"}) {
    EXPECT_TRUE(has(refusal(bad), "five")) << bad;
    EXPECT_FALSE(has(refusal(bad), " 1 fields")) << bad;
  }
  EXPECT_TRUE(has(refusal(std::string(2'000, '*')), "longer than 1000 bytes"));
}

TEST(CronTest, WhatNeverComesIsRefused) {
  EXPECT_EQ(refusal("0 0 30 2 *", "CRON_NEVER"),
            "cron: day of month '30' never comes in month '2'; change one of the two.");
  EXPECT_TRUE(has(refusal("0 0 31 2,4,jun *", "CRON_NEVER"), "day of month '31' never comes in month '2,4,jun'"));
  EXPECT_EQ(first("0 0 30 2 mon", at(2026, 1, 1)), at(2026, 2, 2)) << "Mondays of February come";
  EXPECT_EQ(first("0 0 29 2 */7", at(2026, 1, 1)), at(2032, 2, 29)) << "a leap day that is a Sunday";
}

}  // namespace
}  // namespace rushes::schedules
