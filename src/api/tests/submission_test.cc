#include "api/submission.h"

#include "api/bulk.h"
#include "api/tests/context_fixture.h"

#include <set>

namespace rushes::api {
namespace {

class SubmissionTest : public ContextFixture {
 protected:
  Result<jobs::NewJob> options(std::string_view text) const {
    const auto value = parse_json(text).value();
    jobs::NewJob job;
    unknown_.clear();
    if (auto read = read_options(context(), &value, "", job, unknown_); !read) return read.error();
    return job;
  }
  std::string refusal_of(std::string_view text) const {
    const auto job = options(text);
    if (job) return "accepted";
    EXPECT_EQ(job.error().public_name(), "OPTIONS_INVALID");
    EXPECT_EQ(job.error().http_status(), 422);
    return job.error().what();
  }
  Bulk bulk(BulkForm form, std::string_view body) const { return read_bulk(context(), user_, form, body); }

  const UserId user_{"ann"};
  mutable Unknown unknown_;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_F(SubmissionTest, OptionsAreTaken) {
  const auto none = options("{}").value();
  EXPECT_EQ(none.priority, 0);
  EXPECT_FALSE(none.run_at);
  const auto all =
      options(R"({"priority": -10, "runAt": "2026-01-01T01:00:00+00:00", "uniqueKey": "nightly"})").value();
  EXPECT_EQ(all.priority, -10);
  EXPECT_EQ(all.run_at, clock_.now() + std::chrono::hours(1));
  EXPECT_EQ(all.unique_key, "nightly");
  EXPECT_LT(options(R"({"runAt": "2020-01-01T00:00:00Z"})")->run_at, clock_.now()) << "the store takes it for now";
  EXPECT_TRUE(options(R"({"priority": null, "runAt": null, "uniqueKey": null})"));
  EXPECT_TRUE(options("null"));
  EXPECT_TRUE(options(R"({"uniqueKey": ")" + std::string(255, 'k') + "\"}"));
}

TEST_F(SubmissionTest, BadOptionsAreRefusedByNameAndLimit) {
  for (const auto* bad : {R"({"priority": 1})", R"({"priority": -11})", R"({"priority": 0.5})", R"({"priority": "0"})",
                          R"({"priority": 1e3})", R"({"priority": 18446744073709551615})"}) {
    const auto why = refusal_of(bad);
    EXPECT_TRUE(has(why, "options.priority") && has(why, "from -10 to 0")) << why;
  }
  EXPECT_TRUE(has(refusal_of(R"({"priority": 1.5})"), "options.priority 1.5 is"));
  EXPECT_TRUE(has(refusal_of(R"({"uniqueKey": 7})"), "options.uniqueKey 7 is"));
  EXPECT_TRUE(has(refusal_of("[7]"), "options [7] is not an object"));
  EXPECT_TRUE(has(refusal_of(R"({"runAt": "tomorrow"})"), "options.runAt \"tomorrow\" is no time"));
  EXPECT_TRUE(has(refusal_of(R"({"runAt": 1767225600})"), "options.runAt"));
  EXPECT_TRUE(has(refusal_of(R"({"runAt": "2027-01-03T00:00:00Z"})"), "more than a year"));
  EXPECT_TRUE(has(refusal_of(R"({"uniqueKey": ""})"), "1 to 255 bytes"));
  EXPECT_TRUE(has(refusal_of(R"({"uniqueKey": ")" + std::string(256, 'k') + "\"}"), "1 to 255 bytes"));
  EXPECT_TRUE(options(R"({"runat": "2026-01-01T00:00:00Z"})"));
  ASSERT_EQ(unknown_.size(), 1U);
  EXPECT_EQ(unknown_[0], "options.runat is unknown; allowed: priority, runAt, uniqueKey.");
  EXPECT_TRUE(has(refusal_of("[]"), "not an object"));
  Limits limits;
  limits.max_priority = 3;
  configure(limits, {});
  EXPECT_EQ(options(R"({"priority": 3})")->priority, 3);
  EXPECT_TRUE(has(refusal_of(R"({"priority": 4})"), "from -10 to 3"));
}

TEST_F(SubmissionTest, ABulkIsAnArrayOrLines) {
  constexpr std::string_view kVideo = R"({"configuration": {"url": "https://example.org/v", "tone": "dry"}})";
  constexpr std::string_view kWords = R"({"type": "transcript", "transcript": "words", "idempotencyKey": "once",)"
                                      R"( "options": {"uniqueKey": "alone"}})";
  const auto array = "[" + std::string(kVideo) + "," + std::string(kWords) + "]";
  const auto lines = "\n" + std::string(kVideo) + "\r\n\n  \n" + std::string(kWords);
  for (const auto& read : {bulk(BulkForm::array, array), bulk(BulkForm::lines, lines)}) {
    ASSERT_FALSE(read.refusal) << read.refusal->what();
    ASSERT_EQ(read.jobs.size(), 2U);
    EXPECT_EQ(read.jobs[0].type, jobs::JobType::youtube);
    EXPECT_EQ(read.jobs[0].url, "https://example.org/v");
    EXPECT_EQ(read.jobs[1].type, jobs::JobType::transcript);
    EXPECT_EQ(read.jobs[1].body, "words");
    EXPECT_EQ(read.jobs[1].idempotency_key, "once");
    EXPECT_EQ(read.jobs[1].unique_key, "alone");
    for (const auto& job : read.jobs) EXPECT_EQ(job.user, user_);
    EXPECT_NE(read.jobs[0].id, read.jobs[1].id);
  }
}

TEST_F(SubmissionTest, ABadItemIsNamedByItsIndex) {
  const auto check = [&](std::string_view item, const char* name, int status) {
    const std::string good = R"({"transcript": "words"})";
    const auto array = bulk(BulkForm::array, "[" + good + "," + std::string(item) + "]");
    const auto lines = bulk(BulkForm::lines, good + "\n" + std::string(item) + "\n" + good);
    for (const auto& read : {array, lines}) {
      ASSERT_TRUE(read.refusal) << item;
      EXPECT_EQ(read.refused_item, 1U);
      EXPECT_EQ(read.refusal->public_name(), name) << read.refusal->what();
      EXPECT_EQ(read.refusal->http_status(), status);
      EXPECT_TRUE(read.refusal->what().starts_with("Item 1: ")) << read.refusal->what();
      EXPECT_TRUE(read.jobs.empty());
    }
  };
  check("7", "NOT_JSON", 400);
  check(R"({"type": "upload"})", "ITEM_TYPE", 422);
  check(R"({"type": 1})", "ITEM_TYPE", 422);
  check("{}", "URL_MISSING", 422);
  check(R"({"type": "video", "transcript": "words"})", "URL_MISSING", 422);
  check(R"({"configuration": {"url": "ftp://example.org/"}})", "URL_SCHEME", 422);
  check(R"({"transcript": " "})", "TRANSCRIPT_EMPTY", 422);
  check(R"({"transcript": "words", "configuration": {"tone": 1}})", "CONFIGURATION_INVALID", 422);
  check(R"({"transcript": "words", "options": {"priority": 99}})", "OPTIONS_INVALID", 422);
  check(R"({"transcript": "words", "idempotencyKey": 1})", "IDEMPOTENCY_KEY", 422);
  check(R"({"transcript": ")" + std::string((5U << 20U) + 1, 'x') + "\"}", "TRANSCRIPT_TOO_LARGE", 413);
  EXPECT_EQ(bulk(BulkForm::lines, "{\"transcript\": \"words\"}\n{\"transcr").refused_item, 1U);
}

TEST_F(SubmissionTest, RefusalsNameTheValueAndTheLimit) {
  const auto why = [&](std::string_view item) { return bulk(BulkForm::lines, item).refusal->what(); };
  EXPECT_TRUE(has(why(R"({"transcript": "words", "configuration": {"language": 5}})"), "configuration.language 5 is"));
  EXPECT_TRUE(has(why(R"({"transcript": "words", "configuration": "x"})"), "configuration \"x\" is not an object"));
  EXPECT_TRUE(has(why(R"({"transcript": "words", "idempotencyKey": 1})"), "idempotencyKey 1 is"));
  EXPECT_TRUE(has(why("7"), "7 is not a JSON object"));
  const auto long_one = why(R"({"transcript": ")" + std::string((5U << 20U) + 1, 'x') + "\"}");
  EXPECT_TRUE(has(long_one, "has 5242881 bytes; at most 5242880 (5 MiB)")) << long_one;
  const std::string marked = "\xEF\xBB\xBF{\"transcript\": \"words\"}";
  EXPECT_EQ(bulk(BulkForm::lines, marked).jobs.size(), 1U) << "some editors begin files so";
  EXPECT_EQ(bulk(BulkForm::array, "\xEF\xBB\xBF[{\"transcript\": \"words\"}]").jobs.size(), 1U);
}

