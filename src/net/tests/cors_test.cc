#include "net/cors.h"

#include <gtest/gtest.h>

namespace rushes::net {
namespace {

OriginVerdict judge(const CorsOptions& options, std::string_view origin, std::string_view host = "app.example:3000") {
  Request request;
  if (!origin.empty()) request.headers.add("Origin", origin);
  request.host = host;
  return judge_origin(options, request);
}

bool allows(const CorsOptions& options, std::string_view origin, std::string_view host = "app.example:3000") {
  return judge(options, origin, host) == OriginVerdict::allowed;
}

TEST(Cors, AllowsItsOwnOriginAndTheList) {
  CorsOptions options;
  EXPECT_EQ(judge(options, ""), OriginVerdict::none);
  EXPECT_TRUE(allows(options, "http://app.example:3000"));
  EXPECT_TRUE(allows(options, "https://APP.example:3000")) << "a proxy ends the encryption";
  for (const auto* foreign :
       {"https://evil.example", "http://app.example:3001", "http://app.example.evil.example:3000", "null",
        "file://app.example:3000", "http://app.example:3000/", "http://x@app.example:3000", "http://app.example:"}) {
    EXPECT_EQ(judge(options, foreign), OriginVerdict::refused) << foreign;
  }
  options.allowed_origins = {"https://front.example"};
  EXPECT_TRUE(allows(options, "https://front.example"));
  EXPECT_TRUE(allows(options, "https://front.example:443"));
  EXPECT_FALSE(allows(options, "http://front.example"));
  options.allowed_origins.emplace_back("*");
  EXPECT_EQ(judge(options, "https://evil.example"), OriginVerdict::anonymous) << "never with credentials";
  EXPECT_EQ(judge(options, "https://front.example"), OriginVerdict::allowed);
  EXPECT_EQ(judge(options, "*"), OriginVerdict::anonymous);
}

TEST(Cors, AHostAsProxiesWriteItIsItsOwnOriginAtEveryPort) {
  const CorsOptions options;
  for (const auto* host : {"app.example", "app.example:443", "app.example:80", "APP.EXAMPLE", "app.example."}) {
    EXPECT_TRUE(allows(options, "https://app.example", host)) << host;
    EXPECT_TRUE(allows(options, "http://app.example", host)) << host;
    EXPECT_TRUE(allows(options, "http://app.example:34108", host)) << host;
    EXPECT_FALSE(allows(options, "http://other.example:34108", host)) << host;
    EXPECT_FALSE(allows(options, "http://www.app.example", host)) << host;
  }
  EXPECT_TRUE(allows(options, "https://[2001:db8::1]:8443", "[2001:db8::1]"));
  EXPECT_FALSE(allows(options, "https://app.example", "")) << "nothing is nothing";
}

TEST(Cors, ThePublicOriginIsItsOwnWhateverHostSays) {
  CorsOptions options;
  options.public_origin = parse_origin("https://app.example:8443");
  EXPECT_TRUE(allows(options, "https://app.example:8443", "127.0.0.1:3000"));
  EXPECT_FALSE(allows(options, "https://app.example", "127.0.0.1:3000"));
  EXPECT_FALSE(allows(options, "http://app.example:8443", "127.0.0.1:3000"));
}

TEST(Cors, LocalhostIsAllowedWhereTheServerIsCalledSo) {
  CorsOptions options;
  const auto pages = {"http://localhost:5173", "http://127.0.0.1", "http://[::1]:80", "https://app.localhost:8443"};
  for (const auto* page : pages) {
    for (const auto* host : {"localhost:3000", "127.0.0.1:3000", "[::1]:3000", "127.0.0.2"}) {
      EXPECT_TRUE(allows(options, page, host)) << page << " to " << host;
    }
    EXPECT_FALSE(allows(options, page)) << page;
    EXPECT_FALSE(allows(options, page, "localhost.evil.example")) << page;
  }
  options.allow_localhost = true;
  for (const auto* page : pages) EXPECT_TRUE(allows(options, page)) << page;
  for (const auto* foreign :
       {"http://localhost.evil.example", "http://localhost:1@evil.example", "http://127.0.0.1.evil.example",
        "http://evillocalhost", "file://localhost", "http://localhost:"}) {
    EXPECT_FALSE(allows(options, foreign, "localhost:3000")) << foreign;
  }
}

TEST(Cors, AWildcardIsEveryNameBelow) {
  CorsOptions options;
  options.allowed_origins = {"https://*.example.com", "http://*.example.org:8080"};
  for (const auto* good : {"https://a.example.com", "https://a.b.example.com", "https://A.Example.Com",
                           "https://a.example.com:443", "http://a.example.org:8080"}) {
    EXPECT_TRUE(allows(options, good)) << good;
  }
  for (const auto* bad : {"https://example.com", "http://a.example.com", "https://a.example.com:8443",
                          "https://a.example.com.evil.example", "https://evilexample.com", "https://.example.com",
                          "https://a.example.com@evil.example", "https://evil.example/.example.com",
                          "http://a.example.org", "https://*.example.com"}) {
    EXPECT_EQ(judge(options, bad), OriginVerdict::refused) << bad;
  }
  for (const auto* good :
       {"https://a.example", "http://a.example:1", "https://*.example.com", "https://*.example.com:8443"}) {
    EXPECT_TRUE(is_origin_pattern(good)) << good;
  }
  for (const auto* bad :
       {"https://a*.example.com", "https://*", "https://*.", "*.example.com", "https://a.*.example.com",
        "ftp://a.example", "https://a.example/", "https://*.*.example.com"}) {
    EXPECT_FALSE(is_origin_pattern(bad)) << bad;
  }
}

TEST(Cors, ARefusalNamesOriginHostAndSettings) {
  Request request;
  request.headers.add("Origin", "https://app.example\x1b[31m");
  request.host = "127.0.0.1:3000";
  const auto words = origin_refusal(request);
  for (const auto* part : {"https://app.example?[31m", "127.0.0.1:3000", "public_url", "cors_origins"}) {
    EXPECT_NE(words.find(part), std::string::npos) << part;
  }
}

}  // namespace
}  // namespace rushes::net
