#include "base/log.h"
#include "base/text.h"
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

/// Told as `Downloading video: 12 MiB of 40 MiB`.
source::OnProgress tell_download(Reporter& reporter, Span span, std::string_view what) {
  return [&reporter, span, what = std::string(what)](const source::FetchProgress& progress) {
    auto message = "Downloading " + what + ": " + to_human_size(progress.received);
    if (progress.total) message += " of " + to_human_size(*progress.total);
    reporter.detail(span.at(progress.fraction().value_or(0)), message);
  };
}

/// What is said in the video: its captions, or what the speech engine makes of its sound. Gives what was downloaded for
/// it.
Result<source::MediaFiles> hear(const Order& order, Engines& engines, source::Fetcher& fetcher,
                                const source::VideoRecord& record, Reporter& reporter, Findings& findings) {
  auto captions = fetcher.captions(record, configured(order, "language"));
  if (!captions) {
    // Without captions the speech engine can still do it.
    log::warning("pipelines", "captions not read job={}: {}", order.job.value(), captions.error().what());
  }
  if (captions && *captions && !(*captions)->empty()) {
    findings.transcript = std::move(**captions);
    keep_transcript(findings, reporter);
    return source::MediaFiles();
  }
  auto files =
      fetcher.download(record, source::MediaWanted::both, order.scratch, tell_download(reporter, {21, 29}, "video"));
  if (!files || files->audio.empty()) return files;
  const auto probe = media::probe(files->audio);
  if (!probe) return probe.error();
  if (findings.video.duration <= 0) findings.video.duration = probe->duration;
  if (probe->has_audio) {
    auto heard = transcribe(order, files->audio, engines, reporter, {30, 39}, findings);
    if (!heard) return heard.error();
  }
  return files;
}

}  // namespace

Result<Product> run_youtube(const Order& order, Engines& engines, Reporter& reporter) {
  reporter.stage(20, "Fetching video data");
  auto fetcher = engines.fetcher(order.scratch);
  if (!fetcher) return fetcher.error();
  const auto record = (*fetcher)->describe(order.url);
  if (!record) return record.error();
  reporter.title(record->title);

  Findings findings;
  findings.video = facts_of(*record);
  for (const auto& chapter : record->chapters) findings.chapters.push_back({chapter.start, chapter.title});
  source::MediaFiles files;
  if (!restore_transcript(order, findings)) {
    auto heard = hear(order, engines, **fetcher, *record, reporter, findings);
    if (!heard) return heard.error();
    files = std::move(*heard);
  }

  reporter.stage(40, "Generating AI analysis");
  if (auto analysed = analyse(order, engines, reporter, {40, 79}, findings); !analysed) return analysed.error();

  reporter.stage(80, "Generating thumbnails");
  if (files.picture.empty() && files.audio.empty()) {
    auto downloaded = (*fetcher)->download(*record, source::MediaWanted::picture, order.scratch,
                                           tell_download(reporter, {80, 87}, "pictures"));
    if (downloaded) {
      files = std::move(*downloaded);
    } else {
      log::warning("pipelines", "no pictures job={}: {}", order.job.value(), downloaded.error().what());
    }
  }
  if (!files.picture.empty()) make_thumbnails(order, files.picture, findings);

  reporter.stage(90, "Saving results");
  return save_findings(order, findings);
}

}  // namespace rushes::pipelines
