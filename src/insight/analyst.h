#pragma once
#include "base/result.h"
#include "insight/analysis.h"
#include "insight/material.h"

#include <functional>
#include <string>

namespace rushes::insight {

/// Told how far the work is, 0..1, never falling. Called on the analyst's thread; may be empty.
using Progress = std::function<void(double fraction)>;

/// Turns what was said in a video into what its author needs: a summary, titles, keywords, chapters.
///
/// Threads:  single-owner. Both calls block.
/// Errors:   for users: `TRANSCRIPT_EMPTY` (invalid_argument) when the material holds no word at all,
///           neither in the transcript nor in title, description or tags. An engine over a network
///           adds its own.
class Analyst {
 public:
  virtual ~Analyst() = default;

  /// Loads what the first analysis would load. Later results are the same with it as without.
  virtual void prepare() {}

  /// The material in a few sentences.
  virtual Result<std::string> summarise(const Material& material) = 0;

  /// The whole analysis, in line with the limits in analysis.h.
  virtual Result<Analysis> analyse(const Material& material, const Progress& progress) = 0;

  /// What the contract shows as `engine.analysis`: `extractive`, or a model's name.
  virtual std::string engine() const = 0;
};

}  // namespace rushes::insight
