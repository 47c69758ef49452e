#pragma once
#include "base/result.h"
#include "media/progress.h"

#include <filesystem>
#include <vector>

namespace rushes::media {

/// Times in seconds, rising, at which the picture changes to another scene. Found among keyframes only, which
/// encoders put at cuts: cheap, and blind to cuts between them. The start is not a cut; empty means none found.
///
/// Errors: those of `probe`; `MEDIA_NO_VIDEO`.
/// Cost: reads the whole file and decodes its keyframes, 4 to 15 ms each at 1080p.
Result<std::vector<double>> scene_cuts(const std::filesystem::path& path, const Progress& progress = {});

}  // namespace rushes::media
