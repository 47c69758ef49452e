// What a box costs, printed, not judged: box_bench RUSHES [ROUNDS]. Starts the real zygote of `rushes worker`, with its
// model, as this user; for root as the user that boxes run as.
#include "async/run.h"
#include "base/file.h"
#include "base/random.h"
#include "box/host.h"
#include "box/launcher.h"
#include "box/usage.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace rushes::box {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

double since(Clock::time_point from) { return std::chrono::duration<double, std::milli>(Clock::now() - from).count(); }

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values.at(static_cast<std::size_t>(q * static_cast<double>(values.size() - 1)));
}

HostReport ask_host(const std::string& program) {
  const auto command = program + " box-check";
  const std::unique_ptr<FILE, int (*)(FILE*)> output(::popen(command.c_str(), "r"), &::pclose);
  std::string text(64U << 10U, ' ');
  text.resize(std::fread(text.data(), 1, text.size(), output.get()));
  return decode_host_report(text).value();
}

struct Times {
  std::vector<double> start;  // ms, from the order to the zygote until the process is in its box
  std::vector<double> end;    // ms, from the kill until nothing is left
  double box_mib = 0;         // of an idle box, beyond what it shares with the zygote
};

double anonymous_mib(pid_t pid) {
  const auto text = read_file("/proc/" + std::to_string(pid) + "/smaps_rollup");
  const auto at = text ? text->find("Private_Dirty:") : std::string::npos;
  return at == std::string::npos ? 0 : std::atof(text->c_str() + at + 14) / 1024;
}

Task<Times> measure(Launcher& launcher, BoxSpec spec, fs::path folder, int rounds) {
  Times times;
  for (int i = 0; i < rounds; ++i) {
    BoxOrder order;
    order.spec = spec;
    order.scratch = FileDescriptor(::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC));
    auto began = Clock::now();
    const auto launch = launcher.launch(std::move(order));
    co_await launch->wait();
    auto box = *launch->take();
    if (!box) throw std::runtime_error(box.error().what());
    times.start.push_back(since(began));
    times.box_mib = std::max(times.box_mib, anonymous_mib((*box)->pid()));
    began = Clock::now();
    (*box)->kill();
    co_await (*box)->reap();
    times.end.push_back(since(began));
  }
  co_return times;
}

void print(const char* what, const Times& times) {
  std::printf("%-44s | %5.1f | %5.1f | %5.1f | %5.1f |\n", what, quantile(times.start, 0.5),
              quantile(times.start, 0.99), quantile(times.end, 0.5), quantile(times.end, 0.99));
}

Task<> run(std::string program, int rounds) {
  const auto host = ask_host(program);
  for (const auto& missing : host.missing) std::printf("missing: %s (%s)\n", missing.part.c_str(), missing.why.c_str());
  const auto folder = fs::temp_directory_path() / ("rushes-box-bench-" + SystemRng().token(6));
  fs::create_directory(folder);
  fs::permissions(folder, fs::perms::all);

  ZygoteOptions zygote;
  zygote.program = program;
  zygote.arguments = {"worker"};
  zygote.environment = {"PATH=/usr/bin:/bin", "MALLOC_CONF=thp:always",
                        std::string("RUSHES_WORKER_SETTINGS={\"logLevel\":\"warning\"") +
                            (host.keep_privileges ? ",\"keepPrivileges\":true}" : "}")};
  Launcher launcher(co_await asio::this_coro::executor, zygote);
  BoxSpec boxed;
  boxed.walls = host.walls;
  boxed.limits.scratch_bytes = std::uint64_t{256} << 20U;
  auto bare = boxed;
  bare.walls = {false, false, false, false, false, 0, false};
  auto fetch = boxed;
  fetch.profile = Profile::fetch;

  const auto began = Clock::now();
  co_await measure(launcher, bare, folder, 1);
  std::printf("zygote warm after %.0f ms\n\n", since(began));
  std::printf("%-44s | start p50 | p99 | gone p50 | p99 | (ms, %d rounds)\n", "", rounds);
  print("fork of the zygote alone, no walls", co_await measure(launcher, bare, folder, rounds));
  const auto whole = co_await measure(launcher, boxed, folder, rounds);
  print("box for analysis, all walls", whole);
  print("box for fetching, all walls, with its door", co_await measure(launcher, fetch, folder, rounds));
  const auto resident = static_cast<double>(usage_of(launcher.zygote()).resident_bytes) / (1U << 20U);
  std::printf("\nidle zygote: %.0f MiB resident, %.0f MiB of it its own; idle box: %.1f MiB of its own\n", resident,
              anonymous_mib(launcher.zygote()), whole.box_mib);
  co_await launcher.stop();
  fs::remove_all(folder);
}

}  // namespace
}  // namespace rushes::box

int main(int argc, char** argv) {
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  if (argc < 2) {
    std::puts("usage: box_bench RUSHES [ROUNDS]    what a box costs, with the zygote of that program");
    return 2;
  }
  rushes::run_to_end(rushes::box::run(argv[1], argc > 2 ? std::atoi(argv[2]) : 200));
  return 0;
}
