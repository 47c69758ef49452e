#include "app/cli/http_client.h"

#include "app/cli/tests/test_server.h"
#include "base/file.h"
#include "base/random.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace rushes::app::cli {
namespace {

namespace http = boost::beast::http;
using ::testing::HasSubstr;
using Request = http::request<http::string_body>;

/// Reads one request into `seen` and answers it.
auto answering(Request& seen, http::status status, std::string body) {
  return [&seen, status, body = std::move(body)](TestServer::Socket socket, int) {
    boost::beast::flat_buffer buffer;
    boost::system::error_code failed;
    http::request_parser<http::string_body> parser;
    parser.body_limit(boost::none);
    http::read(socket, buffer, parser, failed);
    seen = parser.release();
    http::response<http::string_body> response(status, 11, body);
    response.keep_alive(false);
    response.prepare_payload();
    http::write(socket, response, failed);
  };
}

TEST(HttpClient, SendsTokenAndQueryAndReadsTheAnswer) {
  Request seen;
  json::object answer;
  {
    TestServer server(1, answering(seen, http::status::ok, R"({"jobs":[]})"));
    HttpClient client(parse_server(server.address() + "/").value(), "the-token");
    answer = client.get("/analyze/jobs", {{"status", "a b&c"}, {"limit", "5"}}).value();
  }
  EXPECT_EQ(seen.target(), "/analyze/jobs?status=a%20b%26c&limit=5");
  EXPECT_EQ(seen["Authorization"], "Bearer the-token");
  EXPECT_TRUE(answer.at("jobs").is_array());
}

TEST(HttpClient, TurnsAProblemIntoItsCodeAndMessage) {
  Request seen;
  TestServer server(1,
                    answering(seen, http::status::not_found,
                              R"({"title":"Not Found","status":404,"code":"JOB_NOT_FOUND","message":"No such job."})"));
  HttpClient client(parse_server(server.address()).value(), "t");
  const auto answer = client.post("/analyze/job/x/cancel");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().code(), Errc::not_found);
  EXPECT_EQ(answer.error().public_name(), "JOB_NOT_FOUND");
  EXPECT_EQ(answer.error().what(), "No such job.");
}

TEST(HttpClient, UploadsAFileWithItsChoices) {
  const auto file = std::filesystem::temp_directory_path() / ("rushes-upload-" + SystemRng().token(6) + ".mp4");
  ASSERT_TRUE(write_file_atomically(file, std::string(3'000'000, 'v')));
  Request seen;
  std::uint64_t most = 0;
  {
    TestServer server(1, answering(seen, http::status::created, R"({"jobId":"j"})"));
    HttpClient client(parse_server(server.address()).value(), "t");
    Upload upload{file, "video", {{"configuration", R"({"tone":"calm"})"}}, [&](std::uint64_t sent, std::uint64_t) {
                    most = std::max(most, sent);
                  }};
    const auto answer = client.upload("/analyze/upload", upload);
    EXPECT_EQ(answer.value().at("jobId"), "j");
  }
  std::filesystem::remove(file);
  EXPECT_GT(most, 3'000'000U);
  EXPECT_THAT(std::string(seen["Content-Type"]), HasSubstr("multipart/form-data; boundary="));
  EXPECT_THAT(seen.body().substr(0, 1000),
              ::testing::AllOf(HasSubstr("name=\"configuration\"\r\n\r\n{\"tone\":\"calm\"}"),
                               HasSubstr("name=\"video\"; filename=\"" + file.filename().string() + "\"")));
  EXPECT_GT(seen.body().size(), 3'000'000U);
}

TEST(HttpClient, SaysWhenNobodyOrSomethingElseAnswers) {
  std::string gone;
  Request seen;
  {
    TestServer server(1, answering(seen, http::status::ok, "<html>Hello</html>"));
    gone = server.address();
    HttpClient client(parse_server(gone).value(), "t");
    EXPECT_EQ(client.get("/").error().public_name(), "NOT_A_RUSHES_SERVER");
  }
  HttpClient client(parse_server(gone).value(), "t");
  const auto answer = client.get("/");
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().public_name(), "SERVER_UNREACHABLE");
  EXPECT_THAT(answer.error().what(), ::testing::AllOf(HasSubstr(gone), HasSubstr("rushes serve")));
}

TEST(ParseServer, TakesAddressesOfServersOnly) {
  EXPECT_EQ(parse_server("http://h:1/base/").value().buffer(), "http://h:1/base");
  for (const auto* bad : {"", "localhost:3000", "ftp://h", "http://", "http://u:p@h", "http://h/?q=1"}) {
    EXPECT_FALSE(parse_server(bad)) << bad;
  }
  for (const auto* here : {"http://localhost:3000", "http://127.9.9.9", "https://[::1]:3"}) {
    EXPECT_TRUE(is_this_machine(parse_server(here).value())) << here;
  }
  for (const auto* away : {"http://example.org", "http://10.0.0.1", "http://localhost.example.org"}) {
    EXPECT_FALSE(is_this_machine(parse_server(away).value())) << away;
  }
}

}  // namespace
}  // namespace rushes::app::cli
