#pragma once
#include "insight/detail/document.h"

#include <vector>

namespace rushes::insight {

/// A stretch of the text that keeps to one subject.
struct Part {
  double start = 0;  // seconds
  std::uint32_t first_unit = 0;
  std::uint32_t last_unit = 0;  // one past the last
};

/// Cuts the document where its words change, so that they are as predictable as possible within each
/// part (Utiyama and Isahara 2001); a pause, a scene cut or a word such as "next" makes a cut likelier.
///
/// At least one part, the first at 0 s, starts rising by at least ten seconds. `duration` in seconds.
std::vector<Part> find_parts(const Document& document, const std::vector<double>& scene_cuts, double duration);

}  // namespace rushes::insight
