#include "async/run.h"
#include "net/http_server.h"
#include "net/tests/client.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

namespace rushes::net {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
constexpr std::size_t kMiB = 1UL << 20U;

Task<Response> length(Request& request) {
  request.user = request.headers.get("X-User");
  const auto read = co_await request.read_body();
  if (!read) co_return problem(read.error());
  co_return Response(200, "text/plain", std::to_string(request.body.size()));
}

Task<Response> refuse(Request&) { co_return problem(Error(Errc::unauthenticated, "no token")); }

Task<Response> accept_unread(Request&) { co_return Response(200, "text/plain", "done"); }

Task<Response> swallow(Request& request) {
  std::string buffer(64UL << 10U, '\0');
  for (;;) {
    const auto got = co_await request.stream->read(buffer);
    if (!got) co_return problem(got.error());
    if (*got == 0) co_return Response(200, "text/plain", "done");
  }
}

class HttpBodyTest : public testing::Test {
 protected:
  HttpBodyTest() {
    RouteOptions large;
    large.max_body = 64 * kMiB;
    router_.add("POST", "/length", length, large);
    router_.add("POST", "/refuse", refuse, large);
    router_.add("POST", "/unread", accept_unread, large);
    router_.add("POST", "/stream", swallow, large);
    router_.add("GET", "/hello", accept_unread);
    options_.port = 0;
  }
  ~HttpBodyTest() override {
    if (server_) run_to_end(server_->stop(milliseconds(500)));
    shards_.stop();
  }

  std::uint16_t start() {
    shards_.start();
    server_.emplace(shards_, router_, options_);
    return server_->start().value();
  }

