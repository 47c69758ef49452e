#pragma once
#include "base/result.h"
#include "media/source.h"

#include <cstdint>
#include <string>

namespace rushes::media {

/// What a media file says about itself. Strings are well-formed UTF-8.
struct Probe {
  double duration = 0;  // seconds; measured by reading the file through where it does not say; 0: unknown
  bool has_audio = false;
  bool has_video = false;  // an attached cover picture is not a video
  int width = 0;           // as shown: after rotation and with square pixels; 0 without video
  int height = 0;
  int rotation = 0;         // degrees clockwise that a player turns the stored picture: 0, 90, 180, 270
  double frame_rate = 0;    // average frames a second; 0 where unknown
  std::string container;    // "mp4", "webm", "mpegts", …: one short name
  std::string video_codec;  // "h264", …; empty without video
  std::string audio_codec;  // "aac", …; empty without audio
  std::string language;     // of the sound, as the file says, e.g. "eng"; empty where it does not
  std::uint64_t size_bytes = 0;
  std::string title;  // from the tags, at most 500 bytes, control characters removed; often empty
};

/// Reads the head of the file. Its content decides, never its suffix. Nothing but that file is opened: playlists and
/// other formats that refer to files are refused.
///
/// Errors: `MEDIA_EMPTY` (0 bytes), `MEDIA_UNREADABLE` (not a video or audio file that we read) and
/// `MEDIA_NO_STREAMS` (neither sound nor pictures in it), all `unsupported`; `MEDIA_TOO_MANY_PIXELS`,
/// `MEDIA_TOO_MANY_STREAMS` and `MEDIA_TOO_LONG` (over media/limits.h) and `JOB_OUT_OF_MEMORY`, all `too_large`;
/// `not_found` without the file.
/// Cost: milliseconds; one pass over the file where it does not say how long it is.
Result<Probe> probe(const Source& source);

}  // namespace rushes::media
