#include "net/http_server.h"

#include "async/run.h"
#include "net/tests/client.h"

#include <gtest/gtest.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <thread>

namespace rushes::net {
namespace {

using std::chrono::milliseconds;

Task<Response> hello(Request& request) {
  co_return Response(200, "text/plain", "hello " + request.query_param("name").value_or("you"));
}

Task<Response> echo(Request& request) {
  const auto read = co_await request.read_body();
  if (!read) co_return problem(read.error());
  co_return Response(200, "text/plain", request.body);
}

/// Counts a streamed body.
Task<Response> swallow(Request& request) {
  std::string buffer(256UL << 10U, '\0');
  std::uint64_t total = 0;
  for (;;) {
    const auto got = co_await request.stream->read(buffer);
    if (!got) co_return problem(got.error());
    if (*got == 0) break;
    total += *got;
  }
  co_return Response(200, "text/plain", std::to_string(total));
}

/// Looks at the first bytes only.
Task<Response> sip(Request& request) {
  char byte = 0;
  const auto got = co_await request.stream->read({&byte, 1});
  co_return Response(got ? 422 : 400, "text/plain", "enough");
}

Task<Response> throws(Request&) {
  throw std::runtime_error("secret detail");
  co_return Response();
}

Task<Response> slow(Request&) {
  co_await sleep_for(std::chrono::seconds(30));
  co_return Response();
}

class HttpServerTest : public testing::Test {
 protected:
  HttpServerTest() {
    router_.add("GET", "/hello", hello);
    router_.add("POST", "/echo", echo);
    RouteOptions streaming;
    streaming.max_body = 1ULL << 30U;
    router_.add("POST", "/upload", swallow, streaming);
    router_.add("POST", "/sip", sip, streaming);
    router_.add("GET", "/throw", throws);
    RouteOptions hurried;
    hurried.deadline = milliseconds(50);
    router_.add("GET", "/slow", slow, hurried);
    router_.add("GET", "/wait", [this](Request& request) { return wait(request); });
    router_.add("GET", "/file", [this](Request& request) { return file(request); });
    options_.port = 0;
  }
  ~HttpServerTest() override {
    if (server_) run_to_end(server_->stop(milliseconds(500)));
    shards_.stop();
  }

  std::uint16_t start() {
    shards_.start();
    server_.emplace(shards_, router_, options_);
    return server_->start().value();
  }

  Task<Response> wait(Request& request) {
    request.when_gone([this] { gone_ = true; });
    waiting_ = true;
    while (!gone_) co_await sleep_for(milliseconds(1));
    co_return Response();
  }

  Task<Response> file(Request& request) {
    co_return file_response(request, FileBody{file_, 0, std::nullopt, nullptr}, "video/mp4");
  }

