#include "notifications/model.h"

#include <gtest/gtest.h>

namespace rushes::notifications {
namespace {

TEST(NotificationModel, WordsGoBothWays) {
  for (const auto type : {Type::system, Type::processing, Type::usage, Type::update, Type::tip, Type::security}) {
    EXPECT_EQ(*parse_type(to_string(type)), type);
  }
  for (const auto severity : {Severity::info, Severity::success, Severity::warning, Severity::error}) {
    EXPECT_EQ(*parse_severity(to_string(severity)), severity);
  }
}

TEST(NotificationModel, AnUnknownWordIsNamedWithWhatIsAllowed) {
  const auto unknown = parse_severity("fatal");
  ASSERT_FALSE(unknown);
  EXPECT_EQ(unknown.error().code(), Errc::invalid_argument);
  EXPECT_EQ(unknown.error().what(), "severity 'fatal' is unknown; allowed: info, success, warning, error.");
  EXPECT_LT(parse_type(std::string(5000, 'x')).error().what().size(), 200U);
}

TEST(NotificationModel, AnAnnouncementHasNothingOfAnInbox) {
  NewNotification content;
  content.title = "Maintenance";
  content.message = "Tonight.";
  const json::object expected{
      {"title", "Maintenance"}, {"message", "Tonight."}, {"type", "system"}, {"severity", "info"}};
  EXPECT_EQ(announcement_json(content), expected);
}

}  // namespace
}  // namespace rushes::notifications
