#pragma once
#include "base/result.h"
#include "captions/transcript.h"
#include "source/video_record.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace rushes::source {

/// What a job needs of a video.
enum class MediaWanted : std::uint8_t {
  audio,    // the sound, to transcribe it
  picture,  // a small rendition of the picture, for thumbnails and scenes
  both,     // one file with both where the source has one, else two files
};

/// What was downloaded. Both paths are the same where one file carries both. Empty: not wanted, or the source
/// has none.
struct MediaFiles {
  std::filesystem::path audio;
  std::filesystem::path picture;
};

/// How far a download is.
struct FetchProgress {
  std::uint64_t received = 0;          // bytes
  std::optional<std::uint64_t> total;  // bytes, maybe an estimate; nothing where nobody knows
  /// 0..1; nothing where the total is unknown.
  std::optional<double> fraction() const;
};
using OnProgress = std::function<void(const FetchProgress&)>;

/// Fetches a video that a user names by URL: what is known about it, its captions, its media.
///
/// Usual order: `describe`, then `captions`; `download` what is still missing. A record may come from a
/// checkpoint: the calls that take one need nothing but its `webpage_url`.
///
/// Threads:  single-owner, BLOCKING: for a worker process with one job at a time.
/// Cancel:   kill the process group; children stay in it.
/// Errors:   with words for the user. Not retryable: `URL_INVALID`, `URL_SCHEME`, `URL_PRIVATE_ADDRESS`,
///           `URL_UNSUPPORTED`, `URL_DEAD`, `VIDEO_UNAVAILABLE`, `PLAYLIST_NOT_SUPPORTED`, `LIVE_NOT_SUPPORTED`,
///           `VIDEO_TOO_LARGE`, `FETCHER_MISSING`, `FETCH_FAILED`, `FETCH_TIMED_OUT`, `JOB_OUT_OF_MEMORY`,
///           `JOB_OUT_OF_TIME`. Retryable: `BOT_CHECK`, `SOURCE_UNAVAILABLE` (the site is overloaded or cuts us off).
class Fetcher {
 public:
  virtual ~Fetcher() = default;

  /// What is known about the video at `url`. Downloads no media.
  virtual Result<VideoRecord> describe(const std::string& url) = 0;

  /// The best captions (see `choose_captions`), or nothing where the video has none that we can read.
  virtual Result<std::optional<captions::Transcript>> captions(const VideoRecord& record,
                                                               std::string_view wanted_language) = 0;

  /// Downloads into `folder`, which exists; the files get names of our own. The picture is at most 480 lines high
  /// where the source offers that. `on_progress` is called on this thread, several times a second.
  virtual Result<MediaFiles> download(const VideoRecord& record, MediaWanted wanted,
                                      const std::filesystem::path& folder, const OnProgress& on_progress) = 0;
};

}  // namespace rushes::source
