#include "pipelines/findings.h"

#include "base/file.h"
#include "base/text.h"
#include "captions/captions.h"

namespace rushes::pipelines {
namespace {

json::object video_json(const VideoFacts& video, std::string_view first_thumbnail) {
  return {{"id", video.id},
          {"title", video.title},
          {"description", video.description},
          {"tags", to_json_array(video.tags)},
          {"thumbnail", video.thumbnail_url.empty() ? first_thumbnail : std::string_view(video.thumbnail_url)},
          {"publishedAt", video.published_at},
          {"duration", to_clock_time(video.duration)},
          {"views", video.views},
          {"likes", video.likes},
          {"comments", video.comments}};
}

json::object transcript_json(const captions::Transcript& transcript, const std::string& files_url) {
  json::array segments;
  segments.reserve(transcript.segments.size());
  for (const auto& segment : transcript.segments) {
    segments.push_back(json::object{{"start", segment.start}, {"end", segment.end}, {"text", segment.text}});
  }
  return {{"language", transcript.language},
          {"text", transcript.text()},
          {"segments", std::move(segments)},
          {"vttUrl", files_url + "/captions.vtt"},
          {"srtUrl", files_url + "/captions.srt"}};
}

json::array thumbnails_json(const std::vector<media::Thumbnail>& thumbnails, const std::string& files_url) {
  json::array all;
  for (const auto& thumbnail : thumbnails) {
    all.push_back(json::object{{"url", files_url + "/" + thumbnail.path.filename().string()},
                               {"time", thumbnail.time},
                               {"width", thumbnail.width},
                               {"height", thumbnail.height}});
  }
  return all;
}

}  // namespace

Result<Product> save_findings(const Order& order, const Findings& findings) {
  json::object result;
  auto thumbnails = thumbnails_json(findings.thumbnails, order.files_url);
  const auto first = thumbnails.empty() ? std::string() : std::string(thumbnails[0].at("url").as_string());
  result["video"] = video_json(findings.video, first);
  result["analysis"] = insight::to_json(findings.analysis);
  result["summary"] = findings.summary;
  if (!findings.transcript.empty()) {
    const auto vtt = write_file_atomically(order.output / "captions.vtt", captions::write_vtt(findings.transcript));
    if (!vtt) return vtt.error();
    const auto srt = write_file_atomically(order.output / "captions.srt", captions::write_srt(findings.transcript));
    if (!srt) return srt.error();
    result["transcript"] = transcript_json(findings.transcript, order.files_url);
  }
  if (!thumbnails.empty()) result["thumbnails"] = std::move(thumbnails);
  json::object engine;
  if (!findings.transcription_engine.empty()) engine["transcription"] = findings.transcription_engine;
  engine["analysis"] = findings.analysis_engine;
  result["engine"] = std::move(engine);
  return Product{findings.video.title, std::move(result)};
}

insight::Material material_of(const Order& order, const Findings& findings) {
  insight::Material material;
  material.transcript = findings.transcript;
  material.title = findings.video.title;
  material.description = findings.video.description;
  material.tags = findings.video.tags;
  material.duration = findings.video.duration;
  material.scene_cuts = findings.scene_cuts;
  material.source_chapters = findings.chapters;
  material.language = configured(order, "language");
  material.tone = configured(order, "tone");
  return material;
}

std::string configured(const Order& order, std::string_view key) {
  const auto* configuration = order.input.if_contains("configuration");
  if (configuration == nullptr || !configuration->is_object()) return {};
  return string_member(configuration->get_object(), key).value_or(std::string());
}

}  // namespace rushes::pipelines
