#pragma once
#include <string>

namespace rushes::media::testing {

/// A PNG file of black pixels, 8 bytes each: 14,000 x 14,000 of them are 1.5 GiB in 10 MB of file. Written without
/// having them in memory.
std::string huge_png(unsigned width, unsigned height);

}  // namespace rushes::media::testing
