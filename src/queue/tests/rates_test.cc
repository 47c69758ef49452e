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

}  // namespace
}  // namespace rushes::queue
