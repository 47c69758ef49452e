// A worker whose orders' body says what it does: the other side of pool_test.cc.
#include "worker/protocol.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <string>

namespace rushes::worker {
namespace {

bool read_exactly(char* into, std::size_t bytes) {
  while (bytes > 0) {
    const auto got = ::recv(kWorkerFd, into, bytes, 0);
    if (got <= 0) return false;
    into += got;
    bytes -= static_cast<std::size_t>(got);
  }
  return true;
}

void send_text(const std::string& text) {
  const auto whole = encode_length(text.size()) + text;
  (void)::send(kWorkerFd, whole.data(), whole.size(), MSG_NOSIGNAL);
}

void obey(const pipelines::Order& order) {
  std::string report_title = "A title";
  if (order.body == "crash") {
    ::signal(SIGSEGV, SIG_DFL);  // a sanitizer would make an exit of it
    ::raise(SIGSEGV);
  }
  if (order.body == "exit") ::_exit(3);
  if (order.body == "garbage") send_text("this is not JSON");
  if (order.body == "freeze") ::raise(SIGSTOP);
  if (order.body == "slow") {  // with nothing to tell
    pollfd server{kWorkerFd, POLLRDHUP, 0};
    for (int beat = 0; beat < 15 && ::poll(&server, 1, 200) == 0; ++beat) {
      send_text(encode(FromWorker(Alive())));
    }
  }
  if (order.body == "hang") {
    // A child of its own, which must not outlive it.
    (void)std::system("sleep 1000 & echo $! > child.pid; wait");
  }
  if (order.body == "resume") {
    if (order.checkpoints.empty()) {
      send_text(encode(FromWorker(Checkpoint{"words", "heard"})));
      (void)!::write(STDERR_FILENO, "about to die\n", 13);
      ::_exit(4);
    }
    report_title = order.checkpoints.at("words");
  }
  Report report;
  report.progress.percent = 40;
  report.progress.stage = "Summarizing transcript";
  report.progress.message = "pid " + std::to_string(::getpid());
  send_text(encode(FromWorker(report)));
  std::ofstream(order.output / "kept.txt") << "kept";
  Finished finished;
  finished.product.title = report_title;
  finished.product.result = {{"url", order.files_url + "/kept.txt"}};
  send_text(encode(FromWorker(std::move(finished))));
}

}  // namespace
}  // namespace rushes::worker

int main() {
  using namespace rushes::worker;
  for (;;) {
    std::string head(kLengthBytes, '\0');
    if (!read_exactly(head.data(), head.size())) return EXIT_SUCCESS;
    std::string text(*decode_length(head), '\0');
    if (!read_exactly(text.data(), text.size())) return EXIT_FAILURE;
    const auto order = decode_order(text);
    if (!order) return EXIT_FAILURE;
    if (::chdir(order->scratch.c_str()) != 0) return EXIT_FAILURE;
    obey(*order);
  }
}
