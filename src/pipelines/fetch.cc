#include "base/log.h"
#include "base/text.h"
#include "pipelines/checkpoints.h"
#include "pipelines/run.h"
#include "pipelines/steps.h"

namespace rushes::pipelines {
namespace {

/// Told as `Downloading video: 12 MiB of 40 MiB`.
source::OnProgress tell_download(Reporter& reporter, std::string_view what) {
  static constexpr Span kSpan{21, 29};
  return [&reporter, what = std::string(what)](const source::FetchProgress& progress) {
    auto message = "Downloading " + what + ": " + to_human_size(progress.received);
    if (progress.total) message += " of " + to_human_size(*progress.total);
    reporter.detail(kSpan.at(progress.fraction().value_or(0)), message);
  };
}

/// Whether what is said in the video is known without listening: from its captions, or an earlier attempt.
bool read_captions(const Order& order, source::Fetcher& fetcher, const source::VideoRecord& record,
                   Reporter& reporter) {
  Findings findings;
  if (restore_transcript(order, findings)) return true;
  auto captions = fetcher.captions(record, configured(order, "language"));
  if (!captions) {
    // Without captions the speech engine can still do it.
    log::warning("pipelines", "captions not read job={}: {}", order.job.value(), captions.error().what());
    return false;
  }
  if (!*captions || (*captions)->empty()) return false;
  findings.transcript = std::move(**captions);
  keep_transcript(findings, reporter);
  return true;
}

}  // namespace

Result<Fetched> fetch(const Order& order, source::Fetcher& fetcher, Reporter& reporter) {
  reporter.stage(20, "Fetching video data");
  const auto record = fetcher.describe(order.url);
  if (!record) return record.error();
  reporter.title(record->title);

  const bool heard = read_captions(order, fetcher, *record, reporter);
  const auto wanted = heard ? source::MediaWanted::picture : source::MediaWanted::both;
  auto files = fetcher.download(*record, wanted, order.scratch, tell_download(reporter, heard ? "pictures" : "video"));
  if (!files && !heard) return files.error();
  if (!files) log::warning("pipelines", "no pictures job={}: {}", order.job.value(), files.error().what());

  Fetched fetched;
  fetched.record = source::to_json(*record);
  if (files) {
    fetched.audio = files->audio.filename().string();
    fetched.picture = files->picture.filename().string();
  }
  return fetched;
}

}  // namespace rushes::pipelines
