#pragma once
#include "base/result.h"
#include "captions/transcript.h"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace rushes::captions {

enum class Format : std::uint8_t { text, srt, vtt };

/// More cues or sentences than this are refused; a day of speech has about 30,000.
inline constexpr std::size_t kMaxSegments = 200'000;

// What all the parsers promise: segments rise in time and do not overlap, none is empty, all lie within
// 0 and 360,000 s (100 hours); text is well-formed UTF-8 on one line, without markup, entities or control
// characters. A byte order mark, CRLF and lone CR are taken. Cost: linear in the text.
//
// Errors: `TRANSCRIPT_NOT_UTF8` and `TRANSCRIPT_EMPTY` (no word left), both invalid_argument;
// `TRANSCRIPT_TOO_LARGE` (too_large) above kMaxSegments.

/// What `text` is: `vtt` where it starts with the word WEBVTT, `srt` where one of its first lines is a cue's
/// timing, `text` otherwise. Cost: looks at no more than the first lines.
Format detect_format(std::string_view text) noexcept;

/// SubRip: numbers are optional, `.` is taken for `,`, `<i>`, `{\an8}` and the like are removed.
Result<Transcript> parse_srt(std::string_view text);

/// WebVTT (https://www.w3.org/TR/webvtt1/). Headers, NOTE, STYLE and REGION blocks, cue ids, settings, tags and
/// inline timestamps are understood and left out; `language` comes from a `Language:` header. The rolling
/// two lines of YouTube's automatic captions become each line once.
Result<Transcript> parse_vtt(std::string_view text);

/// Plain text: one segment a sentence (long ones and texts without punctuation in pieces of at most 30 words), times
/// estimated at 150 words a minute, `timed` false.
Result<Transcript> parse_text(std::string_view text);

/// The parser that `detect_format` names.
Result<Transcript> parse_any(std::string_view text);

/// SubRip with numbers, LF and a blank line behind each cue. Parsing it gives the segments back, to the millisecond,
/// but for what SubRip cannot say: a text that holds a formatting tag loses it, and `-->` becomes `->`.
std::string write_srt(const Transcript& transcript);

/// WebVTT, escaped. Parsing it gives the segments back, to the millisecond.
std::string write_vtt(const Transcript& transcript);

}  // namespace rushes::captions
