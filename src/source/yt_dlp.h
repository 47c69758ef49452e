#pragma once
#include "base/random.h"
#include "net/address_filter.h"
#include "source/fetcher.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace rushes::source {

struct YtDlpOptions {
  std::string program = "yt-dlp";  // a path, or a name to look up on PATH
  std::filesystem::path cookies;   // Netscape format; copied for each run, never written to; empty: none
  std::filesystem::path scratch;   // exists, private to this job; the child's HOME and TMPDIR
  bool allow_private = false;      // reach private networks and loopback
  std::vector<net::AddressFilter::Endpoint> exceptions;  // reach these in any case
  std::uint64_t max_bytes = 4ULL << 30U;                 // of one download
  std::chrono::seconds describe_deadline{120};           // also for captions
  std::chrono::seconds download_deadline{3600};
  std::chrono::milliseconds idle{30'000};  // a connection that is silent for so long is given up
};

/// A fetcher that runs yt-dlp as a child process, sent through a FilteringProxy of ours. yt-dlp gets a clean
/// environment, no configuration of the machine's users, no shell, no ffmpeg and no other external downloader; its
/// output is bounded, and a deadline ends it. Formats are chosen so that nothing has to be merged.
///
/// Errors: of `make_yt_dlp` itself: `unavailable` when the proxy cannot listen. A missing program shows at the first
/// call as `FETCHER_MISSING`.
Result<std::unique_ptr<Fetcher>> make_yt_dlp(YtDlpOptions options, Rng& rng);

/// What `yt-dlp --version` prints, e.g. "2023.03.04": its date, by which `rushes doctor` tells how old it is.
/// Errors: `FETCHER_MISSING`.
Result<std::string> yt_dlp_version(const std::string& program);

}  // namespace rushes::source
