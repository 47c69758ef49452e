#pragma once
#include "insight/analyst.h"
#include "speech/transcriber.h"

#include <memory>

namespace rushes::pipelines {

/// What pipelines work with, one of each kind. Made before the job comes: a speech model takes time to load.
///
/// Threads:  single-owner.
/// Lifetime: outlives the pipelines that use it.
class Engines {
 public:
  Engines(std::unique_ptr<speech::Transcriber> transcriber, std::unique_ptr<insight::Analyst> analyst)
      : transcriber_(std::move(transcriber)), analyst_(std::move(analyst)) {}

  speech::Transcriber& transcriber() { return *transcriber_; }
  insight::Analyst& analyst() { return *analyst_; }

 private:
  std::unique_ptr<speech::Transcriber> transcriber_;
  std::unique_ptr<insight::Analyst> analyst_;
};

}  // namespace rushes::pipelines
