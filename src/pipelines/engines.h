#pragma once
#include "insight/analyst.h"
#include "source/fetcher.h"
#include "speech/transcriber.h"

#include <filesystem>
#include <functional>
#include <memory>

namespace rushes::pipelines {

/// What pipelines work with, one of each kind. Kept from job to job: a speech model takes time to load.
///
/// Threads:  single-owner.
/// Lifetime: outlives the pipelines that use it.
class Engines {
 public:
  /// A fetcher needs its job's scratch folder, so each job makes its own.
  using MakeFetcher = std::function<Result<std::unique_ptr<source::Fetcher>>(const std::filesystem::path& scratch)>;

  Engines(std::unique_ptr<speech::Transcriber> transcriber, std::unique_ptr<insight::Analyst> analyst,
          MakeFetcher make_fetcher)
      : transcriber_(std::move(transcriber)), analyst_(std::move(analyst)), make_fetcher_(std::move(make_fetcher)) {}

  speech::Transcriber& transcriber() { return *transcriber_; }
  insight::Analyst& analyst() { return *analyst_; }
  Result<std::unique_ptr<source::Fetcher>> fetcher(const std::filesystem::path& scratch) {
    return make_fetcher_(scratch);
  }

 private:
  std::unique_ptr<speech::Transcriber> transcriber_;
  std::unique_ptr<insight::Analyst> analyst_;
  MakeFetcher make_fetcher_;
};

}  // namespace rushes::pipelines