TEST_F(SubmissionTest, WhatIsNotKnownIsNamedWithItsItem) {
  const auto read = bulk(BulkForm::array, R"([{"transcript": "words"}, {"transcript": "words", "langauge": "de",
    "configuration": {"url": "x"}, "options": {"prio": 1}}, {"type": "video", "transcript": "words",
    "configuration": {"url": "https://example.org/v"}}])");
  ASSERT_FALSE(read.refusal) << read.refusal->what();
  EXPECT_EQ(read.unknown,
            (Unknown{"Item 1: langauge is unknown; allowed: type, configuration, options, idempotencyKey, transcript.",
                     "Item 1: configuration.url is unknown; allowed: language, title, tone.",
                     "Item 1: options.prio is unknown; allowed: priority, runAt, uniqueKey.",
                     "Item 2: transcript is unknown; allowed: type, configuration, options, idempotencyKey."}));
}

TEST_F(SubmissionTest, TitlesAreOnePlainLine) {
  const auto read =
      bulk(BulkForm::lines, R"({"transcript": "words", "configuration": {"title": "a\u0000b\u202Ec\nd"}})");
  ASSERT_FALSE(read.refusal);
  EXPECT_EQ(read.jobs[0].title, "abc d");
}

TEST_F(SubmissionTest, RequestsAreComparedAsTheyWereRead) {
  const auto digest = [&](std::string_view item) {
    const auto read = bulk(BulkForm::array, "[" + std::string(item) + "]");
    EXPECT_FALSE(read.refusal) << item;
    return read.refusal ? std::string() : read.jobs[0].request_digest;
  };
  const auto first = digest(R"({"transcript": "words", "idempotencyKey": "k",
    "configuration": {"tone": "dry", "language": "de"}, "options": {"runAt": "2020-01-01T01:00:00+01:00"}})");
  EXPECT_EQ(first.size(), 32U);
  EXPECT_EQ(digest(R"({"options": {"priority": 0, "runAt": "2020-01-01T00:00:00Z"}, "type": "transcript", "extra": 1,
    "configuration": {"language": "de", "title": null, "tone": "dry"}, "transcript": "words", "idempotencyKey": "l"})"),
            first);
  std::set<std::string> all{first};
  for (const auto* other :
       {R"({"transcript": "other words", "idempotencyKey": "k"})", R"({"transcript": "words", "idempotencyKey": "k"})",
        R"({"transcript": "words", "idempotencyKey": "k", "configuration": {"tone": "dry"}})",
        R"({"transcript": "words", "idempotencyKey": "k", "options": {"priority": -1}})",
        R"({"transcript": "words", "idempotencyKey": "k", "options": {"uniqueKey": "u"}})",
        R"({"configuration": {"url": "https://example.org/v"}, "idempotencyKey": "k"})"}) {
    EXPECT_TRUE(all.insert(digest(other)).second) << other;
  }
  EXPECT_EQ(digest(R"({"transcript": "words"})"), "") << "without a key nothing is compared";
}

