#pragma once
#include "base/result.h"
#include "media/progress.h"
#include "media/source.h"

#include <vector>

namespace rushes::media {

/// Times in seconds, rising, at which the picture changes to another scene. Found among keyframes only, which
/// encoders put at cuts: cheap, and blind to cuts between them. The start is not a cut; empty means none found.
///
/// Where each picture is a keyframe, five a second are looked at. Stops, with what was found so far, where half of the
/// process's budget of pixels is used (media/limits.h); the other half is for thumbnails.
///
/// Errors: those of `probe`; `MEDIA_NO_VIDEO`; `MEDIA_TOO_MANY_PIXELS` and `JOB_OUT_OF_MEMORY` where they leave no
/// picture.
/// Cost: reads the whole file and decodes its keyframes, 4 to 15 ms each at 1080p.
Result<std::vector<double>> scene_cuts(const Source& source, const Progress& progress = {});

}  // namespace rushes::media
