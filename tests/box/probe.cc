// A zygote whose jobs try to get out of their box: the inside of probe_test.cc. `box-check` prints what the host gives.
#include "base/json.h"
#include "box/channel.h"
#include "box/enter.h"
#include "box/host.h"
#include "box/zygote.h"
#include "tries.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <string>
#include <vector>

namespace rushes::probe {
namespace {

int number(const json::object& order, const char* key) { return static_cast<int>(int_member(order, key).value_or(0)); }
std::string text(const json::object& order, const char* key) { return string_member(order, key).value_or(""); }

[[noreturn]] void stand_still() {
  for (;;) (void)::poll(nullptr, 0, -1);
}

/// As many processes as there may be, each in a session of its own. Gives how many came about.
std::string fork_as_often_as_possible(int most) {
  int made = 0;
  for (; made < most; ++made) {
    const pid_t child = ::fork();
    if (child == 0) {
      (void)::setsid();
      stand_still();
    }
    if (child < 0) break;
  }
  return std::to_string(made);
}

/// Gives how many MiB it could touch.
std::string touch_memory() {
  constexpr std::size_t kPiece = 16U << 20U;
  std::size_t mib = 0;
  for (void* piece = std::malloc(kPiece); piece != nullptr; piece = std::malloc(kPiece), mib += 16) {
    std::memset(piece, 1, kPiece);
  }
  return std::to_string(mib);
}

/// Gives how many bytes one file took.
std::string fill_file() {
  const int file = ::open("large", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
  const std::string piece(1U << 20U, 'x');
  std::size_t bytes = 0;
  for (ssize_t wrote = 0; (wrote = ::write(file, piece.data(), piece.size())) > 0;) {
    bytes += static_cast<std::size_t>(wrote);
  }
  return std::to_string(bytes);
}

std::string obey(const json::object& order) {
  const auto what = text(order, "what");
  if (what == "forks") return fork_as_often_as_possible(number(order, "most"));
  if (what == "memory") return touch_memory();
  if (what == "file") return fill_file();
  if (what == "burn") {
    for (;;) asm volatile("");
  }
  const Surroundings around{number(order, "server"),   text(order, "data"),     number(order, "port"),
                            text(order, "pathSocket"), text(order, "abstract"), number(order, "victim")};
  json::array tries;
  for (const auto& one : try_everything(around)) {
    tries.push_back(json::object{{"name", one.name}, {"passed", one.passed}, {"why", one.why}});
  }
  return json::serialize(tries);
}

int work(const box::BoxSpec& /*spec*/) {
  ::signal(SIGXFSZ, SIG_IGN);
  const box::Channel channel;
  while (const auto order = channel.receive()) {
    const auto parsed = parse_json(*order);
    if (!parsed || !parsed->is_object() || !channel.send(obey(parsed->get_object()))) return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}

}  // namespace
}  // namespace rushes::probe

int main(int argc, char** argv) {
  using namespace rushes;
  const std::string role = argc > 1 ? argv[1] : "";
  const auto identity = box::box_identity();
  if (role == "box-check") {
    std::cout << encode(box::examine_host(identity));
    return EXIT_SUCCESS;
  }
  return box::run_zygote(
      identity, role == "keep-privileges", [] {}, probe::work);
}
