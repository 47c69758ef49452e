#include "pipelines/steps.h"

#include "base/log.h"
#include "base/text.h"
#include "media/audio.h"
#include "media/scenes.h"
#include "media/thumbnails.h"
#include "pipelines/checkpoints.h"

#include <algorithm>
#include <cmath>

namespace rushes::pipelines {
namespace {

constexpr int kThumbnails = 10;
constexpr int kThumbnailWidth = 640;

}  // namespace

int Span::at(double fraction) const noexcept {
  return from + static_cast<int>(std::floor(std::clamp(fraction, 0.0, 1.0) * (to - from)));
}

Result<void> transcribe(const Order& order, const media::Source& file, Engines& engines, Reporter& reporter, Span span,
                        Findings& findings) {
  if (restore_transcript(order, findings)) return {};
  auto audio = media::AudioReader::open(file);
  if (!audio) return audio.error();
  const auto told = [&](double done, double total) {
    const double fraction = total > 0 ? done / total : 0;
    auto message = "Transcribing audio: " + to_clock_time(done);
    if (total > 0) message += " of " + to_clock_time(total);
    reporter.detail(span.at(fraction), message);
  };
  auto transcript = engines.transcriber().transcribe(**audio, told);
  if (!transcript) return transcript.error();
  findings.transcript = std::move(*transcript);
  findings.transcription_engine = engines.transcriber().engine();
  keep_transcript(findings, reporter);
  return {};
}

Result<void> analyse(const Order& order, Engines& engines, Reporter& reporter, Span span, Findings& findings) {
  const auto material = material_of(order, findings);
  if (findings.summary.empty()) {
    auto summary = engines.analyst().summarise(material);
    if (!summary) return summary.error();
    findings.summary = std::move(*summary);
  }
  const auto told = [&](double fraction) { reporter.detail(span.at(fraction), "Generating AI analysis"); };
  auto analysis = engines.analyst().analyse(material, told);
  if (!analysis) return analysis.error();
  findings.analysis = std::move(*analysis);
  findings.analysis_engine = engines.analyst().engine();
  return {};
}

void find_scenes(const Order& order, const media::Source& file, Findings& findings) {
  auto cuts = media::scene_cuts(file);
  if (cuts) {
    findings.scene_cuts = std::move(*cuts);
  } else {
    log::warning("pipelines", "no scenes job={}: {}", order.job.value(), cuts.error().what());
  }
}

void make_thumbnails(const Order& order, const media::Source& file, Findings& findings) {
  media::ThumbnailOptions options;
  options.count = kThumbnails;
  options.max_width = kThumbnailWidth;
  options.folder = order.output;
  auto thumbnails = media::make_thumbnails(file, options);
  if (thumbnails) {
    findings.thumbnails = std::move(*thumbnails);
  } else {
    log::warning("pipelines", "no thumbnails job={}: {}", order.job.value(), thumbnails.error().what());
  }
}

}  // namespace rushes::pipelines
