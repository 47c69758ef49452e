#pragma once
#include "captions/transcript.h"
#include "insight/analysis.h"
#include "insight/material.h"
#include "media/thumbnails.h"
#include "pipelines/order.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace rushes::pipelines {

/// What is known about the video itself.
struct VideoFacts {
  std::string id;
  std::string title;
  std::string description;
  std::vector<std::string> tags;
  std::string thumbnail_url;  // empty: the first of our own is taken
  std::string published_at;   // RFC 3339
  double duration = 0;        // s
  std::int64_t views = 0;
  std::int64_t likes = 0;
  std::int64_t comments = 0;
};

/// All that a pipeline found out: what the result is made of.
struct Findings {
  VideoFacts video;
  std::vector<insight::ChapterMark> chapters;  // that the video's author made
  captions::Transcript transcript;
  std::string summary;
  insight::Analysis analysis;
  std::vector<double> scene_cuts;            // s
  std::vector<media::Thumbnail> thumbnails;  // files in Order::output
  std::string transcription_engine;          // empty: nothing was transcribed
  std::string analysis_engine;
};

/// Writes the captions beside the thumbnails and makes the contract's AuditResponse of it all.
/// Errors: `unavailable` where the captions cannot be written.
Result<Product> save_findings(const Order& order, const Findings& findings);

/// The part of the findings that an analyst looks at, with what the user configured.
insight::Material material_of(const Order& order, const Findings& findings);

/// `configuration.<key>`, where it is a text; else empty.
std::string configured(const Order& order, std::string_view key);

}  // namespace rushes::pipelines
