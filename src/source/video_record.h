#pragma once
#include "base/json.h"
#include "base/result.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rushes::source {

/// One set of captions that the source offers, in a format that we read (WebVTT or SubRip).
struct CaptionTrack {
  std::string language;    // as the source names it, e.g. "en", "pt-BR", "en-orig"
  bool automatic = false;  // made by a machine, not by a person
  bool operator==(const CaptionTrack&) const = default;
};

/// A chapter that the author of the video has set. Seconds from the start.
struct SourceChapter {
  double start = 0;
  double end = 0;  // 0 where the source does not say
  std::string title;
  bool operator==(const SourceChapter&) const = default;
};

/// What is known about a video without downloading it. What the source does not tell is empty: no zero is
/// invented for a count, no date for a day. All texts are valid UTF-8 and bounded in length.
struct VideoRecord {
  std::string id;
  std::string title;
  std::string description;
  std::vector<std::string> tags;
  std::string thumbnail_url;       // http or https, or empty
  std::string published_at;        // RFC 3339, UTC; midnight where only the day is known
  std::optional<double> duration;  // s; unknown for a plain file: probe what was downloaded
  std::optional<std::int64_t> views;
  std::optional<std::int64_t> likes;
  std::optional<std::int64_t> comments;
  std::string webpage_url;  // canonical; what to fetch again by
  std::string language;     // of the speech, where the source tells
  std::string channel;
  std::vector<CaptionTrack> captions;
  std::vector<SourceChapter> chapters;
  bool has_combined = true;  // some format carries picture and sound in one file
  bool has_audio = true;     // some format carries sound
  bool operator==(const VideoRecord&) const = default;
};

/// For checkpoints: `record_from_json(to_json(r)) == r`.
json::object to_json(const VideoRecord& record);
/// Errors: `malformed`.
Result<VideoRecord> record_from_json(const json::value& value);

/// The track to read for a user who wants `wanted` (BCP 47, may be empty) of a video spoken in `spoken` (may be
/// empty): the wanted language first, then the video's own, then English, then any; within one language those
/// made by people before automatic ones. A regional form stands for its language ("en-GB" for "en"), after the
/// exact one. Automatic translations ("de" beside "en-orig") count only where nothing else is left. Null where
/// there is none.
const CaptionTrack* choose_captions(const std::vector<CaptionTrack>& tracks, std::string_view wanted,
                                    std::string_view spoken);

}  // namespace rushes::source
