#include "app/open_files.h"

#include "base/log.h"

#include <sys/resource.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace rushes::app {

void raise_open_file_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const auto before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (before < limit.rlim_max && ::setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    log::warning("app", "the limit of open files stays at {}: {}", before, std::strerror(errno));
  }
  const auto now = open_file_limit();
  log::info("app", "open files: up to {}, {} of them connections of clients", now, connections_for(now));
}

std::size_t open_file_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  return limit.rlim_cur;
}

std::size_t connections_for(std::size_t open_files) {
  constexpr std::size_t kReserve = 256;
  constexpr std::size_t kMost = 100'000;
  const auto reserve = std::min(open_files / 2, std::max(kReserve, open_files / 4));
  return std::clamp<std::size_t>(open_files - reserve, 1, kMost);
}

}  // namespace rushes::app
