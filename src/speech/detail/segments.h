#pragma once
#include "captions/transcript.h"

#include <vector>

namespace rushes::speech::detail {

/// Groups words that rise in time into captions that can be read: a pause of half a second ends one, and none is
/// longer than 84 characters (two lines) or 7 s, unless a single word is. Cost: n log n.
std::vector<captions::Segment> to_segments(const std::vector<captions::Word>& words);

}  // namespace rushes::speech::detail
