#include "box/door_report.h"

#include "box/tests/door_fixture.h"

#include <netinet/in.h>
#include <sys/socket.h>

#include <chrono>
#include <thread>

namespace rushes::box {
namespace {

TEST_F(DoorTest, TellsTheGravestIncidentOnceAndTheLatestOfEquals) {
  open();
  get("http://no-such-host.invalid/");
  get("http://10.0.0.1/");
  get("http://10.0.0.2/");
  get("http://another-host.invalid/");
  const auto found = incident();
  ASSERT_TRUE(found);
  EXPECT_EQ(found->trouble, Trouble::refused_address);
  EXPECT_EQ(found->host, "10.0.0.2");
  EXPECT_EQ(found->error.code(), Errc::invalid_argument);
  EXPECT_EQ(found->error.public_name(), "URL_PRIVATE_ADDRESS");
  EXPECT_EQ(found->error.public_message(),
            "10.0.0.2 is a private address; the operator can allow it with allow_private_addresses.");
  EXPECT_FALSE(incident()) << "it is forgotten";
}

TEST_F(DoorTest, ReportsToItsOwnBoxOnly) {
  open();
  get("http://10.0.0.1/");
  for (const auto* credential : {"", "Proxy-Authorization: Basic cnVzaGVzOng=\r\n"}) {
    const auto answer = talk(port_, "GET /incident HTTP/1.1\r\n" + std::string(credential) + "\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 407")) << answer;
    EXPECT_EQ(answer.find("10.0.0.1"), std::string::npos);
  }
  const auto wrong = ask_door("http://rushes:wrong@127.0.0.1:" + std::to_string(port_));
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().code(), Errc::unavailable);
  EXPECT_EQ(trouble(), "refused_address URL_PRIVATE_ADDRESS") << "and nothing was forgotten";
}

TEST_F(DoorTest, ReportsInJson) {
  open();
  EXPECT_TRUE(ask("GET /incident").ends_with("\r\n\r\n{\"received\":0}"));
  get("http://10.0.0.1/");
  const auto told = ask("GET /incident");
  EXPECT_TRUE(told.starts_with("HTTP/1.1 200 OK\r\n")) << told;
  EXPECT_NE(told.find(R"("trouble":"refused_address","host":"10.0.0.1","code":"URL_PRIVATE_ADDRESS","message":")"),
            std::string::npos)
      << told;
}

TEST(AskDoor, TakesTheUrlOfADoorOnly) {
  for (const auto* url : {"", "http://127.0.0.1:1", "http://a@127.0.0.1:", "http://a@127.0.0.1:0",
                          "http://a@127.0.0.1:99999", "http://a@127.0.0.1:1/x", "https://a@127.0.0.1:1",
                          "http://a@10.0.0.1:1", "http://@127.0.0.1:1", "http://a\r\nb@127.0.0.1:1"}) {
    const auto found = ask_door(url);
    ASSERT_FALSE(found) << url;
    EXPECT_EQ(found.error().code(), Errc::invalid_argument) << url;
  }
}

/// What `ask_door` makes of a door that says `answer`, or nothing when it is empty.
Result<std::optional<Incident>> ask_one_that_says(const std::string& answer) {
  const auto listener = listen_on_loopback(0).value();
  sockaddr_storage address{};
  socklen_t length = sizeof address;
  ::getsockname(listener.get(), reinterpret_cast<sockaddr*>(&address), &length);
  std::thread door([&] {
    const FileDescriptor connection(::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC));
    std::array<char, 4'096> piece{};
    if (::recv(connection.get(), piece.data(), piece.size(), 0) <= 0) return;
    if (!answer.empty()) ::send(connection.get(), answer.data(), answer.size(), MSG_NOSIGNAL);
    if (answer.empty())
      static_cast<void>(::recv(connection.get(), piece.data(), piece.size(), 0));  // until it gives up
  });
  const auto port = ntohs(reinterpret_cast<const sockaddr_in&>(address).sin_port);
  auto found = ask_door("http://rushes:x@127.0.0.1:" + std::to_string(port));
  door.join();
  return found;
}

TEST(AskDoor, BelievesNothingThatItCannotRead) {
  const std::string ok = "HTTP/1.1 200 OK\r\n\r\n";
  const auto code = [](const std::string& answer) { return ask_one_that_says(answer).error().code(); };
  for (const auto* body :
       {"", "{", "[]", "\"x\"", R"({"trouble": "new", "code": "A", "message": "b"})",
        R"({"trouble": "too_late", "code": "", "message": "b"})", R"({"trouble": "too_late", "message": "b"})",
        R"({"trouble": "too_late", "code": "A", "message": {}})", "[[[[[[[[[[]]]]]]]]]]"}) {
    EXPECT_EQ(code(ok + body), Errc::malformed) << body;
  }
  for (const auto& answer : {std::string("HTTP/1.1 407 Who\r\n\r\n{}"), std::string("nonsense"), ok.substr(0, 17),
                             ok + std::string(100'000, ' ')}) {
    EXPECT_EQ(code(answer), Errc::unavailable) << answer.substr(0, 30);
  }
  EXPECT_FALSE(ask_one_that_says(ok + R"({"received": 1, "trouble": 7})").value());
  EXPECT_EQ(
      ask_one_that_says(ok + R"({"trouble": "too_late", "code": "A", "message": "b"})").value()->error.public_name(),
      "A");
}

TEST(AskDoor, DoesNotWaitForADoorThatSaysNothing) {
  const auto found = ask_one_that_says("");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code(), Errc::unavailable);
}

}  // namespace
}  // namespace rushes::box
