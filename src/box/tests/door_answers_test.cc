#include "base/file.h"
#include "box/tests/door_fixture.h"

#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <mutex>
#include <thread>

namespace rushes::box {
namespace {

/// Answers every connection with the same bytes, whatever is asked.
class Origin {
 public:
  explicit Origin(std::string answer) : listener_(listen_on_loopback(0).value()), answer_(std::move(answer)) {
    sockaddr_in address{};
    socklen_t length = sizeof address;
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &length);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }
  Origin(const Origin&) = delete;
  Origin& operator=(const Origin&) = delete;
  ~Origin() {
    ::shutdown(listener_.get(), SHUT_RDWR);  // ends accept
    thread_.join();
  }

  std::uint16_t port() const { return port_; }
  /// The head that came first; empty: none yet.
  std::string asked() const {
    const std::lock_guard lock(mutex_);
    return asked_;
  }

 private:
  void serve() {
    while (true) {
      const FileDescriptor connection(::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      if (!connection) return;
      std::string head;
      std::array<char, 4'096> piece{};
      while (head.find("\r\n\r\n") == std::string::npos) {
        const auto count = ::recv(connection.get(), piece.data(), piece.size(), 0);
        if (count <= 0) break;
        head.append(piece.data(), static_cast<std::size_t>(count));
      }
      {
        const std::lock_guard lock(mutex_);
        if (asked_.empty()) asked_ = head;
      }
      for (std::size_t sent = 0; sent < answer_.size();) {
        const auto count = ::send(connection.get(), answer_.data() + sent,
                                  std::min<std::size_t>(answer_.size() - sent, 4'096), MSG_NOSIGNAL);
        if (count <= 0) break;
        sent += static_cast<std::size_t>(count);
      }
    }
  }

  FileDescriptor listener_;
  std::string answer_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::string asked_;
  std::thread thread_;
};

class DoorAnswersTest : public DoorTest {
 protected:
  /// What comes through the door of `answer`, in one request for it.
  std::string through(const std::string& answer, const std::string& more = {}) {
    Origin origin(answer);
    open(only(origin.port()));
    auto passed = get(home(origin.port()), more);
    asked_ = origin.asked();
    return passed;
  }
  std::string asked_;
};

TEST_F(DoorAnswersTest, AsksForNothingCompressed) {
  EXPECT_EQ(through("HTTP/1.1 200 OK\r\n\r\nbody", "Accept-Encoding: gzip, br\r\nACCEPT-ENCODING: zstd\r\n"),
            "HTTP/1.1 200 OK\r\n\r\nbody");
  EXPECT_NE(asked_.find("\r\nAccept-Encoding: identity\r\n"), std::string::npos) << asked_;
  for (const auto* packed : {"gzip", "zstd"}) EXPECT_EQ(asked_.find(packed), std::string::npos) << asked_;
}

TEST_F(DoorAnswersTest, RefusesWhatComesCompressedAllTheSame) {
  for (const std::string field : {"Content-Encoding: gzip", "content-encoding : br", "Content-Encoding:\r\n deflate",
                                  "Transfer-Encoding: gzip, chunked", "X: y\nContent-Encoding: gzip"}) {
    const auto passed = through("HTTP/1.1 200 OK\r\n" + field + "\r\n\r\nBOMB");
    EXPECT_TRUE(passed.starts_with("HTTP/1.1 502")) << field << ": " << passed;
    EXPECT_EQ(passed.find("BOMB"), std::string::npos) << field;
    EXPECT_EQ(trouble(), "packed_answer URL_UNSUPPORTED") << field;
  }
  EXPECT_TRUE(through("HTTP/1.1 103 Early\r\nContent-Encoding: identity\r\n\r\nHTTP/1.1 200 OK\r\nContent-Encoding: "
                      "gzip\r\n\r\nBOMB")
                  .starts_with("HTTP/1.1 103 Early\r\nContent-Encoding: identity\r\n\r\nHTTP/1.1 502"));
  const auto words = incident()->error.what();
  EXPECT_NE(words.find("127.0.0.1"), std::string::npos) << words;
  EXPECT_NE(words.find("gzip"), std::string::npos) << words;
}

TEST_F(DoorAnswersTest, PassesInterimHeadsAndTheBodyAsItIs) {
  const std::string body =
      std::string("\0\r\n\r\nHTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", 49) + std::string(300'000, 'x');
  EXPECT_EQ(through("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\nContent-Length: 300049\n\n" + body),
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 300049\r\n\r\n" + body);
  EXPECT_FALSE(incident());
  EXPECT_EQ(through("HTTP/1.1 204 No Content\r\n\r\n"), "HTTP/1.1 204 No Content\r\n\r\n");
}

TEST_F(DoorAnswersTest, RefusesHeadsWithoutEnd) {
  const std::string start = "HTTP/1.1 200 OK\r\n";
  std::string many;
  for (int i = 0; i < 20; ++i) many += "HTTP/1.1 103 Early Hints\r\n\r\n";
  for (const auto& answer : {start + "X: " + std::string(1U << 20U, 'x'), std::string(1U << 20U, 'x'),
                             many + start + "\r\n", std::string("SSH-2.0-OpenSSH\r\n\r\n"), std::string("\r\n\r\n"),
                             std::string("HTTP/1.1 101 Switching Protocols\r\n\r\n")}) {
    const auto passed = through(answer);
    EXPECT_NE(passed.find("HTTP/1.1 502"), std::string::npos) << answer.substr(0, 40) << ": " << passed.substr(0, 100);
    EXPECT_EQ(trouble(), "unreachable URL_DEAD");
  }
  EXPECT_EQ(through("HTTP/1.1 200 OK\r\nX: "), "") << "one that ends in the middle of its head";
}

TEST_F(DoorAnswersTest, CountsHeadsToo) {
  Origin origin("HTTP/1.1 200 OK\r\nX: " + std::string(5'000, 'x') + "\r\n\r\n");
  auto policy = only(origin.port());
  policy.max_bytes = 4'000;
  open(std::move(policy));
  EXPECT_EQ(get(home(origin.port())), "");
  EXPECT_EQ(trouble(), "too_many_bytes VIDEO_TOO_LARGE");
}

TEST_F(DoorAnswersTest, CutsOffSoThatNobodyTakesAPartForTheWhole) {
  // An answer without a length ends where its connection does.
  Origin origin("HTTP/1.1 200 OK\r\n\r\n" + std::string(100'000, 'x'));
  for (const std::uint64_t max_bytes : {0, 50'000}) {
    auto policy = only(origin.port());
    policy.max_bytes = max_bytes;
    open(std::move(policy));
    boost::asio::io_context context;
    boost::asio::ip::tcp::socket client(context);
    client.connect(at_home(port_));
    const auto request = "GET " + home(origin.port()) + " HTTP/1.1\r\n" + credential_ + "\r\n";
    boost::asio::write(client, boost::asio::buffer(request));
    std::string passed;
    boost::system::error_code end;
    boost::asio::read(client, boost::asio::dynamic_buffer(passed), end);
    EXPECT_EQ(end == boost::asio::error::eof, max_bytes == 0) << end.message();
  }
}

TEST_F(DoorAnswersTest, PassesNothingBehindTheBodyOfAPlainRequest) {
  Origin origin("HTTP/1.1 200 OK\r\n\r\n");
  open(only(origin.port()));
  EXPECT_EQ(get(home(origin.port()), "Content-Length: 2\r\n\r\nabGET http://127.0.0.1:1/ HTTP/1.1\r\n"), "")
      << "a second request, for another host";
}

}  // namespace
}  // namespace rushes::box
