#include "base/log.h"
#include "media/probe.h"
#include "pipelines/checkpoints.h"
#include "pipelines/run.h"
#include "pipelines/steps.h"

namespace rushes::pipelines {
namespace {

VideoFacts facts_of(const source::VideoRecord& record) {
  VideoFacts facts;
  facts.id = record.id;
  facts.title = record.title;
  facts.description = record.description;
  facts.tags = record.tags;
  facts.thumbnail_url = record.thumbnail_url;
  facts.published_at = record.published_at;
  facts.duration = record.duration.value_or(0);
  facts.views = record.views.value_or(0);
  facts.likes = record.likes.value_or(0);
  facts.comments = record.comments.value_or(0);
  return facts;
}

/// What is said in the video, where neither its captions nor an earlier attempt told.
Result<void> hear(const Order& order, Engines& engines, Reporter& reporter, Findings& findings) {
  if (order.audio < 0) return {};
  reporter.stage(30, "Fetching video data");  // of which this is the last part
  const auto audio = media::Source::of_descriptor(order.audio);
  const auto probe = media::probe(audio);
  if (!probe) return probe.error();
  if (findings.video.duration <= 0) findings.video.duration = probe->duration;
  if (!probe->has_audio) return {};
  return transcribe(order, audio, engines, reporter, {30, 39}, findings);
}

}  // namespace

Result<Product> run_youtube(const Order& order, Engines& engines, Reporter& reporter) {
  const auto record = source::record_from_json(order.record);
  if (!record) return record.error();
  reporter.title(record->title);

  Findings findings;
  findings.video = facts_of(*record);
  for (const auto& chapter : record->chapters) findings.chapters.push_back({chapter.start, chapter.title});
  if (!restore_transcript(order, findings)) {
    if (auto heard = hear(order, engines, reporter, findings); !heard) return heard.error();
  }

  reporter.stage(40, "Generating AI analysis");
  if (auto analysed = analyse(order, engines, reporter, {40, 79}, findings); !analysed) return analysed.error();

  reporter.stage(80, "Generating thumbnails");
  if (order.picture >= 0) make_thumbnails(order, media::Source::of_descriptor(order.picture), findings);

  reporter.stage(90, "Saving results");
  return save_findings(order, findings);
}

}  // namespace rushes::pipelines
