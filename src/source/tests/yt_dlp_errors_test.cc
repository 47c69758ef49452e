#include "source/detail/yt_dlp_errors.h"

#include <gtest/gtest.h>

#include <sys/resource.h>

#include <csignal>

namespace rushes::source::detail {
namespace {

const std::string kUrl = "https://example.com/v";

std::string name(std::string_view errors, const std::optional<box::Incident>& incident = {}) {
  return std::string(explain_failure(errors, incident, kUrl).public_name());
}

TEST(ReasonOf, IsTheLastErrorInOneLineWithoutAdvice) {
  EXPECT_EQ(reason_of("WARNING: x\nERROR: [youtube] dQw4w9WgXcQ: Video unavailable. This video is private\n"),
            "Video unavailable. This video is private");
  EXPECT_EQ(
      reason_of("ERROR: first\nERROR: [generic] None: Unable to download webpage: HTTP Error 404: Not Found (caused by "
                "<HTTPError 404>); please report this issue on  https://github.com"),
      "Unable to download webpage: HTTP Error 404: Not Found");
  EXPECT_EQ(reason_of("ERROR: two\nlines\x1b[0m."), "two lines [0m");
  EXPECT_EQ(reason_of("Traceback\nKeyError: 'x'\n"), "KeyError: 'x'");
  EXPECT_EQ(reason_of("ERROR: \xff"), "it gave no readable reason");
  EXPECT_EQ(reason_of(""), "");
}

TEST(ExplainFailure, KnowsWhatSitesSay) {
  EXPECT_EQ(name("ERROR: [youtube] x: Sign in to confirm you’re not a bot. Use --cookies-from-browser"), "BOT_CHECK");
  EXPECT_EQ(name("ERROR: [youtube] x: Private video. Sign in if you've been granted access"), "VIDEO_UNAVAILABLE");
  EXPECT_EQ(name("ERROR: [youtube] x: Sign in to confirm your age"), "VIDEO_UNAVAILABLE");
  EXPECT_EQ(name("ERROR: [youtube] x: This live event will begin in 3 hours."), "LIVE_NOT_SUPPORTED");
  EXPECT_EQ(name("ERROR: Unsupported URL: https://example.com/"), "URL_UNSUPPORTED");
  EXPECT_EQ(name("ERROR: [x] y: HTTP Error 404: Not Found"), "URL_DEAD");
  EXPECT_EQ(name("ERROR: [x] y: HTTP Error 403: Forbidden"), "VIDEO_UNAVAILABLE");
  EXPECT_EQ(name("ERROR: [x] y: HTTP Error 429: Too Many Requests"), "SOURCE_UNAVAILABLE");
  EXPECT_EQ(name("ERROR: [x] y: HTTP Error 503: Service Unavailable"), "SOURCE_UNAVAILABLE");
  EXPECT_EQ(name("ERROR: [generic] None: Unable to download webpage: The read operation timed out"),
            "SOURCE_UNAVAILABLE");
  EXPECT_EQ(name("ERROR: something new"), "FETCH_FAILED");
  EXPECT_EQ(name(""), "FETCH_FAILED");
}

TEST(ExplainFailure, OnlySomeMayBeTriedAgain) {
  EXPECT_TRUE(explain_failure("ERROR: HTTP Error 503: x", {}, kUrl).retryable());
  for (const auto* text :
       {"ERROR: HTTP Error 404: x", "ERROR: Private video", "ERROR: Unsupported URL: x", "ERROR: new"}) {
    EXPECT_FALSE(explain_failure(text, {}, kUrl).retryable()) << text;
  }
}

TEST(ExplainFailure, KnowsTheLimitOfMemory) {
  for (const auto* text :
       {"Traceback (most recent call last):\n  File \"x\"\nMemoryError\n",
        "ERROR: [generic] Unable to download webpage: Unable to allocate output buffer. (caused by error)",
        "OSError: [Errno 12] Cannot allocate memory"}) {
    EXPECT_EQ(name(text), "JOB_OUT_OF_MEMORY") << text;
    EXPECT_FALSE(explain_failure(text, {}, kUrl).retryable());
  }
}

TEST(ExplainFailure, SaysWhatTheDoorAsAWholeHasRefused) {
  using box::Trouble;
  const auto incident = [](Trouble trouble, const char* code) {
    return box::Incident{trouble, "", Error::for_user(Errc::too_large, code, "no")};
  };
  EXPECT_EQ(name("ERROR: Private video", incident(Trouble::too_many_bytes, "VIDEO_TOO_LARGE")), "VIDEO_TOO_LARGE");
  EXPECT_EQ(name("ERROR: Private video", incident(Trouble::too_late, "FETCH_TIMED_OUT")), "FETCH_TIMED_OUT");
  EXPECT_EQ(name("ERROR: HTTP Error 502: Bad Gateway", incident(Trouble::packed_answer, "URL_UNSUPPORTED")),
            "URL_UNSUPPORTED");
}

TEST(ExplainSignal, TellsMemoryFromTime) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_CPU, &before), 0);
  const auto ended = [](int signal, int seconds) {
    ChildResult child;
    child.signal = signal;
    child.processor_time = std::chrono::seconds(seconds);
    const auto why = explain_signal(child);
    EXPECT_FALSE(why && why->retryable());
    return why ? std::string(why->public_name()) : "nothing";
  };
  EXPECT_EQ(ended(SIGXCPU, 5), "JOB_OUT_OF_TIME");
  EXPECT_EQ(ended(SIGSEGV, 5), "nothing");
  EXPECT_EQ(ended(0, 5), "nothing");
  auto limit = before;
  limit.rlim_cur = RLIM_INFINITY;
  ASSERT_EQ(::setrlimit(RLIMIT_CPU, &limit), 0);
  EXPECT_EQ(ended(SIGKILL, 100'000), "JOB_OUT_OF_MEMORY");
  limit.rlim_cur = 1'000;
  ASSERT_EQ(::setrlimit(RLIMIT_CPU, &limit), 0);
  EXPECT_EQ(ended(SIGKILL, 998), "JOB_OUT_OF_MEMORY");
  EXPECT_EQ(ended(SIGKILL, 999), "JOB_OUT_OF_TIME");
  ASSERT_EQ(::setrlimit(RLIMIT_CPU, &before), 0);
}

TEST(ExplainFailure, TrustsTheDoorMoreThanAStatusAndLessThanTheSitesWords) {
  using box::Trouble;
  const box::Incident refused{Trouble::refused_address, "10.0.0.1",
                              Error::for_user(Errc::invalid_argument, "URL_PRIVATE_ADDRESS", "no")};
  EXPECT_EQ(name("ERROR: HTTP Error 403: Forbidden", refused), "URL_PRIVATE_ADDRESS");
  EXPECT_EQ(name("ERROR: [youtube] x: Private video", refused), "VIDEO_UNAVAILABLE");
  const box::Incident unresolved{Trouble::unresolved, "x.invalid",
                                 Error::for_user(Errc::invalid_argument, "URL_UNRESOLVED", "The host has no address.")};
  EXPECT_EQ(name("ERROR: HTTP Error 502: Bad Gateway", unresolved), "URL_DEAD");
  EXPECT_EQ(name("ERROR: HTTP Error 502: Bad Gateway"), "SOURCE_UNAVAILABLE") << "the origin's own 502";
}

}  // namespace
}  // namespace rushes::source::detail
