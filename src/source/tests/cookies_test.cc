#include "source/cookies.h"

#include <gtest/gtest.h>

#include <vector>

namespace rushes::source {
namespace {

const std::vector<std::string> kHosts{"video.example", ".Login.Example."};
const std::string kHead = "# Netscape HTTP Cookie File\n";

std::string line(const std::string& domain, const std::string& rest = "\tTRUE\t/\tTRUE\t0\tname\tvalue") {
  return domain + rest;
}

TEST(CookiesFor, KeepsTheLinesOfNamedHostsAndOfThoseBelowThem) {
  const auto jar = kHead + "\n" + line("video.example") + "\n" + line(".Video.Example") + "\r\n" +
                   line("www.video.example") + "\n" + line("#HttpOnly_.login.example") + "\n" + line("bank.test") +
                   "\n";
  EXPECT_EQ(cookies_for(jar, kHosts, "www.VIDEO.example"),
            kHead + line("video.example") + "\n" + line(".Video.Example") + "\n" + line("www.video.example") + "\n" +
                line("#HttpOnly_.login.example") + "\n");
}

TEST(CookiesFor, GivesNothingToAnotherHost) {
  const auto jar = line("video.example") + "\n";
  EXPECT_NE(cookies_for(jar, kHosts, "video.example."), "");
  for (const auto* host : {"", ".", "example", "bank.test", "notvideo.example", "video.example.evil.test", "1.2.3.4",
                           "video.examples", "evil.test/video.example "}) {
    EXPECT_EQ(cookies_for(jar, kHosts, host), "") << host;
  }
  EXPECT_EQ(cookies_for(jar, {}, "video.example"), "");
  EXPECT_EQ(cookies_for(jar, std::vector<std::string>{"", "."}, "video.example"), "") << "no host is not every host";
}

TEST(CookiesFor, NeverKeepsALineOfAStranger) {
  const std::string kRest = "\tTRUE\t/\tTRUE\t0\tname\tvalue";
  for (const auto& odd : {
           line("bank.test"),
           line("example"),
           line(".example"),
           line("notvideo.example"),
           line("video.example.evil.test"),
           line(" video.example"),
           line("video.example "),
           line("#HttpOnly_bank.test"),
           line("#HttpOnly_#HttpOnly_video.example"),
           line("# video.example"),
           line("#video.example"),
           line("$video.example"),
           line("video.example/x"),
           line("video.example:80"),
           line("v\xc3\xaf"
                "deo.example"),
           line(std::string("bank.test\0.video.example", 24)),
           line(""),
           line("."),
           // Neither more nor fewer than seven fields, and each of its kind.
           line("video.example", "\tTRUE\t/\tTRUE\t0\tname"),
           line("video.example", kRest + "\tmore"),
           line("video.example", " TRUE / TRUE 0 name value"),
           line("video.example", "\tyes\t/\tTRUE\t0\tname\tvalue"),
           line("video.example", "\tTRUE\tx\tTRUE\t0\tname\tvalue"),
           line("video.example", "\tTRUE\t/\tTRUE\tsoon\tname\tvalue"),
           line("video.example",
                "\tTRUE\t/\tTRUE\t0\tname\tval\x0b"
                "ue"),
           // Where Python ends a line, we do.
           line("video.example", "\tTRUE\t/\tTRUE\t0\tname\r" + line("bank.test")),
       }) {
    EXPECT_EQ(cookies_for(odd, kHosts, "video.example"), "") << odd;
  }
  EXPECT_EQ(cookies_for(line("video.example") + "\r" + line("bank.test"), kHosts, "video.example"),
            kHead + line("video.example") + "\n");
  EXPECT_EQ(cookies_for(line("video.example", "\tFALSE\t/\tFALSE\t\tname\t"), kHosts, "video.example"),
            kHead + line("video.example", "\tFALSE\t/\tFALSE\t\tname\t") + "\n")
      << "of a session, without a value";
}

TEST(TakesCookies, GoesByTheDateOfTheVersion) {
  for (const auto* version :
       {"2023.11.14", "2023.11.14.dev0", "2023.11.16", "2023.12.30", "2024.01.01.232707", "2025.1.5"}) {
    EXPECT_TRUE(takes_cookies(version)) << version;
  }
  for (const auto* version : {"2023.11.13", "2023.11.13.232714", "2023.03.04", "2022.12.31", "", "unknown", "2024",
                              "2024.01", "2024.01.", "2024.13.01", "2024.-1.05", "2024.01.05x", " 2024.01.05",
                              "v2024.01.05", "99999999999999999999.1.1", "2024.01.99"}) {
    EXPECT_FALSE(takes_cookies(version)) << version;
  }
}

}  // namespace
}  // namespace rushes::source
