#pragma once
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "jobs/model.h"

#include <filesystem>
#include <map>
#include <string>

namespace rushes::pipelines {

/// All that a pipeline is told about one attempt. A value that crosses to the worker process.
struct Order {
  JobId job;
  AuditId audit;  // the id that the saved analysis will have
  jobs::JobType type = jobs::JobType::transcript;
  Timestamp created_at;  // of the job
  std::string title;
  std::string url;
  json::object input;   // `configuration` and, for an upload, `fileName`
  std::string body;     // the transcript
  int source = -1;      // descriptor of the uploaded file; -1: none
  json::object record;  // source::VideoRecord of what was fetched; empty before
  int audio = -1;       // descriptors of what was fetched; maybe one file; -1: none
  int picture = -1;
  std::string door;                                // URL of the way out while fetching
  std::string cookies;                             // jar of the operator's for that URL; often empty
  std::filesystem::path scratch = ".";             // private and empty; gone after the attempt
  std::filesystem::path output = "output";         // what to keep goes here; exists
  std::map<std::string, std::string> checkpoints;  // what earlier attempts made, by name
  std::string files_url;                           // where `output` will be served, without a trailing slash
};

/// What fetching a URL made: the first half of its job.
struct Fetched {
  json::object record;  // source::VideoRecord
  std::string audio;    // names of files in Order::scratch, maybe the same; empty: none
  std::string picture;
};

/// What a pipeline made.
struct Product {
  std::string title;
  json::object result;  // the contract's AuditResponse
};

/// Where a pipeline tells how far it is. Calls come on the pipeline's thread.
class Reporter {
 public:
  virtual ~Reporter() = default;
  /// A stage begins: `words` is one of the contract's texts.
  virtual void stage(int percent, std::string_view words) = 0;
  /// Within the stage: one sentence for a person. May be called often; the reporter thins it out.
  virtual void detail(int percent, std::string_view message) = 0;
  /// The video's title is known.
  virtual void title(std::string_view title) = 0;
  /// What a later attempt need not do again: it finds it in Order::checkpoints.
  virtual void checkpoint(std::string_view name, std::string data) = 0;
};

}  // namespace rushes::pipelines