  Shards shards_{2};
  Router router_;
  HttpOptions options_;
  std::optional<HttpServer> server_;
  std::filesystem::path file_;
  std::atomic<bool> waiting_ = false;
  std::atomic<bool> gone_ = false;
};

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

TEST_F(HttpServerTest, KeepsTheConnectionAndAnswersPipelinedRequestsInOrder) {
  Client client(start());
  std::string all;
  for (int i = 0; i < 50; ++i) all += "GET /hello?name=" + std::to_string(i) + " HTTP/1.1\r\nHost: h\r\n\r\n";
  client.write(all +
               "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  for (int i = 0; i < 50; ++i) EXPECT_TRUE(client.answer().ends_with("\r\n\r\nhello " + std::to_string(i)));
  EXPECT_TRUE(client.answer().ends_with("\r\n\r\nabc"));
  EXPECT_TRUE(client.answer().ends_with("hello you"));
  client.write("GET /hello HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(has(client.rest(), "Connection: close"));
}

TEST_F(HttpServerTest, ReadsARequestThatComesByteByByte) {
  Client client(start());
  for (const char c : std::string_view(
           "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")) {
    client.write({&c, 1});
  }
  EXPECT_TRUE(client.answer().ends_with("\r\n\r\nabcde"));
  client.write("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(client.answer().ends_with("hello you"));
}

TEST_F(HttpServerTest, SpeaksHttp10) {
  const auto port = start();
  Client once(port);
  once.write("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(has(once.rest(), "Connection: close"));
  Client kept(port);
  kept.write("GET /hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_TRUE(has(kept.answer(), "Connection: keep-alive"));
  kept.write("GET /hello HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(kept.rest().ends_with("hello you"));
}

TEST_F(HttpServerTest, AnswersHeadWithoutABodyAndOptionsWithTheMethods) {
  Client client(start());
  client.write("HEAD /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto head = client.answer(false);
  EXPECT_TRUE(has(head, "200 OK") && has(head, "Content-Length: 9") && head.ends_with("\r\n\r\n"));
  client.write(
      "OPTIONS /echo HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:5173\r\n"
      "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n\r\n");
  const auto preflight = client.answer();
  EXPECT_TRUE(has(preflight, "204"));
  EXPECT_TRUE(has(preflight, "Access-Control-Allow-Origin: http://localhost:5173\r\n"));
  EXPECT_TRUE(has(preflight, "Access-Control-Allow-Credentials: true\r\n"));
  EXPECT_TRUE(has(preflight, "Access-Control-Allow-Methods: POST, OPTIONS\r\n"));
  EXPECT_TRUE(has(preflight, "Access-Control-Allow-Headers: authorization\r\n"));
  client.write(
      "OPTIONS /echo HTTP/1.1\r\nHost: h\r\nOrigin: https://evil.example\r\nAccess-Control-Request-Method: "
      "POST\r\n\r\n");
  EXPECT_FALSE(has(client.answer(), "Access-Control-Allow-Origin"));
}

TEST_F(HttpServerTest, SaysWhatIsNotThereAsAProblemWithCorsFields) {
  Client client(start());
  client.write("GET /nothing HTTP/1.1\r\nHost: localhost\r\nOrigin: http://127.0.0.1:8080\r\n\r\n");
  const auto missing = client.answer();
  EXPECT_TRUE(has(missing, "404 Not Found") && has(missing, "application/problem+json") &&
              has(missing, "NO_SUCH_PATH"));
  EXPECT_TRUE(has(missing, "Access-Control-Allow-Origin: http://127.0.0.1:8080\r\n"));
  client.write("DELETE /hello HTTP/1.1\r\nHost: localhost\r\nOrigin: http://127.0.0.1:8080\r\n\r\n");
  const auto wrong = client.answer();
  EXPECT_TRUE(has(wrong, "405 Method Not Allowed") && has(wrong, "Allow: GET, HEAD, OPTIONS"));
  EXPECT_TRUE(has(wrong, R"("code":"METHOD_NOT_ALLOWED")"));
  EXPECT_TRUE(has(wrong, "Access-Control-Allow-Origin"));
  client.write("GET /throw HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto broken = client.answer();
  EXPECT_TRUE(has(broken, "500") && !has(broken, "secret detail"));
  client.write("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(has(client.answer(), "503"));
  client.write("nonsense\r\n\r\n");
  const auto malformed = client.rest();
  EXPECT_TRUE(has(malformed, "400 Bad Request") && has(malformed, "Connection: close"));
}

TEST_F(HttpServerTest, ExpectContinueIsAnsweredOnlyWhereTheBodyIsWanted) {
  const auto port = start();
  Client wanted(port);
  wanted.write("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(wanted.answer(), "HTTP/1.1 100 Continue\r\n\r\n");
  wanted.write("ok");
  EXPECT_TRUE(wanted.answer().ends_with("\r\n\r\nok"));
  Client refused(port);
  refused.write("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2000000\r\n\r\n");
  EXPECT_TRUE(refused.answer().starts_with("HTTP/1.1 413"));
}

TEST_F(HttpServerTest, ATooLargeBodyIsAnsweredAlthoughTheClientStillSends) {
  const auto port = start();
  const std::string megabyte(1UL << 20U, 'x');
  Client known(port);
  known.write("POST /echo HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Length: 20971520\r\n\r\n");
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(known.write(megabyte));
  const auto answer = known.rest();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413") && has(answer, "1 MiB") && has(answer, "Access-Control-Allow-Origin"));
  EXPECT_FALSE(known.was_reset());

  Client chunked(port);
  chunked.write("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(chunked.write("100000\r\n" + megabyte + "\r\n"));
  EXPECT_TRUE(chunked.rest().starts_with("HTTP/1.1 413"));
  EXPECT_FALSE(chunked.was_reset());

  Client early(port);
  early.write("POST /sip HTTP/1.1\r\nHost: h\r\nContent-Length: 20971520\r\n\r\n");
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(early.write(megabyte));
  EXPECT_TRUE(early.rest().starts_with("HTTP/1.1 422")) << "a handler that stops reading";
  EXPECT_FALSE(early.was_reset());
}

TEST_F(HttpServerTest, StreamsABodyOfKnownLengthAndAChunkedOne) {
  const auto port = start();
  Client client(port);
  const std::string megabyte(1UL << 20U, 'x');
  client.write("POST /upload HTTP/1.1\r\nHost: h\r\nContent-Length: 67108864\r\n\r\n");
  for (int i = 0; i < 64; ++i) ASSERT_TRUE(client.write(megabyte));
  EXPECT_TRUE(client.answer().ends_with("\r\n\r\n67108864"));
  client.write("POST /upload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(client.write("100000\r\n" + megabyte + "\r\n"));
  client.write("0\r\n\r\n");
  EXPECT_TRUE(client.answer().ends_with("\r\n\r\n8388608"));
  client.write("POST /upload HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n");
  EXPECT_TRUE(has(client.rest(), "400 Bad Request"));
}

TEST_F(HttpServerTest, ASlowHeadIsAnsweredWith408AndASilentConnectionIsClosed) {
  options_.limits.head_timeout = milliseconds(60);
  options_.limits.keep_alive_timeout = milliseconds(60);
  options_.limits.body_stall_timeout = milliseconds(60);
  const auto port = start();
  Client slow_head(port);
  slow_head.write("GET /hello HTT");
  EXPECT_TRUE(slow_head.rest().starts_with("HTTP/1.1 408"));
  Client slow_body(port);
  slow_body.write("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nabc");
  EXPECT_TRUE(slow_body.rest().starts_with("HTTP/1.1 408"));
  Client silent(port);
  EXPECT_EQ(silent.rest(), "");
  Client idle(port);
  idle.write("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(idle.rest().ends_with("hello you"));
}

TEST_F(HttpServerTest, TellsAWaitingHandlerThatItsClientLeft) {
  Client client(start());
  client.write("GET /wait HTTP/1.1\r\nHost: h\r\n\r\n");
  while (!waiting_) std::this_thread::yield();
  client.leave();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (!gone_ && std::chrono::steady_clock::now() < until) std::this_thread::yield();
  EXPECT_TRUE(gone_);
}

TEST_F(HttpServerTest, ServesFilesWithRangesAndTags) {
  file_ = std::filesystem::path(testing::TempDir()) / "http_server_test.bin";
  std::string content(3UL << 20U, '\0');
  for (std::size_t i = 0; i < content.size(); ++i) content[i] = static_cast<char>(i * 7 + i / 251);
  std::ofstream(file_, std::ios::binary) << content;
  Client client(start());
  client.write("GET /file HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto whole = client.answer();
  EXPECT_TRUE(whole.ends_with(content));
  client.write("GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes=1000-1999\r\n\r\n");
  const auto part = client.answer();
  EXPECT_TRUE(has(part, "206 Partial Content") && has(part, "Content-Range: bytes 1000-1999/3145728"));
  EXPECT_TRUE(part.ends_with("\r\n\r\n" + content.substr(1000, 1000)));
  client.write("GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes=-5\r\n\r\n");
  EXPECT_TRUE(client.answer().ends_with("\r\n\r\n" + content.substr(content.size() - 5)));
  client.write("GET /file HTTP/1.1\r\nHost: h\r\nRange: bytes=4000000-\r\n\r\n");
  EXPECT_TRUE(has(client.answer(), "416"));
  const auto tag_at = whole.find("ETag: ") + 6;
  client.write("GET /file HTTP/1.1\r\nHost: h\r\nIf-None-Match: " +
               whole.substr(tag_at, whole.find("\r\n", tag_at) - tag_at) + "\r\n\r\n");
  EXPECT_TRUE(has(client.answer(false), "304"));
  std::filesystem::remove(file_);
  client.write("GET /file HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_TRUE(has(client.answer(), "404"));
}

TEST_F(HttpServerTest, AnAddressInUseIsAnErrorThatNamesIt) {
  options_.port = start();
  HttpServer second(shards_, router_, options_);
  const auto port = second.start();
  ASSERT_FALSE(port);
  EXPECT_TRUE(has(port.error().what(), "127.0.0.1:" + std::to_string(options_.port) + " is in use"));
  options_.host = "no.such.address";
  HttpServer third(shards_, router_, options_);
  EXPECT_FALSE(third.start());
}

TEST_F(HttpServerTest, CompressesWhatShrinksForWhoTakesIt) {
  router_.add("GET", "/long",
              [](Request&) -> Task<Response> { co_return json_response(200, json::value(std::string(5000, 'a'))); });
  const auto port = start();
  Client client(port);
  client.write("GET /long HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip, br\r\n\r\n");
  const auto packed = client.answer();
  EXPECT_TRUE(has(packed, "Content-Encoding: gzip"));
  EXPECT_TRUE(has(packed, "Vary: Accept-Encoding"));
  EXPECT_LT(packed.size(), 500U);
  EXPECT_TRUE(has(packed, "\x1F\x8B"));
  client.write("GET /long HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip;q=1.0\r\n\r\n");
  EXPECT_TRUE(has(client.answer(), "Content-Encoding: gzip"));
  client.write("GET /long HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto plain = client.answer();
  EXPECT_GT(plain.size(), 5000U);
  EXPECT_TRUE(has(plain, "Vary: Accept-Encoding")) << "a cache must know that there is another";
  client.write("GET /hello HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\n\r\n");
  EXPECT_FALSE(has(client.answer(), "Content-Encoding")) << "too short to gain";
}

TEST_F(HttpServerTest, OneAddressHasSoManyConnectionsAndOthersComeWhenTheyGo) {
  options_.limits.per_address.max_connections = 3;
  options_.limits.per_address.exempt_loopback = false;
  options_.limits.per_address.max_connects_per_second = 0;
  const auto port = start();
  const auto greets = [](Client& client) {
    return client.write("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n") && has(client.answer(), "200 OK");
  };
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<Client>(port));
    EXPECT_TRUE(greets(*clients.back()));
  }
  Client one_more(port);
  EXPECT_FALSE(greets(one_more));
  EXPECT_EQ(server_->counts(0).refused_too_many.value(), 1U);
  clients.pop_back();
  // The server may not have seen yet that it is gone.
  bool admitted = false;
  for (int i = 0; i < 1000 && !admitted; ++i) {
    Client next(port);
    admitted = greets(next);
  }
  EXPECT_TRUE(admitted);
}

TEST_F(HttpServerTest, ATrustedProxyHasAsManyConnectionsAsItsClients) {
  options_.limits.per_address.max_connections = 3;
  options_.limits.per_address.exempt_loopback = false;
  options_.entry.trusted_proxies = AddressRanges::parse({"127.0.0.1"}).value();
  const auto port = start();
  std::vector<std::unique_ptr<Client>> clients;
  for (int i = 0; i < 10; ++i) {
    clients.push_back(std::make_unique<Client>(port));
    clients.back()->write("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
    EXPECT_TRUE(has(clients.back()->answer(), "200 OK"));
  }
}

TEST_F(HttpServerTest, StopClosesIdleConnectionsAndIsSafeTwice) {
  const auto port = start();
  Client idle(port);
  idle.write("GET /hello HTTP/1.1\r\nHost: h\r\n\r\n");
  idle.answer();
  run_to_end(server_->stop());
  EXPECT_EQ(idle.rest(), "");
  run_to_end(server_->stop());
}

}  // namespace
}  // namespace rushes::net
