#pragma once
#include "base/result.h"
#include "captions/transcript.h"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::captions::detail {

inline constexpr double kMaxTime = 360'000;  // 100 hours

/// A cue as it stands in a file: lines without markup, times as written.
struct Cue {
  double start = 0;
  double end = 0;
  std::vector<std::string> lines;  // clean, none empty
};

/// Hands out the lines of a text, without their ends (LF, CRLF or CR).
class LineReader {
 public:
  explicit LineReader(std::string_view text) : rest_(text) {}
  /// False at the end of the text.
  bool next(std::string_view& line);
  /// Whether the line just read will be handed out again.
  void put_back(std::string_view line) { again_ = line; }

 private:
  std::string_view rest_;
  std::optional<std::string_view> again_;
};

struct Timing {
  double start = 0;
  double end = 0;
};

/// Reads `[h:]mm:ss[.,]mmm --> [h:]mm:ss[.,]mmm`, whatever follows. Nothing for other lines and for times beyond
/// kMaxTime.
std::optional<Timing> parse_timing(std::string_view line) noexcept;

/// Removes control and invisible characters, turns every kind of blank into one space, trims.
std::string clean(std::string_view text);

/// Checks a whole file before it is parsed; gives it back without its byte order mark.
/// Errors: `TRANSCRIPT_NOT_UTF8`, `TRANSCRIPT_EMPTY`.
Result<std::string_view> check_text(std::string_view text);

Error empty_error();
Error too_many_error();

/// Leaves each line of rolling captions (as YouTube's automatic ones) once. Other cues stay as they are: a phrase
/// that is really said twice is kept.
void unroll(std::vector<Cue>& cues, bool has_inline_times);

/// Segments that rise and do not overlap. Cues that start together become one. Errors: `TRANSCRIPT_EMPTY`.
Result<std::vector<Segment>> to_segments(std::vector<Cue> cues);

/// How long it takes to say `text`, in seconds, at 150 words a minute.
double estimate_duration(std::string_view text) noexcept;

}  // namespace rushes::captions::detail
