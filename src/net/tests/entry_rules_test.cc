#include "net/entry_rules.h"

#include "base/json.h"

#include <gtest/gtest.h>

namespace rushes::net {
namespace {

Request request_for(std::string_view host, std::string_view path = "/", std::string_view method = "GET") {
  Request request;
  request.method = method;
  request.path = path;
  request.peer_address = "10.0.0.1";
  if (!host.empty()) request.headers.add("Host", host);
  return request;
}

int status_at(EntryRules& rules, std::string_view host) {
  auto request = request_for(host);
  const auto verdict = rules.examine(request);
  return verdict.refusal ? verdict.refusal->status : 0;
}

TEST(EntryRules, AnyHostMayBeNamedWhereNoneIsListed) {
  EntryRules rules{EntryOptions()};
  for (const auto* host : {"evil.example", "a b", ""}) EXPECT_EQ(status_at(rules, host), 0) << host;
}

TEST(EntryRules, OthersThanTheListedHostsAreMisdirected) {
  EntryOptions options;
  options.allowed_hosts = std::vector<std::string>{"app.example", "*.apps.example"};
  options.cors.public_origin = parse_origin("https://public.example:8443");
  EntryRules rules(options);
  for (const auto* host :
       {"app.example", "App.Example:3000", "app.example.", "a.b.apps.example:1", "public.example", "localhost:3000",
        "x.localhost", "127.0.0.1:3000", "127.8.8.8", "[::1]:3000", "192.168.0.7:3000", "[2001:db8::1]", ""}) {
    EXPECT_EQ(status_at(rules, host), 0) << host;
  }
  for (const auto* host :
       {"evil.example", "evil.example:3000", "app.example.evil.example", "apps.example", "localhost.evil.example",
        "127.0.0.1.evil.example", "0x7f.1", "127.1", "app.example:x", "a b", "[::1"}) {
    EXPECT_EQ(status_at(rules, host), 421) << host;
  }
  auto request = request_for("evil.example");
  const auto refusal = rules.examine(request).refusal;
  const auto body = parse_json(refusal->body)->as_object();
  EXPECT_EQ(string_member(body, "code"), "HOST_NOT_ALLOWED");
  EXPECT_NE(refusal->body.find("evil.example"), std::string::npos);
  EXPECT_NE(refusal->body.find("allowed_hosts"), std::string::npos);
}

TEST(EntryRules, TheHostIsTheOneThatATrustedProxyNames) {
  EntryOptions options;
  options.allowed_hosts = std::vector<std::string>{"app.example"};
  options.trusted_proxies = AddressRanges::parse({"10.0.0.0/8"}).value();
  EntryRules rules(options);
  auto request = request_for("upstream");
  request.headers.add("X-Forwarded-Host", "app.example");
  request.headers.add("X-Forwarded-For", "198.51.100.1");
  request.headers.add("Origin", "https://app.example");
  const auto verdict = rules.examine(request);
  EXPECT_FALSE(verdict.refusal);
  EXPECT_EQ(verdict.origin, OriginVerdict::allowed);
  EXPECT_EQ(request.remote_address, "198.51.100.1");
  EXPECT_EQ(request.peer_address, "10.0.0.1");
}

TEST(EntryRules, TheBasePathStandsBeforeEverything) {
  EntryOptions options;
  options.base_path = "/api/v1";
  EntryRules rules(options);
  const auto enter = [&](std::string_view path, std::string_view method = "GET") {
    auto request = request_for("a", path, method);
    const auto verdict = rules.examine(request);
    return verdict.refusal ? std::to_string(verdict.refusal->status) : request.prefix + " " + request.path;
  };
  EXPECT_EQ(enter("/api/v1/analyze/jobs"), "/api/v1 /analyze/jobs");
  EXPECT_EQ(enter("/api/v1/"), "/api/v1 /");
  EXPECT_EQ(enter("/api/v1"), "308");
  EXPECT_EQ(enter("/api/v1", "POST"), "/api/v1 /");
  EXPECT_EQ(enter("/api/v1/socket.io/"), "/api/v1 /socket.io/");
  for (const auto* there : {"/socket.io/", "/socket.io", "/health", "/health/liveness", "/metrics"}) {
    EXPECT_EQ(enter(there), std::string(" ") + there);
  }
  for (const auto* nowhere : {"/", "/analyze/jobs", "/api/v10/analyze/jobs", "/api", "/healthy", "/API/v1/"}) {
    EXPECT_EQ(enter(nowhere), "404") << nowhere;
  }
  auto request = request_for("a", "/api/v1");
  EXPECT_EQ(rules.examine(request).refusal->headers.get("Location"), "v1/");
}

}  // namespace
}  // namespace rushes::net
