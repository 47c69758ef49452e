#pragma once
#include "captions/transcript.h"

#include <string>
#include <vector>

namespace rushes::insight {

/// A chapter that the video's author made.
struct ChapterMark {
  double start = 0;  // seconds
  std::string title;
};

/// All that an analyst may look at. Every text is UTF-8; an analyst mends what is not.
///
/// Anything but `transcript` may be empty, and so may the transcript when there is a title, a
/// description or a tag. Single-owner.
struct Material {
  captions::Transcript transcript;
  std::string title;
  std::string description;
  std::vector<std::string> tags;
  double duration = 0;             // seconds; 0 where nobody knows: the transcript's end is taken
  std::vector<double> scene_cuts;  // seconds, in any order
  std::vector<ChapterMark> source_chapters;
  std::string language;  // asked for by the user, BCP 47; empty: the transcript's own
  std::string tone;      // asked for by the user; an analyst that cannot write ignores it
};

}  // namespace rushes::insight
