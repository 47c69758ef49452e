#pragma once
#include "box/host.h"
#include "box/identity.h"
#include "box/launcher.h"
#include "net/address_filter.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace rushes::worker {

struct PoolOptions {
  int size = 3;                                              // attempts at once
  std::chrono::minutes longest_attempt{240};                 // then it is killed: JOB_TIMED_OUT
  std::chrono::milliseconds silence{30'000};                 // of a process that works; then it is killed: WORKER_LOST
  std::uint64_t max_memory_bytes = std::uint64_t{2} << 30U;  // of a job, beyond the zygote's: JOB_OUT_OF_MEMORY
  std::uint64_t max_fetch_bytes = std::uint64_t{2} << 30U;   // of one download: VIDEO_TOO_LARGE

  box::ZygoteOptions zygote;
  box::Identity identity;  // what boxes run as
  box::Walls walls;        // that the host gives
  /// Without a network namespace a URL's job is refused (SANDBOX_MISSING) unless this is set.
  bool fetch_without_network_wall = false;

  net::AddressFilter addresses;                                // what fetching may reach
  std::vector<std::string> fetch_readable;                     // what yt-dlp needs beyond /usr
  std::function<std::string(const std::string& url)> cookies;  // the operator's, for that URL; BLOCKING; may be empty
};

}  // namespace rushes::worker
