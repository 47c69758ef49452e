// The limit of the real-time benchmark: one thread, epoll and one send() a message, made beforehand, to sockets whose
// handshakes it takes on trust. No server that sends each message by itself can cost less. GET /health is answered by
// one send() as well, without a look at the request.
//   raw_server --port P      GET http://127.0.0.1:P+1/start?users=U&rate=R&secs=S&batch=B
#include "load/process.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace rushes::bench {
namespace {

/// A text frame with `queue-update`, in whose fixed places the user and the time are written.
class Message {
 public:
  Message() {
    const std::string text =
        R"(42/queue,["queue-update",{"jobId":"8f14e45f-ceea-467f-a8d2-000000000000","eventType":"job-progress",)"
        R"("progress":42,"stage":"transcribing","message":"Transcribing audio segment 42 of 100",)"
        R"("metadata":{"videoTitle":"How to build a real-time queue","channel":"UCx5XG1OV2P6uZZ5FSM9Ttw",)"
        R"("durationSec":1834,"etaSec":96},"sentAt":1000000000000000}])";
    frame_ = {static_cast<char>(0x81), 126, static_cast<char>(text.size() >> 8U), static_cast<char>(text.size())};
    frame_ += text;
    user_ = frame_.find("a8d2-") + 5;
    time_ = frame_.find("\"sentAt\":") + 9;
  }

  std::string_view for_user(std::size_t user) {
    write(user_, 12, user, '0');
    write(time_, 16, monotonic_ns(), ' ');
    return frame_;
  }

 private:
  void write(std::size_t at, std::size_t width, std::uint64_t number, char padding) {
    for (std::size_t i = width; i-- > 0; number /= 10) {
      frame_[at + i] = number > 0 || i + 1 == width ? static_cast<char>('0' + number % 10) : padding;
    }
  }

  std::string frame_;
  std::size_t user_;
  std::size_t time_;
};

enum class Step { upgrade, join, joined, control };

struct Run {
  int answer_to = -1;
  std::size_t users = 1;
  std::size_t batch = 1;
  double rate = 0;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t emits = 0;
};

double query_number(const std::string& request, const std::string& name, double otherwise) {
  const auto at = request.find(name + "=");
  return at == std::string::npos ? otherwise : std::atof(request.c_str() + at + name.size() + 1);
}

class RawServer {
 public:
  explicit RawServer(std::uint16_t port)
      : epoll_(::epoll_create1(0)), clients_(listen_on(port)), control_(listen_on(port + 1)) {
    tick_ = ::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK);
    const itimerspec each_ms{{0, 1'000'000}, {0, 1'000'000}};
    ::timerfd_settime(tick_, 0, &each_ms, nullptr);
    watch(tick_);
  }

  [[noreturn]] void serve() {
    std::array<epoll_event, 512> events{};
    for (;;) {
      const bool busy = run_ && run_->rate == 0;
      const int count = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), busy ? 0 : -1);
      for (int i = 0; i < count; ++i) on_event(events[static_cast<std::size_t>(i)].data.fd);
      if (run_ && run_->rate == 0) step(run_->batch);
    }
  }

 private:
  void watch(int fd) const {
    epoll_event interest{};
    interest.events = EPOLLIN;
    interest.data.fd = fd;
    ::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &interest);
  }

  int listen_on(int port) const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    const int one = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      std::perror("raw_server: bind");
      std::exit(1);
    }
    ::listen(fd, 4096);
    watch(fd);
    return fd;
  }

  void on_event(int fd) {
    if (fd == clients_ || fd == control_) return accept_from(fd);
    if (fd == tick_) {
      std::uint64_t ticks = 0;
      if (::read(tick_, &ticks, sizeof ticks) > 0 && run_ && run_->rate > 0) {
        const auto passed = static_cast<double>(monotonic_ns() - run_->begin) / 1e9;
        step(static_cast<std::uint64_t>(passed * run_->rate) - run_->emits);
      }
      return;
    }
    std::array<char, 16384> bytes{};
    const auto got = ::recv(fd, bytes.data(), bytes.size(), 0);
    if (got > 0) return on_bytes(fd, {bytes.data(), static_cast<std::size_t>(got)});
    if (got < 0 && errno == EAGAIN) return;
    for (auto& sockets : sockets_of_) std::erase(sockets, fd);
    steps_.erase(fd);
    ::close(fd);
  }

  void accept_from(int listener) {
    for (;;) {
      const int fd = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK);
      if (fd < 0) return;
      const int one = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      steps_[fd] = listener == control_ ? Step::control : Step::upgrade;
      watch(fd);
    }
  }

  /// What a client of the benchmark sends, one packet a read.
  void on_bytes(int fd, std::string_view bytes) {
    auto& step = steps_[fd];
    if (bytes.starts_with("GET /health ")) {
      return put(fd,
                 "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 26\r\n\r\n"
                 R"({"status":"ok","uptime":1})");
    }
    if (step == Step::control) return begin_run(fd, std::string(bytes.substr(0, bytes.find(" HTTP"))));
    if (step == Step::upgrade) {
      put(fd,
          "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
          "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n");
      put_text(fd, R"(0{"sid":"A","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000})");
      step = Step::join;
    } else if (step == Step::join) {
      if (sockets_of_.size() < joined_ + 1) sockets_of_.resize(joined_ + 1);
      sockets_of_[joined_++].push_back(fd);  // users in the order of their coming
      put_text(fd, R"(40/queue,{"sid":"B"})");
      step = Step::joined;
    }
  }

  static void put(int fd, std::string_view bytes) {
    ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }
  static void put_text(int fd, std::string_view text) {
    put(fd, std::string{static_cast<char>(0x81), static_cast<char>(text.size())}.append(text));
  }

  void begin_run(int fd, const std::string& request) {
    Run run;
    run.answer_to = fd;
    run.users = static_cast<std::size_t>(query_number(request, "users", 1000));
    run.rate = query_number(request, "rate", 0);
    run.batch = static_cast<std::size_t>(query_number(request, "batch", 1000));
    run.begin = monotonic_ns();
    run.end = run.begin + static_cast<std::uint64_t>(query_number(request, "secs", 3) * 1e9);
    run_ = run;
  }

  void step(std::uint64_t emits) {
    for (std::uint64_t i = 0; i < emits; ++i) {
      const auto user = run_->emits++ % run_->users;
      const auto bytes = message_.for_user(user);
      if (user < sockets_of_.size()) {
        for (const int fd : sockets_of_[user]) put(fd, bytes);
      }
    }
    if (monotonic_ns() < run_->end) return;
    const auto body = "{\"emits\":" + std::to_string(run_->emits) + "}";
    put(run_->answer_to, "HTTP/1.1 200 OK\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body);
    run_.reset();
  }

  int epoll_;
  int clients_;
  int control_;
  int tick_ = -1;
  std::size_t joined_ = 0;
  std::unordered_map<int, Step> steps_;
  std::vector<std::vector<int>> sockets_of_;
  std::optional<Run> run_;
  Message message_;
};

}  // namespace
}  // namespace rushes::bench

int main(int argc, char** argv) {
  if (argc != 3 || std::strcmp(argv[1], "--port") != 0) {
    std::fputs("usage: raw_server --port P\n", stderr);
    return 2;
  }
  rushes::bench::RawServer server(static_cast<std::uint16_t>(std::atoi(argv[2])));
  std::puts("ready");
  std::fflush(stdout);
  server.serve();
}
