#include "api/credentials.h"

#include <gtest/gtest.h>

namespace rushes::api {
namespace {

using auth::Scope;
using auth::TicketKind;

TEST(ScopeOf, ReadingNeedsReadAndWhatIsNotNamedNeedsManage) {
  for (const auto* path : {"/analyze/jobs", "/analyze/job/j/events", "/auth/keys", "/admin/queue", "/new"}) {
    EXPECT_EQ(scope_of("GET", path), Scope::read) << path;
    EXPECT_EQ(scope_of("HEAD", path), Scope::read) << path;
  }
  for (const auto* path : {"/analyze/video", "/analyze/upload", "/analyze/transcript", "/analyze/bulk",
                           "/analyze/job/j/cancel", "/analyze/job/j/retry", "/analyze/job/j/restart", "/uploads"}) {
    EXPECT_EQ(scope_of("POST", path), Scope::submit) << path;
  }
  EXPECT_EQ(scope_of("PATCH", "/uploads/u"), Scope::submit);
  for (const auto* path : {"/notifications/n/read", "/notifications/read-all", "/auth/ticket"}) {
    EXPECT_EQ(scope_of("POST", path), Scope::read) << path;
  }
  for (const auto* path : {"/notifications", "/webhooks", "/analyze/schedules", "/auth/keys", "/admin/dead/redrive",
                           "/auth/sign-out-everywhere", "/analyze/videos", "/new"}) {
    EXPECT_EQ(scope_of("POST", path), Scope::manage) << path;
  }
  EXPECT_EQ(scope_of("DELETE", "/analyze/job/j"), Scope::manage);
  EXPECT_EQ(scope_of("DELETE", "/analyze/delete/a"), Scope::manage);
  EXPECT_EQ(scope_of("PATCH", "/analyze/schedules/s"), Scope::manage);
}

TEST(TicketTargetOf, TakesPathsAndUrlsWithPrefixAndQuery) {
  for (const auto* text : {"/files/k/a.jpg", "/files/k/a.jpg?x=1", "/rushes/files/k/a.jpg#t=3", "/files/k/a%2Ejpg",
                           "https://media.example/api/v1/files/k/a.jpg"}) {
    const auto target = read_ticket_target(text).value();
    EXPECT_EQ(target.path, "/files/k/a.jpg") << text;
    EXPECT_EQ(target.kind, TicketKind::file) << text;
  }
  for (const auto* text : {"/analyze/job/j/events", "/rushes/analyze/job/j/events?after=3"}) {
    const auto target = read_ticket_target(text).value();
    EXPECT_EQ(target.path, "/analyze/job/j/events") << text;
    EXPECT_EQ(target.kind, TicketKind::stream) << text;
  }
}

TEST(TicketTargetOf, RefusesEverythingElse) {
  for (const auto* text : {"", "/", "/analyze/jobs", "/analyze/job/j/status", "/analyze/job//events", "/auth/ticket",
                           "/files/k", "/files/k/", "/files//a.jpg", "/files/k/a/b.jpg", "/files/k/a%zz", "files/k/a",
                           "/analyze/job/j/x/events", "/files/a%2Fb/c", "/files/../secret"}) {
    const auto target = read_ticket_target(text);
    ASSERT_FALSE(target) << text;
    EXPECT_EQ(target.error().public_name(), "PATH_INVALID");
    EXPECT_EQ(target.error().http_status(), 422);
  }
}

}  // namespace
}  // namespace rushes::api