TEST_F(SubmissionTest, ABulkHasOneToTenThousandItems) {
  const auto many = [](std::size_t count) {
    std::string lines;
    for (std::size_t i = 0; i < count; ++i) lines += "{\"transcript\":\"words\"}\n";
    return lines;
  };
  EXPECT_EQ(bulk(BulkForm::lines, many(10'000)).jobs.size(), 10'000U);
  const auto more = bulk(BulkForm::lines, many(10'001));
  EXPECT_EQ(more.refusal->http_status(), 413);
  EXPECT_TRUE(has(more.refusal->what(), "10001") && has(more.refusal->what(), "10000"));
  EXPECT_FALSE(more.refused_item);
  EXPECT_EQ(bulk(BulkForm::array, "[]").refusal->public_name(), "BULK_EMPTY");
  EXPECT_EQ(bulk(BulkForm::lines, "\n \n").refusal->public_name(), "BULK_EMPTY");
  EXPECT_EQ(bulk(BulkForm::array, "{}").refusal->public_name(), "NOT_JSON");
  EXPECT_EQ(bulk(BulkForm::array, "[").refusal->public_name(), "NOT_JSON");
  configure({}, {20, 5});
  EXPECT_TRUE(has(bulk(BulkForm::lines, many(6)).refusal->what(), "at most 5")) << "a minute's tokens";
}

TEST_F(SubmissionTest, WhoSubmitsTooFastIsToldWhenToComeAgain) {
  configure({}, {20, 2});
  auto two = context().jobs.charge(user_, 2);
  ASSERT_FALSE(two.wait());
  const auto third = context().jobs.charge(user_, 1);
  ASSERT_TRUE(third.wait());
  const auto refusal = over_rate(context(), *third.wait());
  EXPECT_EQ(refusal.status, 429);
  EXPECT_TRUE(has(refusal.body, "RATE_LIMITED"));
  EXPECT_EQ(refusal.headers.get("Retry-After"), "30");
  const UserId bob("bob");
  EXPECT_FALSE(context().jobs.charge(bob, 1).wait());
}

}  // namespace
}  // namespace rushes::api
