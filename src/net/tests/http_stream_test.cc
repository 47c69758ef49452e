#include "async/run.h"
#include "net/http_server.h"
#include "net/tests/client.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>

#include <atomic>
#include <thread>

namespace rushes::net {
namespace {

using std::chrono::milliseconds;

/// What a source did, as the test's thread sees it.
struct Seen {
  std::atomic<int> pieces{0};
  std::atomic<bool> waiting{false};
  std::atomic<bool> stopped{false};
  std::atomic<bool> gone{false};
};

/// Gives `count` pieces, then ends, fails, or waits until it is stopped.
class Source final : public BodySource {
 public:
  enum class Then : std::uint8_t { ends, fails, throws, waits };
  Source(const Executor& executor, Seen& seen, int count, std::string piece, Then then)
      : seen_(seen), count_(count), piece_(std::move(piece)), then_(then), timer_(executor) {
    timer_.expires_at(std::chrono::steady_clock::time_point::max());
  }
  ~Source() override { seen_.gone = true; }

  Task<Result<std::string>> next() override {
    if (seen_.pieces < count_ && !seen_.stopped) {
      ++seen_.pieces;
      co_return piece_;
    }
    if (then_ == Then::fails) co_return Error(Errc::internal, "no more");
    if (then_ == Then::throws) throw std::runtime_error("no more");
    if (then_ == Then::waits && !seen_.stopped) {
      seen_.waiting = true;
      boost::system::error_code woken;
      co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    }
    co_return std::string();
  }
  void stop() override {
    seen_.stopped = true;
    timer_.cancel();
  }

 private:
  Seen& seen_;
  const int count_;
  const std::string piece_;
  const Then then_;
  asio::steady_timer timer_;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

class HttpStreamTest : public testing::Test {
 protected:
  HttpStreamTest() {
    router_.add("GET", "/stream", [this](Request& request) { return stream(request); });
    router_.add("GET", "/plain", [](Request&) -> Task<Response> { co_return Response(200, "text/plain", "plain"); });
    options_.port = 0;
  }
  ~HttpStreamTest() override {
    if (server_) run_to_end(server_->stop(milliseconds(500)));
    shards_.stop();
  }

  std::uint16_t start(int count, std::string piece, Source::Then then) {
    count_ = count;
    piece_ = std::move(piece);
    then_ = then;
    shards_.start();
    server_.emplace(shards_, router_, options_);
    return server_->start().value();
  }
  Task<Response> stream(Request&) {
    const auto executor = co_await asio::this_coro::executor;
    Response response(200);
    response.headers.add("Content-Type", "text/event-stream");
    response.stream = std::make_unique<Source>(executor, seen_, count_, piece_, then_);
    co_return response;
  }
  static bool soon(const std::atomic<bool>& what) {
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!what && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    return what;
  }

  Shards shards_{1};
  Router router_;
  HttpOptions options_;
  std::optional<HttpServer> server_;
  Seen seen_;
  int count_ = 0;
  std::string piece_;
  Source::Then then_ = Source::Then::ends;
};

constexpr std::string_view kAsk = "GET /stream HTTP/1.1\r\nHost: h\r\n\r\n";
constexpr std::string_view kAskPlain = "GET /plain HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

TEST_F(HttpStreamTest, PiecesAreChunksAndTheConnectionGoesOn) {
  Client client(start(3, "some words", Source::Then::ends));
  client.write(std::string(kAsk) + std::string(kAskPlain));
  const auto all = client.rest();
  EXPECT_TRUE(has(all, "Transfer-Encoding: chunked\r\n"));
  EXPECT_TRUE(
      has(all, "\r\n\r\na\r\nsome words\r\na\r\nsome words\r\na\r\nsome words\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n"));
  EXPECT_FALSE(has(all.substr(0, all.find("\r\n\r\n")), "Content-Length"));
  EXPECT_TRUE(all.ends_with("plain"));
  EXPECT_TRUE(seen_.gone);
}

TEST_F(HttpStreamTest, OverHttp10ItEndsWithTheConnection) {
  Client client(start(2, "words", Source::Then::ends));
  client.write("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const auto all = client.rest();
  EXPECT_TRUE(has(all, "Connection: close\r\n"));
  EXPECT_TRUE(all.ends_with("\r\n\r\nwordswords"));
}

TEST_F(HttpStreamTest, HeadAsksForNoPiece) {
  Client client(start(2, "words", Source::Then::ends));
  client.write("HEAD /stream HTTP/1.1\r\nHost: h\r\n\r\n" + std::string(kAskPlain));
  const auto all = client.rest();
  EXPECT_TRUE(has(all, "Transfer-Encoding: chunked\r\n"));
  EXPECT_TRUE(has(all, "\r\n\r\nHTTP/1.1 200 OK\r\n"));
  EXPECT_EQ(seen_.pieces, 0);
}

TEST_F(HttpStreamTest, AFailureBreaksTheBodyOff) {
  Client client(start(1, "words", Source::Then::fails));
  client.write(kAsk);
  EXPECT_TRUE(client.rest().ends_with("5\r\nwords\r\n")) << "no last chunk";
}

TEST_F(HttpStreamTest, SoDoesAnException) {
  Client client(start(1, "words", Source::Then::throws));
  client.write(kAsk);
  EXPECT_TRUE(client.rest().ends_with("5\r\nwords\r\n"));
}

TEST_F(HttpStreamTest, NoMoreIsMadeThanTheClientTakes) {
  options_.limits.write_timeout = milliseconds(100);
  Client client(start(1'000'000, std::string(64UL << 10U, 'x'), Source::Then::ends));
  client.write(kAsk);
  // It takes nothing: after what the system buffers, the server waits, then it has had enough.
  EXPECT_TRUE(soon(seen_.gone));
  EXPECT_LT(seen_.pieces, 1'000);
}

TEST_F(HttpStreamTest, AClientThatLeavesEndsTheWait) {
  Client client(start(0, "", Source::Then::waits));
  client.write(kAsk);
  ASSERT_TRUE(soon(seen_.waiting));
  client.leave();
  EXPECT_TRUE(soon(seen_.gone));
  EXPECT_TRUE(seen_.stopped);
}

TEST_F(HttpStreamTest, StoppingTheServerEndsTheBodyWhole) {
  Client client(start(1, "words", Source::Then::waits));
  client.write(kAsk);
  ASSERT_TRUE(soon(seen_.waiting));
  run_to_end(server_->stop(std::chrono::seconds(5)));
  EXPECT_TRUE(seen_.stopped);
  EXPECT_TRUE(client.rest().ends_with("5\r\nwords\r\n0\r\n\r\n"));
}

}  // namespace
}  // namespace rushes::net
