// A zygote whose jobs do what their order says: the other side of pool_test.cc. `box-check` prints what the host gives.
#include "box/channel.h"
#include "box/enter.h"
#include "box/host.h"
#include "box/zygote.h"
#include "worker/protocol.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

namespace rushes::worker {
namespace {

const box::Channel kChannel;

void say(const FromWorker& message) { (void)kChannel.send(encode(message)); }

[[noreturn]] void stand_still() {
  for (;;) (void)::poll(nullptr, 0, -1);
}

void wait(int milliseconds) {
  pollfd server{box::kChannelFd, POLLRDHUP, 0};
  (void)::poll(&server, 1, milliseconds);
}

std::string text_of(int descriptor) {
  std::array<char, 100> text{};
  const auto got = ::pread(descriptor, text.data(), text.size(), 0);
  return {text.data(), static_cast<std::size_t>(got < 0 ? 0 : got)};
}

void use_up_memory() {
  constexpr std::size_t kPiece = 16U << 20U;
  std::vector<char*> held;
  for (;;) {
    held.push_back(new char[kPiece]);
    std::memset(held.back(), 1, kPiece);
  }
}

void use_up_disk() {
  const std::string piece(1U << 20U, 'x');
  for (int i = 0;; i = (i + 1) % 1'000) {
    say(Alive());
    std::ofstream(("piece-" + std::to_string(i)).c_str(), std::ios::app) << piece;
  }
}

/// In a folder that nobody can list, the server's user neither.
void use_up_disk_in_secret() {
  (void)::mkdir("hidden", 0700);
  (void)::chdir("hidden");
  const int here = ::open(".", O_RDONLY | O_DIRECTORY);
  (void)::fchmod(here, 0300);
  std::ofstream("piece") << "x";
  (void)::fchmod(here, 0);
  for (int beat = 0; beat < 10; ++beat) {
    say(Alive());
    wait(200);
  }
}

/// What is not a plain file of one name.
void make_traps(const std::string& kind) {
  if (kind == "link") (void)!::symlink("/etc/hostname", "output/trap.jpg");
  if (kind == "pipe") (void)::mkfifo("output/trap.jpg", 0600);
  if (kind == "twice") {
    std::ofstream("output/one.jpg") << "x";
    (void)!::link("output/one.jpg", "output/trap.jpg");
  }
  if (kind == "folder") (void)::mkdir("output/trap.jpg", 0700);
  if (kind == "name") std::ofstream("output/ a name.jpg") << "x";
  if (kind == "away") {
    (void)::rmdir("output");
    (void)!::symlink("/", "output");
  }
  if (kind == "many") {
    for (int i = 0; i < 300; ++i) std::ofstream("output/file-" + std::to_string(i)) << "x";
  }
}

int fetch(const pipelines::Order& order) {
  if (order.url == "disk") use_up_disk();
  if (order.url == "hidden") {
    use_up_disk_in_secret();
    return 5;
  }
  if (order.url == "link") {
    (void)!::symlink("/etc/hostname", "media");
  } else {
    std::ofstream("media") << "media of " << order.url;
  }
  say(Checkpoint{"words", "read"});
  say(Fetched{{{{"title", "Fetched"}}, "media", "media"}});
  return EXIT_SUCCESS;
}

int analyse(const pipelines::Order& order) {
  (void)::mkdir("output", 0700);
  std::string title = "A title";
  const auto& what = order.body;
  if (what == "crash") {
    (void)::signal(SIGSEGV, SIG_DFL);  // a sanitizer would make an exit of it
    *reinterpret_cast<volatile int*>(8) = 1;
  }
  if (what == "exit") return 3;
  if (what == "garbage") (void)kChannel.send("this is not JSON");
  if (what == "freeze") stand_still();
  if (what == "memory") {
    try {
      use_up_memory();
    } catch (const std::bad_alloc&) {
      say(Failed{{"JOB_OUT_OF_MEMORY", "It needs more.", false, {}}});
      return EXIT_SUCCESS;
    }
  }
  if (what == "slow") {  // with nothing to tell
    for (int beat = 0; beat < 15; ++beat) {
      wait(200);
      say(Alive());
    }
  }
  if (what == "hang") {
    say(Report{{40, "Summarizing transcript", "hanging", ""}});
    stand_still();
  }
  if (what == "resume") {
    if (order.checkpoints.empty()) {
      say(Checkpoint{"words", "heard"});
      (void)!::write(STDERR_FILENO, "about to die\n", 13);
      return 4;
    }
    title = order.checkpoints.at("words");
  }
  if (what.starts_with("trap ")) make_traps(what.substr(5));
  if (order.source >= 0) title = text_of(order.source);
  if (order.audio >= 0) title = text_of(order.audio) + ", " + order.checkpoints.at("words");
  say(Report{{40, "Summarizing transcript", "pid " + std::to_string(::getpid()), ""}});
  std::ofstream("output/kept.txt") << "kept";
  Finished finished;
  finished.product.title = title;
  finished.product.result = {{"url", order.files_url + "/kept.txt"}};
  say(std::move(finished));
  return EXIT_SUCCESS;
}

int work(const box::BoxSpec& spec) {
  const auto text = kChannel.receive();
  const auto order = text ? decode_order(*text) : Result<pipelines::Order>(Error());
  if (!order) return EXIT_FAILURE;
  return spec.profile == box::Profile::fetch ? fetch(*order) : analyse(*order);
}

}  // namespace
}  // namespace rushes::worker

int main(int argc, char** argv) {
  using namespace rushes;
  const auto identity = box::box_identity();
  if (argc > 1 && std::string_view(argv[1]) == "box-check") {
    std::cout << encode(box::examine_host(identity));
    return EXIT_SUCCESS;
  }
  const bool keep_privileges = argc > 1 && std::string_view(argv[1]) == "keep-privileges";
  return box::run_zygote(
      identity, keep_privileges, [] {}, worker::work);
}
