#include "async/run.h"
#include "net/chunked.h"
#include "net/gzip.h"
#include "net/head_parser.h"
#include "net/router.h"
#include "net/timers.h"
#include "net/utf8.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace rushes::net {
namespace {

TEST(Headers, CompareWithoutCaseAndKeepTheirOrder) {
  Headers headers;
  headers.add("Content-Type", "text/plain");
  headers.add("Set-Cookie", "a=1");
  headers.add("set-cookie", "b=2");
  EXPECT_EQ(headers.get("content-type"), "text/plain");
  EXPECT_EQ(headers.find("missing"), std::nullopt);
  headers.set("SET-COOKIE", "c=3");
  ASSERT_EQ(headers.size(), 2U);
  EXPECT_EQ(headers.get("set-cookie"), "c=3");
  headers.set("Connection", "keep-alive, Upgrade");
  EXPECT_TRUE(headers.has_token("connection", "upgrade"));
  EXPECT_FALSE(headers.has_token("connection", "up"));
}

struct ChunkedOutcome {
  std::string body;
  std::size_t consumed = 0;
  bool done = false;
  bool malformed = false;
};

ChunkedOutcome decode_chunks(std::string_view input, std::size_t step, std::size_t room) {
  ChunkDecoder decoder;
  ChunkedOutcome outcome;
  std::string buffer(room, '\0');
  std::size_t limit = step;
  while (!decoder.done() && !decoder.malformed() && outcome.consumed < input.size()) {
    limit = std::min(input.size(), outcome.consumed + step);
    const auto taken = decoder.decode(input.substr(outcome.consumed, limit - outcome.consumed), buffer);
    outcome.consumed += taken.consumed;
    outcome.body.append(buffer, 0, taken.produced);
  }
  outcome.done = decoder.done();
  outcome.malformed = decoder.malformed();
  return outcome;
}

TEST(ChunkDecoder, ReadsTheSameHoweverTheBytesAreCut) {
  const std::string_view input =
      "4;name=value\r\nWiki\r\n00A\r\npedia in\r\n\r\nC\r\n chunks here\r\n0\r\nTrailer: x\r\n\r\nnext";
  for (std::size_t step = 1; step <= input.size(); ++step) {
    for (const std::size_t room : {1UL, 3UL, 100UL}) {
      const auto outcome = decode_chunks(input, step, room);
      EXPECT_TRUE(outcome.done);
      EXPECT_EQ(outcome.body, "Wikipedia in\r\n chunks here");
      EXPECT_EQ(input.substr(outcome.consumed), "next");
    }
  }
}

TEST(ChunkDecoder, RefusesWhatIsNoChunk) {
  for (const std::string_view input :
       {"\r\n", "g\r\n", "4\nWiki", "4\r\nWikiX", "4\r\nWiki\n", "-1\r\n", "0x4\r\nWiki\r\n", "ffffffffffffffff\r\n",
        "4;a\nb\r\nWiki\r\n", "0\r\nTrailer\n\r\n"}) {
    EXPECT_TRUE(decode_chunks(input, 3, 100).malformed) << input;
  }
  using namespace std::string_view_literals;
  for (const std::string_view line : {"2 4\r\n"sv, "2 \r\n"sv, "2\txyz\r\n"sv, "2;\r\n"sv, "2; \r\n"sv, "2;a\0b\r\n"sv,
                                      "2;a\x7f\r\n"sv, "2;=b\r\n"sv, " 2\r\n"sv}) {
    EXPECT_TRUE(decode_chunks(std::string(line) + "ab\r\n0\r\n\r\n", 3, 100).malformed) << line;
  }
  EXPECT_TRUE(decode_chunks("2 \t; a=\"b c\";d\r\nab\r\n0\r\n\r\n", 3, 100).done);
  for (const std::string_view trailer : {"not a field\r\n"sv, "A : b\r\n"sv, ": b\r\n"sv, "A: b\0c\r\n"sv,
                                         " A: b\r\n"sv, "A: b\r\n folded\r\n"sv, "A\r\n"sv}) {
    EXPECT_TRUE(decode_chunks("0\r\n" + std::string(trailer) + "\r\n", 3, 100).malformed) << trailer;
  }
  EXPECT_TRUE(decode_chunks("0\r\nA:\r\nB-c: d\te \xc3\xbc\r\n\r\n", 3, 100).done);
  EXPECT_TRUE(decode_chunks("1;" + std::string(20'000, 'x'), 4096, 100).malformed) << "an endless extension";
}

HeadOutcome parse(std::string_view text, Request& request) { return parse_head(text, HeadLimits(), request); }

int refused(std::string_view text) {
  Request request;
  const auto outcome = parse(text, request);
  return outcome.refusal ? outcome.refusal->status : 0;
}

TEST(HeadParser, CountsAHeadByItsWholeSize) {
  const std::string rest = "GET / HTTP/1.1\r\nHost: h\r\nX: \r\n\r\n";
  const auto of_size = [&rest](std::size_t size) {
    auto head = rest;
    return head.insert(head.size() - 4, size - rest.size(), 'x');
  };
  const auto most = HeadLimits().max_bytes;
  EXPECT_EQ(refused(of_size(most)), 0);
  EXPECT_EQ(refused(of_size(most) + "GET / HTTP/1.1\r\n"), 0) << "what follows does not count";
  EXPECT_EQ(refused(of_size(most + 1)), 431) << "and not only while its end is missing";
  EXPECT_EQ(refused(of_size(most + 1).substr(0, most)), 0);
  EXPECT_EQ(refused(of_size(most + 2).substr(0, most + 1)), 431);
}

TEST(HeadParser, ReadsARequest) {
  Request request;
  const auto outcome =
      parse("POST /a%20b/c?x=1%2B2&y=a+b HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello", request);
  ASSERT_TRUE(outcome.head);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/a b/c");
  EXPECT_EQ(request.query_param("x"), "1+2");
  EXPECT_EQ(request.query_param("y"), "a b");
  EXPECT_EQ(request.query_param("z"), std::nullopt);
  EXPECT_EQ(outcome.head->content_length, 5U);
  EXPECT_TRUE(outcome.head->keep_alive);
}

TEST(HeadParser, WaitsForTheWholeHead) {
  const std::string_view text = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
  for (std::size_t size = 0; size < text.size(); ++size) {
    Request request;
    EXPECT_TRUE(parse(text.substr(0, size), request).needs_more()) << size;
  }
  EXPECT_EQ(refused(text), 0);
}

TEST(HeadParser, RefusesWhatIsAmbiguousOrTooMuch) {
  EXPECT_EQ(refused("GET / HTTP/1.1\r\n\r\n"), 400) << "no Host";
  EXPECT_EQ(refused("GET  / HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET /%zz HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET /%00 HTTP/1.1\r\nHost: h\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/2.0\r\nHost: h\r\n\r\n"), 505);
  EXPECT_EQ(refused("\x16\x03\x01"), 400) << "TLS";
  EXPECT_EQ(refused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n"), 400);
  EXPECT_EQ(refused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(refused("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n"), 400);
  EXPECT_EQ(refused("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip\r\n\r\n"), 501);
  EXPECT_EQ(refused("POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n"), 501);
  EXPECT_EQ(refused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: -1\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost : h\r\n\r\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: h\r\nExpect: miracles\r\n\r\n"), 417);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(33'000, 'x') + "\r\n\r\n"), 431);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: h\r\nX: " + std::string(33'000, 'x')), 431);
  std::string many = "GET / HTTP/1.1\r\nHost: h\r\n";
  for (int i = 0; i < 99; ++i) many += "A: b\r\n";
  EXPECT_EQ(refused(many + "\r\n"), 0);
  EXPECT_EQ(refused(many + "A: b\r\n\r\n"), 431);
}

TEST(HeadParser, RefusesWhatTwoReadersUnderstandDifferently) {
  const std::string post = "POST / HTTP/1.1\r\nHost: h\r\n";
  EXPECT_EQ(refused(post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"), 400);
  EXPECT_EQ(refused(post + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n"), 400);
  EXPECT_EQ(refused(post + "Host: other\r\n\r\n"), 400);
  EXPECT_EQ(refused(post + "X-A: b\r\n c\r\n\r\n"), 400) << "a folded field";
  EXPECT_EQ(refused(post + "Transfer-Encoding:\r\n\tchunked\r\n\r\n"), 400) << "a folded coding";
}

TEST(HeadParser, SaysTheSameHoweverTheBytesCome) {
  const std::string request = "\r\n\r\n\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n";
  for (std::size_t size = 0; size < request.size(); ++size) EXPECT_EQ(refused(request.substr(0, size)), 0) << size;
  for (const std::string bad : {"1GET / HTTP/1.1\r\nHost: h\r\n\r\n", "_GET / HTTP/1.1\r\nHost: h\r\n\r\n", "\rGET"}) {
    EXPECT_EQ(refused(bad), 400);
    EXPECT_EQ(refused(bad.substr(0, 2)), 400);
  }
}

TEST(HeadParser, RefusesALineWithoutItsReturnBeforeTheHeadHasEnded) {
  EXPECT_EQ(refused("GET / HTTP/1.1\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: h\n"), 400);
  EXPECT_EQ(refused("GET / HTTP/1.1\r\nHost: h\n\n"), 400);
  EXPECT_EQ(refused("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\n\n\n"), 0) << "a body may hold any";
}

TEST(HeadParser, RefusesAHostThatIsNone) {
  const auto of_host = [](std::string_view host) {
    return refused("GET / HTTP/1.1\r\nHost: " + std::string(host) + "\r\n\r\n");
  };
  for (const auto* bad : {"a b", "a/b", "u@a", "[::1", "a:port", "a, b", "a,b", "a:70000", ":80", "[::1]x", "[v]",
                          "[fe80::1%eth0]", "a:1:2", "a\\b", "\xc3\xbc.example", "a%2", "http://a"}) {
    EXPECT_EQ(of_host(bad), 400) << bad;
  }
  for (const auto* good : {"", "localhost", "a_b.example:3000", "a:", "127.0.0.1:80", "[::1]", "[2001:db8::1]:443",
                           "xn--bcher-kva.example", "a%20b"}) {
    EXPECT_EQ(of_host(good), 0) << good;
  }
}

TEST(HeadParser, TakesTheHostOfAnAbsoluteTarget) {
  Request request;
  ASSERT_TRUE(parse("GET HTTP://b:81/c?d HTTP/1.1\r\nHost: a\r\n\r\n", request).head);
  EXPECT_EQ(request.path, "/c");
  EXPECT_EQ(request.query, "d");
  EXPECT_EQ(request.headers.get("Host"), "b:81");
  Request bare;
  ASSERT_TRUE(parse("GET https://b?d HTTP/1.1\r\nHost: a\r\n\r\n", bare).head);
  EXPECT_EQ(bare.path, "/");
  EXPECT_EQ(bare.query, "d");
  for (const auto* bad :
       {"http:///c", "http://", "http://?c", "http://u@a/c", "ftp://a/c", "http:/a", "c", "?c", "#c"}) {
    EXPECT_EQ(refused("GET " + std::string(bad) + " HTTP/1.1\r\nHost: a\r\n\r\n"), 400) << bad;
  }
}

TEST(HeadParser, RefusesATargetBeyondAscii) {
  for (const auto* bad : {"/\xff", "/\xc3\xbc", "/?q=\x80", "/\x7f", "/\x01"}) {
    EXPECT_EQ(refused("GET " + std::string(bad) + " HTTP/1.1\r\nHost: a\r\n\r\n"), 400) << bad;
  }
}

TEST(Gzip, IsAcceptedByItsWeight) {
  const auto takes = [](std::string_view value) {
    Headers headers;
    headers.add("Accept-Encoding", value);
    return accepts_gzip(headers);
  };
  for (const auto* yes : {"gzip", "gzip;q=1.0", "deflate, GZIP ; q=0.001", "gzip;q=1.0,deflate;q=0.6,identity;q=0.3",
                          "*", "br;q=1, *;q=0.5", "x-gzip", "gzip;Q=1"}) {
    EXPECT_TRUE(takes(yes)) << yes;
  }
  for (const auto* no : {"", "br", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *", "identity, gzip;q=0.5",
                         "gzip;q=2", "gzip;q=x", "gzip;q=1.5", "gzip;level=9"}) {
    EXPECT_FALSE(takes(no)) << no;
  }
}

TEST(HeadParser, KnowsNoUpgradeButToWebSocket) {
  const auto asks = [](const std::string& protocols) {
    Request request;
    return parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: " + protocols + "\r\n\r\n", request)
        .head->upgrade;
  };
  EXPECT_TRUE(asks("WebSocket"));
  EXPECT_TRUE(asks("h2c, websocket"));
  EXPECT_FALSE(asks("h2c"));
}

Task<Response> nothing(Request&) { co_return Response(); }

Router::Match match(const Router& router, std::string method, std::string path, Request& request) {
  request = Request();
  request.method = std::move(method);
  request.path = std::move(path);
  return router.match(request);
}

TEST(Router, FindsByPathThenByMethod) {
  Router router;
  router.add("GET", "/jobs", nothing);
  router.add("GET", "/job/{id}/status", nothing);
  router.add("POST", "/job/{id}/cancel", nothing);
  router.add("GET", "/job/best/status", nothing);
  Request request;
  EXPECT_NE(match(router, "GET", "/job/7/status", request).route, nullptr);
  EXPECT_EQ(request.params["id"], "7");
  EXPECT_NE(match(router, "HEAD", "/job/7/status", request).route, nullptr);
  EXPECT_NE(match(router, "GET", "/job/best/status", request).route, nullptr);
  EXPECT_TRUE(request.params.empty()) << "a fixed segment wins";
  EXPECT_NE(match(router, "POST", "/job/best/cancel", request).route, nullptr);
  EXPECT_EQ(request.params["id"], "best") << "and steps back where it leads nowhere";
  EXPECT_EQ(match(router, "GET", "/job//status", request).route, nullptr);
  EXPECT_FALSE(match(router, "GET", "/job/7", request).path_known);
  const auto wrong = match(router, "DELETE", "/job/7/cancel", request);
  EXPECT_TRUE(wrong.path_known);
  EXPECT_EQ(wrong.allow, "POST, OPTIONS");
  EXPECT_EQ(router.allowed_methods("/jobs"), "GET, HEAD, OPTIONS");
  EXPECT_THROW(router.add("GET", "/jobs", nothing), std::logic_error);
  std::vector<std::string> routes;
  router.each_route([&](const std::string& method, const std::string& path) { routes.push_back(method + " " + path); });
  EXPECT_EQ(routes.size(), 4U);
  EXPECT_NE(std::find(routes.begin(), routes.end(), "POST /job/{id}/cancel"), routes.end());
  router.set_fallback(nothing);
  EXPECT_NE(match(router, "GET", "/elsewhere", request).route, nullptr);
  EXPECT_EQ(match(router, "POST", "/elsewhere", request).route, nullptr);
}

struct Note final : Deadline {
  Note(int name, std::vector<int>& log) : name_(name), log_(log) {}
  void on_deadline() override { log_.push_back(name_); }
  int name_;
  std::vector<int>& log_;
};

Task<> run_timers(std::vector<int>& log) {
  Timers timers(co_await asio::this_coro::executor);
  using std::chrono::milliseconds;
  Note a(1, log), b(2, log), c(3, log), d(4, log), last(9, log);
  timers.set(a, milliseconds(30));
  timers.set(b, milliseconds(10));
  timers.set(c, milliseconds(5));
  timers.set(c, milliseconds(40));  // later: only a field
  timers.set(d, milliseconds(20));
  timers.set(a, milliseconds(1));  // earlier
  timers.cancel(d);
  {
    Note gone(5, log);
    timers.set(gone, milliseconds(2));
  }
  timers.set(last, milliseconds(60));
  while (last.armed()) co_await sleep_for(milliseconds(5));
}

TEST(Timers, FireInOrderAfterBeingMovedAndCancelled) {
  std::vector<int> log;
  run_to_end(run_timers(log));
  EXPECT_EQ(log, (std::vector<int>{1, 2, 3, 9}));
}

TEST(Utf8, KnowsEveryBorder) {
  for (const char* good : {"", "plain ascii, longer than eight", "\xc2\x80", "\xdf\xbf", "\xe0\xa0\x80", "\xed\x9f\xbf",
                           "\xee\x80\x80", "\xef\xbf\xbf", "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(is_valid_utf8(good)) << good;
  }
  for (const char* bad : {"\x80", "\xc1\xbf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80",
                          "\xf5\x80\x80\x80", "\xc3", "12345678\xe2\x82", "\xe2\x28\xa1"}) {
    EXPECT_FALSE(is_valid_utf8(bad)) << bad;
  }
}

TEST(PercentDecode, RefusesBadEscapesAndZeroBytes) {
  EXPECT_EQ(percent_decode("a%2Fb%C3%BC").value(), "a/b\xc3\xbc");
  EXPECT_EQ(percent_decode("%41").value(), "A");
  for (const char* bad : {"%", "%4", "%4g", "%00"}) EXPECT_FALSE(percent_decode(bad)) << bad;
}

}  // namespace
}  // namespace rushes::net
