#include "process.h"

#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>
#include <string>

namespace rushes::bench {
namespace {

/// The number behind `key` in a file of `key: number` lines.
double line_of(const std::string& path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(key)) return std::strtod(line.c_str() + key.size(), nullptr);
  }
  return 0;
}

Usage read_usage(const std::string& directory) {
  Usage usage;
  usage.resident_kib = line_of(directory + "/status", "VmRSS:");
  std::ifstream file(directory + "/stat");
  std::string line;
  std::getline(file, line);
  const auto name_end = line.rfind(')');
  if (name_end == std::string::npos) return usage;
  std::istringstream fields(line.substr(name_end + 2));
  std::string skipped;
  for (int i = 0; i < 11; ++i) fields >> skipped;  // state … cmajflt, proc(5)
  double user = 0;
  double system = 0;
  fields >> user >> system;
  const auto ticks = static_cast<double>(::sysconf(_SC_CLK_TCK));
  usage.user_s = user / ticks;
  usage.system_s = system / ticks;
  return usage;
}

}  // namespace

Usage usage_of(pid_t pid) { return pid > 0 ? read_usage("/proc/" + std::to_string(pid)) : Usage(); }
Usage own_usage() { return read_usage("/proc/self"); }
double kernel_slab_kib() { return line_of("/proc/meminfo", "Slab:"); }

std::uint64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::uint64_t>(now.tv_sec) * 1'000'000'000U + static_cast<std::uint64_t>(now.tv_nsec);
}

}  // namespace rushes::bench
