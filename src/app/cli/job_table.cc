#include "app/cli/job_table.h"

#include "app/cli/when.h"
#include "base/rfc3339.h"

#include <algorithm>

namespace rushes::app::cli {
namespace {

constexpr std::size_t kShortId = 8;
constexpr std::size_t kWholeId = 36;
constexpr std::size_t kRoomForWholeIds = 120;

Style style_of(const JobView& job) {
  if (job.status == "completed") return Style::green;
  if (job.status == "failed") return Style::red;
  if (job.status == "cancelled") return Style::yellow;
  if (job.status == "processing") return Style::cyan;
  return Style::plain;
}

/// What it is called, and while that tells something, what is being done or why it failed.
std::string last_column(const JobView& job) {
  auto words = name_of(job);
  if (!job.title.empty() || !job.url.empty()) {
    if (job.status != "completed" && job.status != "cancelled") words += ": " + words_of(job);
  }
  return words;
}

}  // namespace

std::string job_table(const std::vector<JobView>& jobs, const Terminal& terminal, std::size_t columns, Timestamp now) {
  const bool whole_ids = !terminal.live || columns >= kRoomForWholeIds;
  const auto id_width = whole_ids ? kWholeId : kShortId;
  const auto row = [&](const std::string& id, const std::string& status, const std::string& percent,
                       const std::string& type, const std::string& age, const std::string& name) {
    auto line = pad(id, id_width) + "  " + status + "  " + percent + "  " + pad(type, 10) + "  " + pad(age, 10) + "  ";
    const auto used = id_width + 2 + 10 + 2 + 4 + 2 + 10 + 2 + 10 + 2;
    line += terminal.live ? fit(name, columns > used ? columns - used : 8) : name;
    return line + "\n";
  };
  auto table = paint(terminal, Style::faint,
                     row(whole_ids ? "ID" : "ID ENDS", pad("STATUS", 10), "   %", "TYPE", "CREATED", "NAME"));
  for (const auto& job : jobs) {
    const auto id = printable(job.id);
    const auto created = parse_rfc3339(job.created_at);
    auto percent = std::to_string(job.progress);
    percent.insert(0, 3 - std::min<std::size_t>(3, percent.size()), ' ');
    table += row(whole_ids || id.size() <= kShortId ? id : id.substr(id.size() - kShortId),
                 paint(terminal, style_of(job), pad(printable(job.status), 10)), percent + "%", printable(job.type),
                 created ? ago(*created, now) : "", last_column(job));
  }
  return table;
}

}  // namespace rushes::app::cli
