#pragma once
#include "media/source.h"
#include "pipelines/engines.h"
#include "pipelines/findings.h"
#include "pipelines/order.h"

#include <functional>

namespace rushes::pipelines {

/// Part of a stage's way, from one percentage to another.
struct Span {
  int from = 0;
  int to = 0;
  int at(double fraction) const noexcept;
};

/// Transcribes the sound of `file` into `findings`, told as `Transcribing audio: 0:42 of 3:10`, unless an earlier
/// attempt has done it.
Result<void> transcribe(const Order& order, const media::Source& file, Engines& engines, Reporter& reporter, Span span,
                        Findings& findings);

/// Summary and analysis of what was found so far.
Result<void> analyse(const Order& order, Engines& engines, Reporter& reporter, Span span, Findings& findings);

/// Where the picture in `file` changes to another scene: a hint for chapters, so its absence is no failure.
void find_scenes(const Order& order, const media::Source& file, Findings& findings);

/// Frames of the picture in `file`. A video whose frames cannot be read has none: that is no reason
/// to lose the rest.
void make_thumbnails(const Order& order, const media::Source& file, Findings& findings);

}  // namespace rushes::pipelines
