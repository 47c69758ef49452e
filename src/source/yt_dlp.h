#pragma once
#include "base/result.h"
#include "source/fetcher.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

namespace rushes::source {

struct YtDlpOptions {
  std::string program = "yt-dlp";  // a path, or a name to look up on PATH
  std::string door;                // `box::Door::url()`: the only way out
  std::string cookies;             // a jar's text, of `cookies_for`; empty: none
  std::filesystem::path scratch;   // exists, private to this job; the child's HOME and TMPDIR
  bool allow_private = false;      // let URLs name private networks and loopback; the door decides what is reached
  std::uint64_t max_bytes = 4ULL << 30U;        // of one download
  std::chrono::seconds describe_deadline{120};  // also for captions
  std::chrono::seconds download_deadline{3600};
  std::chrono::milliseconds idle{30'000};  // a connection that is silent for so long is given up
};

/// A fetcher that runs yt-dlp as a child process, sent through `options.door`. yt-dlp gets a clean environment, no
/// configuration of the machine's users, no shell, no ffmpeg and no other external downloader; its output is bounded,
/// and a deadline ends it. Formats are chosen so that nothing has to be merged. A yt-dlp too old for cookies (see
/// `takes_cookies`) gets none. It makes no thread and listens nowhere, so it may run inside a box.
///
/// Errors: a missing program shows at the first call as `FETCHER_MISSING`.
std::unique_ptr<Fetcher> make_yt_dlp(YtDlpOptions options);

/// What `yt-dlp --version` prints, e.g. "2023.03.04": its date, by which `rushes doctor` tells how old it is.
/// Errors: `FETCHER_MISSING`.
Result<std::string> yt_dlp_version(const std::string& program);

}  // namespace rushes::source
