#include "box/tests/site.h"

#include "base/json.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

extern char** environ;

namespace rushes::box {
namespace {

const std::string kSite = RUSHES_TEST_SITE;
const std::string kMedia = RUSHES_TEST_MEDIA;

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

}  // namespace

Site& Site::shared() {
  static Site site;
  return site;
}

Site::Site() {
  if (std::system(("'" + kSite + "/make_media.sh' '" + kMedia + "'").c_str()) != 0) {
    throw std::runtime_error("make_media.sh failed: are flite and ffmpeg installed?");
  }
  ::setenv("PYTHONPATH", kSite.c_str(), 1);
  std::array<int, 2> in{};
  std::array<int, 2> out{};
  if (::pipe2(in.data(), O_CLOEXEC) != 0 || ::pipe2(out.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
  std::string python = "/usr/bin/python3";
  std::string script = kSite + "/serve.py";
  std::string media = kMedia;
  std::array<char*, 4> arguments{python.data(), script.data(), media.data(), nullptr};
  const int failed = ::posix_spawn(&process_, python.c_str(), &actions, nullptr, arguments.data(), environ);
  ::posix_spawn_file_actions_destroy(&actions);
  ::close(in[0]);
  ::close(out[1]);
  stop_ = in[1];
  std::array<char, 32> line{};
  const auto count = failed == 0 ? ::read(out[0], line.data(), line.size() - 1) : -1;
  ::close(out[0]);
  unsigned port = 0;
  if (count <= 0 || std::sscanf(line.data(), "PORT %u", &port) != 1) throw std::runtime_error("serve.py did not start");
  port_ = static_cast<std::uint16_t>(port);
}

Site::~Site() {
  ::close(stop_);
  ::waitpid(process_, nullptr, 0);
}

std::string Site::url(const std::string& path) const { return "http://127.0.0.1:" + std::to_string(port_) + path; }

std::vector<std::string> Site::seen() const {
  const auto answer = talk(port_, "GET /seen HTTP/1.0\r\n\r\n");
  const auto body = answer.substr(answer.find("\r\n\r\n") + 4);
  std::vector<std::string> paths;
  const auto list = parse_json(body).value();
  for (const auto& path : list.as_array()) paths.emplace_back(path.as_string());
  return paths;
}

TemporaryFolder::TemporaryFolder() {
  std::string pattern = (std::filesystem::temp_directory_path() / "rushes-test-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string talk(std::uint16_t port, const std::string& request, std::size_t max) {
  const int connection = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const auto address = loopback(port);
  std::string answer;
  if (::connect(connection, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0 &&
      ::send(connection, request.data(), request.size(), MSG_NOSIGNAL) >= 0) {
    std::array<char, 64U << 10U> piece;
    ssize_t count = 0;
    while (answer.size() < max && (count = ::recv(connection, piece.data(), piece.size(), 0)) > 0) {
      answer.append(piece.data(), static_cast<std::size_t>(count));
    }
  }
  ::close(connection);
  return answer;
}

Trap::Trap() : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)) {
  auto address = loopback(0);
  socklen_t length = sizeof address;
  if (::bind(socket_, reinterpret_cast<sockaddr*>(&address), length) != 0 || ::listen(socket_, 16) != 0 ||
      ::getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &length) != 0) {
    throw std::runtime_error("no trap");
  }
  port_ = ntohs(address.sin_port);
}

Trap::~Trap() { ::close(socket_); }

int Trap::caught() {
  int connection = -1;
  while ((connection = ::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC)) >= 0) {
    ::close(connection);
    ++caught_;
  }
  return caught_;
}

}  // namespace rushes::box