  void wait_for_bytes(std::size_t least) {
    const auto until = std::chrono::steady_clock::now() + seconds(10);
    while (server_->body_bytes() < least && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    EXPECT_GE(server_->body_bytes(), least);
  }
  void wait_for_no_bytes() {
    const auto until = std::chrono::steady_clock::now() + seconds(10);
    while (server_->body_bytes() > 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    EXPECT_EQ(server_->body_bytes(), 0U);
  }

  Shards shards_{2};
  Router router_;
  HttpOptions options_;
  std::optional<HttpServer> server_;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

std::string post(std::string_view path, std::size_t size, std::string_view fields = "") {
  return "POST " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n" + std::string(fields) +
         "Content-Length: " + std::to_string(size) + "\r\n\r\n";
}

TEST_F(HttpBodyTest, ARefusalDoesNotWaitForTheBody) {
  const auto port = start();
  Client known(port);
  known.write(post("/refuse", 10 * kMiB) + "x");
  EXPECT_TRUE(known.answer().starts_with("HTTP/1.1 401"));
  Client chunked(port);
  chunked.write("POST /refuse HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
  EXPECT_TRUE(chunked.answer().starts_with("HTTP/1.1 401"));
  Client asking(port);
  asking.write(post("/refuse", 10, "Expect: 100-continue\r\n"));
  EXPECT_TRUE(asking.answer().starts_with("HTTP/1.1 401")) << "and no 100";
  EXPECT_EQ(server_->body_bytes(), 0U);
}

TEST_F(HttpBodyTest, ARefusedBodyThatIsHereKeepsTheConnection) {
  Client client(start());
  for (int i = 0; i < 3; ++i) {
    client.write(post("/refuse", 3) + "abc");
    EXPECT_FALSE(has(client.answer(), "Connection: close"));
  }
  client.write("POST /refuse HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n");
  EXPECT_FALSE(has(client.answer(), "Connection: close"));
  client.write("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(client.answer().ends_with("done"));
}

TEST_F(HttpBodyTest, ASmallBodyThatNobodyReadIsPassedOver) {
  Client client(start());
  client.write(post("/unread", 6) + "ab");
  EXPECT_TRUE(client.answer().ends_with("done"));
  client.write("cdefGET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(client.answer().ends_with("done"));
  client.write(post("/unread", kMiB) + "ab");
  EXPECT_TRUE(has(client.answer(), "Connection: close"));
}

TEST_F(HttpBodyTest, MemoryFollowsWhatCameAndIsGivenBack) {
  const auto port = start();
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 50; ++i) {
    slow.push_back(std::make_unique<Client>(port));
    slow.back()->write(post("/length", 10 * kMiB) + std::string(1000, 'x'));
  }
  Client large(port);
  large.write(post("/length", 10 * kMiB) + std::string(9 * kMiB, 'x'));
  wait_for_bytes(8 * kMiB);
  EXPECT_LE(server_->body_bytes(), 17 * kMiB) << "50 announcements weigh nothing";
  large.write(std::string(kMiB, 'x'));
  EXPECT_TRUE(large.answer().ends_with("10485760"));
  slow.clear();
  wait_for_no_bytes();
}

TEST_F(HttpBodyTest, BeyondTheBudgetABodyIsAnswered503AndSmallOnesAreServed) {
  options_.limits.max_body_memory = 8 * kMiB;
  const auto port = start();
  Client holder(port);
  holder.write(post("/length", 8 * kMiB, "X-User: a\r\n") + std::string(8 * kMiB - 1, 'x'));
  wait_for_bytes(8 * kMiB);
  Client next(port);
  next.write(post("/length", kMiB, "X-User: b\r\n") + std::string(kMiB, 'x'));
  const auto refused = next.answer();
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 503") && has(refused, "Retry-After: ") && has(refused, "BODY_MEMORY"))
      << refused;
  EXPECT_EQ(server_->refused_bodies(), 1U);
  Client small(port);
  small.write(post("/length", 3) + "abc");
  EXPECT_TRUE(small.answer().ends_with("\r\n\r\n3"));
  holder.write("x");
  EXPECT_TRUE(holder.answer().ends_with("8388608"));
  Client after(port);
  after.write(post("/length", kMiB, "X-User: b\r\n") + std::string(kMiB, 'x'));
  EXPECT_TRUE(after.answer().ends_with("1048576"));
  Client never(port);
  never.write(post("/length", 9 * kMiB) + std::string(8 * kMiB + 100'000, 'x'));
  EXPECT_TRUE(never.answer().starts_with("HTTP/1.1 413")) << "more than there is: no sooner and no later";
}

TEST_F(HttpBodyTest, OneUserLeavesRoomForOthers) {
  options_.limits.max_body_memory = 8 * kMiB;
  const auto port = start();
  std::vector<std::unique_ptr<Client>> slow;
  for (int i = 0; i < 20; ++i) {
    slow.push_back(std::make_unique<Client>(port));
    slow.back()->write(post("/length", kMiB, "X-User: greedy\r\n") + std::string(kMiB - 1000, 'x'));
  }
  const auto until = std::chrono::steady_clock::now() + seconds(10);
  while (server_->refused_bodies() < 18 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_GE(server_->refused_bodies(), 18U);
  EXPECT_LE(server_->body_bytes(), 2 * kMiB);
  Client one_more(port);
  one_more.write(post("/length", 2 * kMiB, "X-User: greedy\r\n") + std::string(2 * kMiB, 'x'));
  const auto refused = one_more.answer();
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 429") && has(refused, "BODY_MEMORY_OF_USER") &&
              has(refused, "Retry-After"));
  Client other(port);
  other.write(post("/length", kMiB, "X-User: other\r\n") + std::string(kMiB, 'x'));
  EXPECT_TRUE(other.answer().ends_with("1048576"));
}

TEST_F(HttpBodyTest, ALargeBodyInMemoryHasToComeFaster) {
  options_.limits.body_rate_grace = milliseconds(200);
  options_.limits.memory_body_time = seconds(2);
  const auto port = start();
  Client to_disk(port);
  to_disk.write(post("/stream", 20 * kMiB) + std::string(kMiB, 'x'));
  Client slow(port);
  slow.write(post("/length", 20 * kMiB) + std::string(kMiB, 'x'));  // a twentieth: good for a tenth of a second
  const auto answer = slow.answer();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 408") && has(answer, "10485760 bytes a second")) << answer;
  EXPECT_TRUE(to_disk.write(std::string(19 * kMiB, 'x')));
  EXPECT_TRUE(to_disk.answer().ends_with("done")) << "what is not held in memory has more time";
}

}  // namespace
}  // namespace rushes::net
