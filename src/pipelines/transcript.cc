#include "base/text.h"
#include "captions/captions.h"
#include "pipelines/run.h"
#include "pipelines/steps.h"

namespace rushes::pipelines {

Result<Product> run_transcript(const Order& order, Engines& engines, Reporter& reporter) {
  auto transcript = captions::parse_any(order.body);
  if (!transcript) return transcript.error();

  Findings findings;
  findings.transcript = std::move(*transcript);
  if (auto language = configured(order, "language"); findings.transcript.language.empty()) {
    findings.transcript.language = std::move(language);
  }
  findings.video.id = order.job.value();
  findings.video.title = order.title;
  findings.video.published_at = to_rfc3339(order.created_at);
  if (!findings.transcript.empty()) findings.video.duration = findings.transcript.segments.back().end;

  reporter.stage(40, "Summarizing transcript");
  auto summary = engines.analyst().summarise(material_of(order, findings));
  if (!summary) return summary.error();
  findings.summary = std::move(*summary);

  reporter.stage(70, "Generating AI analysis");
  if (auto analysed = analyse(order, engines, reporter, {70, 89}, findings); !analysed) return analysed.error();
  if (findings.video.title.empty() && !findings.analysis.title_rewrite.titles.empty()) {
    findings.video.title = findings.analysis.title_rewrite.titles.front();
  }

  reporter.stage(90, "Saving results");
  return save_findings(order, findings);
}

}  // namespace rushes::pipelines
