#include "media/probe.h"
#include "pipelines/run.h"
#include "pipelines/steps.h"

namespace rushes::pipelines {

Result<Product> run_upload(const Order& order, Engines& engines, Reporter& reporter) {
  reporter.stage(30, "Preparing upload");
  const auto source = media::Source::of_descriptor(order.source);
  const auto probe = media::probe(source);
  if (!probe) return probe.error();

  Findings findings;
  findings.video.id = order.job.value();
  findings.video.title = !order.title.empty() ? order.title : probe->title;
  findings.video.published_at = to_rfc3339(order.created_at);
  findings.video.duration = probe->duration;
  if (findings.video.title != order.title) reporter.title(findings.video.title);

  reporter.stage(50, "Transcribing audio");
  if (probe->has_audio) {
    if (auto heard = transcribe(order, source, engines, reporter, {50, 59}, findings); !heard) return heard.error();
  }

  reporter.stage(60, "Generating AI content");
  if (probe->has_video) find_scenes(order, source, findings);
  if (auto analysed = analyse(order, engines, reporter, {60, 79}, findings); !analysed) return analysed.error();
  if (probe->has_video) {
    reporter.detail(80, "Generating thumbnails");
    make_thumbnails(order, source, findings);
  }

  reporter.stage(90, "Saving results");
  return save_findings(order, findings);
}

}  // namespace rushes::pipelines
