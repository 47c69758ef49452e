#include "box/door.h"

#include "box/tests/door_fixture.h"

#include <sys/socket.h>

#include <atomic>
#include <cstdlib>
#include <future>
#include <thread>

namespace rushes::box {
namespace {

TEST_F(DoorTest, CarriesPlainRequests) {
  open();
  const auto moved = get(site("/redirect?to=/elsewhere"));
  EXPECT_NE(moved.find("Location: /elsewhere\r\n"), std::string::npos) << moved.substr(0, 200);
  const auto film = get(site("/film.html"), "Range: bytes=0-\r\nConnection: keep-alive\r\n");
  EXPECT_TRUE(film.starts_with("HTTP/1.1 200")) << film.substr(0, 100);
  EXPECT_NE(film.find("<video"), std::string::npos);
  EXPECT_GE(door_->received(), film.size());
  EXPECT_FALSE(incident());
}

TEST_F(DoorTest, CarriesTunnels) {
  open();
  const auto answer = connect("127.0.0.1:" + std::to_string(Site::shared().port()), "GET /film.html HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.")) << answer.substr(0, 100);
  EXPECT_NE(answer.find("<video"), std::string::npos);
}

TEST_F(DoorTest, AsksForItsPassword) {
  open();
  for (const auto* credential : {"", "Proxy-Authorization: Basic cnVzaGVzOg==\r\n", "Proxy-Authorization: Basic\r\n"}) {
    const auto before = Site::shared().seen().size();
    const auto answer = talk(port_, "GET " + site("/film.html") + " HTTP/1.1\r\n" + std::string(credential) + "\r\n");
    EXPECT_TRUE(answer.starts_with("HTTP/1.1 407")) << answer;
    EXPECT_EQ(Site::shared().seen().size(), before + 1) << "nothing but our own question";
  }
  const auto other = Door::open(listen_on_loopback(0).value(), only_the_site(), rng_).value();
  EXPECT_NE(other->url().substr(0, other->url().find('@')), door_->url().substr(0, door_->url().find('@')));
}

TEST_F(DoorTest, TellsNamesThatDoNotResolveFromPortsThatAreShut) {
  open();
  EXPECT_TRUE(get("http://no-such-host.invalid/").starts_with("HTTP/1.1 502"));
  EXPECT_EQ(trouble(), "unresolved URL_UNRESOLVED");

  std::uint16_t shut = 0;
  { shut = Trap().port(); }
  open(DoorPolicy{net::AddressFilter(true)});
  EXPECT_TRUE(get(home(shut)).starts_with("HTTP/1.1 502"));
  EXPECT_EQ(trouble(), "unreachable URL_DEAD");
}

TEST_F(DoorTest, RefusesWhatItDoesNotUnderstand) {
  open();
  for (const std::string request :
       {"GET / HTTP/1.1\r\n\r\n", "GET ftp://127.0.0.1/ HTTP/1.1\r\n\r\n", "nonsense\r\n\r\n",
        "CONNECT 127.0.0.1 HTTP/1.1\r\n\r\n", "CONNECT a@127.0.0.1:80 HTTP/1.1\r\n\r\n",
        "GET http:///x HTTP/1.1\r\n\r\n", "POST http://127.0.0.1:1/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n"}) {
    EXPECT_TRUE(talk(port_, request).starts_with("HTTP/1.1 400")) << request;
  }
  EXPECT_EQ(talk(port_, "GET " + std::string(100'000, 'a')), "") << "a head without end is cut off";
}

TEST_F(DoorTest, StopsForGoodWhenItsBytesAreUsedUp) {
  auto policy = only_the_site();
  policy.max_bytes = 200'000;
  open(std::move(policy));
  EXPECT_LE(get(site("/endless.mp4"), {}, 64U << 20U).size(), 200'000U);
  EXPECT_EQ(trouble(), "too_many_bytes VIDEO_TOO_LARGE");
  EXPECT_EQ(trouble(), "none") << "a report is given once";
  // Whatever is tried from inside, the account stays closed.
  for (const auto* line : {"GET /incident", "GET /begin", "POST /incident", "DELETE /incident", "PUT /budget",
                           "GET /incident?max_bytes=0", "OPTIONS *", "TRACE /"}) {
    ask(line, "Max-Bytes: 0\r\n");
  }
  EXPECT_TRUE(get(site("/film.html")).starts_with("HTTP/1.1 403"));
  EXPECT_TRUE(connect("127.0.0.1:" + std::to_string(Site::shared().port())).starts_with("HTTP/1.1 403"));
  EXPECT_EQ(trouble(), "too_many_bytes VIDEO_TOO_LARGE") << "each refusal is told again";
}

TEST_F(DoorTest, SendsNoMoreThanItMay) {
  auto policy = only_the_site();
  policy.max_sent_bytes = 64U << 10U;
  open(policy);
  const auto there = "127.0.0.1:" + std::to_string(Site::shared().port());
  EXPECT_TRUE(connect(there, "GET /film.html HTTP/1.0\r\n\r\n").starts_with("HTTP/1.1 200"));
  (void)connect(there, "POST / HTTP/1.0\r\n\r\n" + std::string(256U << 10U, 'x'));
  EXPECT_TRUE(get(site("/film.html")).starts_with("HTTP/1.1 403"));
  EXPECT_TRUE(connect(there).starts_with("HTTP/1.1 403"));
}

TEST_F(DoorTest, LeavesPortsAloneThatAreNotTheWebs) {
  open(only(25));
  EXPECT_TRUE(connect("127.0.0.1:25").starts_with("HTTP/1.1 403"));
  EXPECT_EQ(trouble(), "unreachable URL_DEAD");
  EXPECT_TRUE(get("http://127.0.0.1:6667/").starts_with("HTTP/1.1 403"));
  EXPECT_TRUE(get("http://127.0.0.1:22/").starts_with("HTTP/1.1 403"));
}

TEST_F(DoorTest, ClosesEverythingAtItsDeadline) {
  auto policy = only_the_site();
  policy.deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(400);
  open(std::move(policy));
  // Each drips on without ever being idle; otherwise the test would run into its time limit.
  auto tunnel = std::async(std::launch::async, [&] {
    return connect("127.0.0.1:" + std::to_string(Site::shared().port()), "GET /slow.mp4?rate=2000 HTTP/1.0\r\n\r\n");
  });
  EXPECT_NE(get(site("/slow.mp4?rate=2000")), "");
  EXPECT_NE(tunnel.get(), "");
  EXPECT_EQ(trouble(), "too_late FETCH_TIMED_OUT");
  EXPECT_TRUE(get(site("/film.html")).starts_with("HTTP/1.1 403"));
}

TEST_F(DoorTest, ClosesWhatIsSilent) {
  auto policy = only_the_site();
  policy.idle = std::chrono::milliseconds(150);
  open(std::move(policy));
  // Each ends because the door closes it; otherwise the test would run into its time limit.
  EXPECT_EQ(talk(port_, "GET "), "") << "a client that sends half a head";
  EXPECT_NE(get(site("/stalled.mp4")), "") << "an origin that stops in the middle";
  EXPECT_EQ(get(site("/mute")), "") << "an origin that never answers";
}

TEST_F(DoorTest, QueuesMoreConnectionsThanItMayHave) {
  auto policy = only_the_site();
  policy.connections = 2;
  open(std::move(policy));
  std::vector<std::thread> threads;
  std::atomic<int> served = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { served += get(site("/film.html")).starts_with("HTTP/1.1 200") ? 1 : 0; });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(served, 8);
}

TEST_F(DoorTest, EndsWithConnectionsOpen) {
  open();
  std::thread client([&, url = site("/mute")] { get(url); });
  while (true) {
    const auto seen = Site::shared().seen();
    if (std::find(seen.begin(), seen.end(), "/mute") != seen.end()) break;
  }
  door_.reset();
  client.join();
}

/// A resolver that hangs for names that begin with "hang", until it is let go.
class HangingResolver {
 public:
  Resolver resolver() const {
    return [state = state_](const std::string& host, std::uint16_t port) -> std::vector<net::AddressFilter::Endpoint> {
      ++state->asked;
      if (host.starts_with("hang")) state->let_go.wait();
      --state->asked;
      return {at_home(port)};
    };
  }
  int hanging() const { return state_->asked; }
  void let_go() { state_->go.set_value(); }

 private:
  struct State {
    std::atomic<int> asked = 0;
    std::promise<void> go;
    std::shared_future<void> let_go = go.get_future().share();
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

TEST_F(DoorTest, IsNotHeldUpByALookupThatHangs) {
  HangingResolver names;
  auto policy = only_the_site();
  policy.resolver = names.resolver();
  open(std::move(policy));
  std::thread client([&] { get("http://hang.test/"); });
  while (names.hanging() == 0) std::this_thread::yield();
  EXPECT_TRUE(
      get("http://quick.test:" + std::to_string(Site::shared().port()) + "/film.html").starts_with("HTTP/1.1 200"))
      << "nor are the other connections";
  door_.reset();  // would never return
  client.join();  // its connection is closed
  EXPECT_EQ(names.hanging(), 1) << "still";
  names.let_go();
  while (names.hanging() != 0) std::this_thread::yield();
}

TEST_F(DoorTest, LetsTheProcessExitWhileALookupHangs) {
  ::testing::GTEST_FLAG(death_test_style) = "threadsafe";
  EXPECT_EXIT(
      {
        HangingResolver names;
        auto policy = only_the_site();
        policy.resolver = names.resolver();
        open(std::move(policy));
        std::thread client([&] { get("http://hang.test/"); });
        while (names.hanging() == 0) std::this_thread::yield();
        door_.reset();
        client.join();
        std::exit(0);
      },
      ::testing::ExitedWithCode(0), "");
}

TEST_F(DoorTest, BoundsItsLookups) {
  HangingResolver names;
  auto policy = only_the_site();
  policy.resolver = names.resolver();
  policy.idle = std::chrono::milliseconds(100);
  open(std::move(policy));
  // A client that is gone leaves its lookup behind; they count until they end.
  for (int i = 0; i < 12; ++i) get("http://hang" + std::to_string(i) + ".test/");
  EXPECT_EQ(names.hanging(), 8);
  names.let_go();
}

TEST_F(DoorTest, GivesUpALookupThatHangs) {
  HangingResolver names;
  auto policy = only_the_site();
  policy.resolver = names.resolver();
  policy.idle = std::chrono::milliseconds(100);
  open(std::move(policy));
  EXPECT_EQ(get("http://hang.test/"), "");
  EXPECT_EQ(trouble(), "unresolved URL_UNRESOLVED");
  names.let_go();
}

TEST_F(DoorTest, TakesListeningSocketsOnly) {
  const auto refused = [&](int family, int type) {
    const auto door = Door::open(FileDescriptor(::socket(family, type | SOCK_CLOEXEC, 0)), only_the_site(), rng_);
    return !door && door.error().code() == Errc::invalid_argument;
  };
  EXPECT_TRUE(refused(AF_INET, SOCK_STREAM)) << "not listening";
  EXPECT_TRUE(refused(AF_INET, SOCK_DGRAM));
  EXPECT_TRUE(refused(AF_UNIX, SOCK_STREAM));
  EXPECT_FALSE(Door::open(FileDescriptor(), only_the_site(), rng_));
  EXPECT_FALSE(listen_on_loopback(port_ == 0 ? Site::shared().port() : port_)) << "taken";
}

}  // namespace
}  // namespace rushes::box
