#include "queue/rates.h"

#include <gtest/gtest.h>

namespace rushes::queue {
namespace {

using jobs::EventType;
using std::chrono::seconds;

TEST(Rates, CountsTheLastSecondsAndForgetsTheHourBefore) {
  FakeClock clock;
  Rates rates(clock);
  const auto tell = [&](EventType type, std::string payload = "{}") {
    jobs::Event event;
    event.type = type;
    event.at = clock.now();
    event.payload = std::move(payload);
    rates.publish({&event, 1});
  };
  tell(EventType::queued);
  tell(EventType::queued, R"({"metadata":{"queuePosition":1,"positionChanged":true}})");
  clock.advance(seconds(90));
  tell(EventType::started);
  tell(EventType::progress);
  tell(EventType::completed);
  tell(EventType::failed);
  tell(EventType::cancelled);

  EXPECT_EQ(rates.last(3600).submitted, 1);
  const auto minute = rates.last(60);
  EXPECT_EQ(minute.submitted, 0);
  EXPECT_EQ(minute.started, 1);
  EXPECT_EQ(minute.completed, 1);
  EXPECT_EQ(minute.failed, 1);
  EXPECT_EQ(minute.cancelled, 1);

  clock.advance(seconds(3600 - 90));
  EXPECT_EQ(rates.last(3600).submitted, 0);
  EXPECT_EQ(rates.last(3600).started, 1);
  tell(EventType::queued);  // in the place of what is an hour old
  EXPECT_EQ(rates.last(3600).submitted, 1);
}

TEST(Rates, TotalsAreByTypeAndOfFailuresByCode) {
  FakeClock clock;
  Rates rates(clock);
  const auto tell = [&](EventType type, const std::string& metadata, const std::string& before = "") {
    jobs::Event event;
    event.type = type;
    event.at = clock.now();
    event.payload = "{" + before + R"("metadata":{)" + metadata + R"(,"seq":1}})";
    rates.publish({&event, 1});
  };
  tell(EventType::queued, R"("jobType":"upload","queuePosition":1)");
  tell(EventType::queued, R"("jobType":"upload","queuePosition":1,"positionChanged":true)");
  tell(EventType::started, R"("jobType":"upload","attempt":1)");
  tell(EventType::started, R"("jobType":"upload","attempt":2)");
  tell(EventType::failed, R"("jobType":"upload","attempt":2,"errorCode":"MEDIA_UNREADABLE")");
  tell(EventType::started, R"("jobType":"youtube","attempt":11)");
  tell(EventType::completed, R"("jobType":"youtube","attempt":11)", R"("result":{"jobType":"upload"},)");
  tell(EventType::cancelled, R"("videoTitle":"\"jobType\":\"upload","jobType":"youtube")");
  clock.advance(seconds(7200));

  const auto totals = rates.totals();
  const auto& uploads = totals.types[static_cast<std::size_t>(jobs::JobType::upload)];
  EXPECT_EQ(uploads.submitted, 1);
  EXPECT_EQ(uploads.started, 2);
  EXPECT_EQ(uploads.retried, 1);
  EXPECT_EQ(uploads.failed, 1);
  EXPECT_EQ(uploads.completed + uploads.cancelled, 0);
  const auto& videos = totals.types[static_cast<std::size_t>(jobs::JobType::youtube)];
  EXPECT_EQ(videos.retried, 1);
  EXPECT_EQ(videos.completed, 1);
  EXPECT_EQ(videos.cancelled, 1);
  EXPECT_EQ(totals.failed, (std::map<std::string, std::int64_t, std::less<>>{{"MEDIA_UNREADABLE", 1}}));
}

TEST(Rates, CodesAreOfABoundedNumber) {
  FakeClock clock;
  Rates rates(clock);
  for (int i = 0; i < 1'000; ++i) {
    jobs::Event event;
    event.type = EventType::failed;
    event.payload = R"({"metadata":{"jobType":"upload","errorCode":"CODE_)" + std::to_string(i) + R"(","seq":1}})";
    rates.publish({&event, 1});
  }
  EXPECT_LE(rates.totals().failed.size(), 101U);
  EXPECT_EQ(rates.totals().failed.at("OTHER"), 900);
}

}  // namespace
}  // namespace rushes::queue
