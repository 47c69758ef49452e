#pragma once
#include <string>
#include <vector>

namespace rushes::captions {

/// One spoken word. Times are seconds from the start of the recording.
struct Word {
  double start = 0;
  double end = 0;
  std::string text;
  double confidence = 1;  // 0..1, the engine's own; 1 where it gives none
};

/// A caption: what is shown together, a sentence or a part of one.
struct Segment {
  double start = 0;
  double end = 0;
  std::string text;  // one line, no markup
};

/// What was said, and when.
///
/// Segments rise in time and do not overlap. `timed` is false where the source was plain text:
/// then the times are estimates from the number of words. `words` is empty where the engine gives
/// none. Single-owner.
struct Transcript {
  std::string language;  // BCP 47, e.g. "en"; empty where nobody knows
  bool timed = true;
  std::vector<Segment> segments;
  std::vector<Word> words;

  bool empty() const noexcept { return segments.empty(); }
  /// All segments as one text, joined by blanks.
  std::string text() const;
};

}  // namespace rushes::captions
