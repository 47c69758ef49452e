#include "media/testing/child.h"

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <exception>
#include <fstream>
#include <stdexcept>

namespace rushes::media::testing {
namespace {

std::string run(const std::function<std::string()>& work, std::uint64_t more_memory_bytes) {
  if (more_memory_bytes > 0) {
    std::uint64_t pages = 0;
    std::ifstream("/proc/self/statm") >> pages;
    rlimit limit{};
    limit.rlim_cur = limit.rlim_max = pages * static_cast<std::uint64_t>(::getpagesize()) + more_memory_bytes;
    if (::setrlimit(RLIMIT_AS, &limit) != 0) return "no limit";
  }
  try {
    return work();
  } catch (const std::exception& error) {
    return std::string("thrown: ") + error.what();
  }
}

}  // namespace

ChildReport in_child(const std::function<std::string()>& work, std::uint64_t more_memory_bytes) {
  std::array<int, 2> pipe{};
  if (::pipe(pipe.data()) != 0) throw std::runtime_error("no pipe");
  const auto child = ::fork();
  if (child < 0) throw std::runtime_error("no child process");
  if (child == 0) {
    const auto said = run(work, more_memory_bytes);
    const auto written = ::write(pipe[1], said.data(), said.size());
    ::_exit(written == static_cast<ssize_t>(said.size()) ? 0 : 1);
  }
  ::close(pipe[1]);
  ChildReport report;
  std::array<char, 1024> buffer{};
  for (ssize_t count = 0; (count = ::read(pipe[0], buffer.data(), buffer.size())) > 0;) {
    report.said.append(buffer.data(), static_cast<std::size_t>(count));
  }
  ::close(pipe[0]);
  int status = 0;
  rusage usage{};
  if (::wait4(child, &status, 0, &usage) != child || status != 0) report.said = "died";
  report.peak_bytes = static_cast<std::uint64_t>(usage.ru_maxrss) * 1024;
  return report;
}

}  // namespace rushes::media::testing
