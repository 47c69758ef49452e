#include "gateways/job_notices.h"

#include "jobs/transitions.h"

#include <gtest/gtest.h>

namespace rushes::gateways {
namespace {

class NoticeOf : public ::testing::Test {
 protected:
  NoticeOf() {
    jobs::NewJob request;
    request.id = JobId("job");
    request.user = UserId("ann");
    request.title = "Rushes";
    queued_ = jobs::created(request, 1, std::nullopt, from_millis(0)).job;
    running_ = jobs::started(queued_, from_millis(1)).job;
  }
  static std::optional<notifications::NewNotification> of(const jobs::Transition& transition) {
    jobs::Event event;
    event.user = transition.job.user;
    event.job = transition.job.id;
    event.type = transition.event.value().type;
    event.payload = jobs::payload_of(transition.job, *transition.event, 1, from_millis(2));
    return notice_of(event);
  }
  jobs::Job queued_;
  jobs::Job running_;
};

TEST_F(NoticeOf, AStartIsToldOnce) {
  const auto first = of(jobs::started(queued_, from_millis(1)));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->user.value(), "ann");
  EXPECT_EQ(first->type, notifications::Type::processing);
  EXPECT_FALSE(of(jobs::started(running_, from_millis(1)))) << "a second attempt";
}

TEST_F(NoticeOf, ACompletionLeadsToItsResult) {
  jobs::Completion completion;
  completion.audit = AuditId("audit");
  const auto transition = jobs::completed(running_, completion, from_millis(2));
  const auto notice = of(transition);
  ASSERT_TRUE(notice);
  EXPECT_EQ(notice->severity, notifications::Severity::success);
  EXPECT_EQ(notice->action_button_text, "View Results");
  EXPECT_EQ(notice->action_url, "/#/analysis/audit");
}

TEST_F(NoticeOf, AFailureNamesItsReason) {
  const jobs::Failure failure{"MEDIA_UNREADABLE", "This is no video.", false, {}};
  const auto notice = of(jobs::attempt_failed(running_, failure, 0, from_millis(2)).transition);
  ASSERT_TRUE(notice);
  EXPECT_NE(notice->message.find("This is no video."), std::string::npos);
  EXPECT_EQ(notice->metadata.at("errorCode"), "MEDIA_UNREADABLE");
}

TEST_F(NoticeOf, ACancelIsTold) { EXPECT_TRUE(of(jobs::cancelled(running_, from_millis(2)))); }

TEST_F(NoticeOf, ARestartIsToldOnceThoughItsPositionChanges) {
  const auto ended = jobs::cancelled(running_, from_millis(2)).job;
  const auto again = jobs::restarted(ended, 2, std::nullopt).value();
  EXPECT_TRUE(of(again));
  EXPECT_FALSE(of(jobs::moved(again.job, 1, std::nullopt)));
}

TEST_F(NoticeOf, ProgressAndAPlaceInTheQueueAreNoNews) {
  EXPECT_FALSE(of(jobs::progressed(running_, {40, "Summarizing transcript", "Summarizing transcript", ""})));
  EXPECT_FALSE(of(jobs::moved(queued_, 3, std::nullopt)));
}

}  // namespace
}  // namespace rushes::gateways
