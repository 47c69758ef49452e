#include "app/cli/operator_text.h"

#include "app/cli/when.h"
#include "base/rfc3339.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

namespace rushes::app::cli {
namespace {

constexpr std::size_t kLongestBar = 30;
constexpr std::size_t kNarrowest = 27;
constexpr std::size_t kRuleColumns = 7;  // before a line of a worker's

std::string text_of(const json::object& object, std::string_view key) {
  return printable(string_member(object, key).value_or(""));
}

std::int64_t number_of(const json::object& object, std::string_view key) { return int_member(object, key).value_or(0); }

const json::array& array_of(const json::object& object, std::string_view key) {
  static const json::array kNone;
  const auto* found = object.if_contains(key);
  return found != nullptr && found->is_array() ? found->get_array() : kNone;
}

std::string happened(const json::object& report, std::string_view key, std::string_view words) {
  const auto* found = report.if_contains(key);
  if (found == nullptr || !found->is_object()) return {};
  const auto& counts = found->get_object();
  return fmt::format("{:<12}  {} submitted, {} started, {} completed, {} failed, {} cancelled\n", words,
                     number_of(counts, "submitted"), number_of(counts, "started"), number_of(counts, "completed"),
                     number_of(counts, "failed"), number_of(counts, "cancelled"));
}

/// What users have on the disk.
std::string storage_line(const json::object& report) {
  const auto* found = report.if_contains("storage");
  if (found == nullptr || !found->is_object()) return {};
  const auto& storage = found->get_object();
  const auto size = [&storage](std::string_view key) {
    const auto* bytes = storage.if_contains(key);
    return to_human_size(bytes != nullptr && bytes->is_int64() ? static_cast<std::uint64_t>(bytes->get_int64()) : 0);
  };
  const auto* limit = storage.if_contains("limitPerUser");
  const bool limited = limit != nullptr && limit->is_int64();
  return fmt::format("{:<12}  {} of uploads, {} of results, {} reserved; {}\n", "Storage", size("uploads"),
                     size("results"), size("reserved"),
                     limited ? "at most " + size("limitPerUser") + " a user" : "no limit a user");
}

std::string type_line(std::string_view name, const json::object& type, const Terminal& terminal) {
  auto line =
      fmt::format("{:<12}  {:>9}  {:>9}", printable(name), number_of(type, "waiting"), number_of(type, "running"));
  const auto* paused = type.if_contains("paused");
  if (paused != nullptr && paused->is_bool() && paused->get_bool()) line += paint(terminal, Style::yellow, "  paused");
  if (const auto most = int_member(type, "maxRunning")) line += fmt::format("  at most {}", *most);
  return line + "\n";
}

double seconds_of(const json::object& stage) {
  const auto* seconds = stage.if_contains("seconds");
  return seconds != nullptr && seconds->is_number() ? seconds->to_number<double>() : 0;
}

std::string stages_text(const json::array& stages, const Terminal& terminal) {
  double longest = 0;
  for (const auto& stage : stages) longest = std::max(longest, seconds_of(stage.as_object()));
  std::string text;
  std::int64_t attempt = 0;
  for (const auto& value : stages) {
    const auto& stage = value.as_object();
    const auto number = number_of(stage, "attempt");
    if (number != attempt && number > 0) text += paint(terminal, Style::faint, fmt::format("attempt {}\n", number));
    attempt = number;
    const auto seconds = seconds_of(stage);
    const auto share = longest > 0 ? seconds / longest : 0;
    const auto length = static_cast<std::size_t>(std::lround(share * static_cast<double>(kLongestBar)));
    std::string bar;
    for (std::size_t i = 0; i < length; ++i) bar += terminal.utf8 ? "▇" : "#";
    text += fmt::format("  {}  {:>9.1f} s  {}\n", pad(text_of(stage, "stage"), 24), seconds,
                        paint(terminal, Style::cyan, bar));
  }
  return text;
}

/// What a worker wrote, behind a rule: whole, and where it is read on a terminal in lines of its width.
std::string log_text(std::string_view log, const Terminal& terminal, std::size_t columns) {
  const auto room = std::max(columns, kNarrowest) - kRuleColumns;
  std::string text;
  while (!log.empty()) {
    auto line = printable(log.substr(0, log.find('\n')));
    log.remove_prefix(std::min(log.size(), std::min(log.find('\n'), log.size()) + 1));
    std::vector<std::string> shown;
    if (terminal.live && display_width(line) > room) {
      shown = wrap(line, room);
    } else {
      shown.push_back(std::move(line));
    }
    for (const auto& one : shown) text += paint(terminal, Style::faint, "     │ " + one) + "\n";
  }
  return text;
}

std::string attempt_text(const json::object& attempt, const Terminal& terminal, std::size_t columns) {
  const auto started = text_of(attempt, "startedAt");
  const auto ended = text_of(attempt, "endedAt");
  auto line = fmt::format("{:>3}  {}  {:<11}  {:>7}", number_of(attempt, "number"), started,
                          text_of(attempt, "outcome"), ended.empty() ? "" : elapsed(started, ended));
  const auto* error = attempt.if_contains("error");
  if (error == nullptr || !error->is_object()) return line + "\n";
  const auto& reason = error->get_object();
  line += "  " + paint(terminal, Style::red, text_of(reason, "code")) + ": " + text_of(reason, "message") + "\n";
  return line + log_text(string_member(reason, "log").value_or(""), terminal, columns);
}

/// Each restart begins a series, whose number is told where there are several.
std::string attempts_text(const json::array& attempts, const Terminal& terminal, std::size_t columns) {
  const auto series_of = [](const json::value& attempt) { return number_of(attempt.as_object(), "series"); };
  const bool several = series_of(attempts.front()) != series_of(attempts.back());
  std::string text;
  std::optional<std::int64_t> series;
  for (const auto& attempt : attempts) {
    if (several && series != series_of(attempt)) {
      series = series_of(attempt);
      text += paint(terminal, Style::faint, fmt::format("series {}\n", *series));
    }
    text += attempt_text(attempt.as_object(), terminal, columns);
  }
  return text;
}

}  // namespace

std::string queue_text(const json::object& report, const Terminal& terminal, Timestamp now) {
  auto text = paint(terminal, Style::faint, fmt::format("{:<12}  {:>9}  {:>9}", "TYPE", "WAITING", "RUNNING")) + "\n";
  if (const auto* types = report.if_contains("types"); types != nullptr && types->is_object()) {
    for (const auto& [name, type] : types->get_object()) text += type_line(name, type.as_object(), terminal);
  }
  text +=
      paint(terminal, Style::bold,
            fmt::format("{:<12}  {:>9}  {:>9}", "all", number_of(report, "waiting"), number_of(report, "running"))) +
      "\n\n";
  text += fmt::format("{:<12}  {}\n", "Scheduled", number_of(report, "scheduled"));
  const auto dead = number_of(report, "dead");
  text += fmt::format("{:<12}  {}{}\n", "Failed", dead, dead > 0 ? "  (rushes queue dead)" : "");
  const auto oldest = parse_rfc3339(string_member(report, "oldestWaiting").value_or(""));
  text += fmt::format("{:<12}  {}\n", "Oldest waits", oldest ? "since " + ago(*oldest, now) : "-");
  text += storage_line(report);
  text += happened(report, "lastMinute", "Last minute") + happened(report, "lastHour", "Last hour");
  const auto& busiest = array_of(report, "busiest");
  if (busiest.empty()) return text;
  text += "\n" + paint(terminal, Style::faint, fmt::format("{}  {:>9}  {:>9}", pad("USER", 36), "WAITING", "RUNNING")) +
          "\n";
  for (const auto& value : busiest) {
    const auto& user = value.as_object();
    text += fmt::format("{}  {:>9}  {:>9}\n", pad(text_of(user, "userId"), 36), number_of(user, "waiting"),
                        number_of(user, "running"));
  }
  const auto users = number_of(report, "users");
  const auto shown = static_cast<std::int64_t>(busiest.size());
  if (users > shown) text += paint(terminal, Style::faint, fmt::format("and {} more\n", users - shown));
  return text;
}

std::string job_text(const json::object& report, const Terminal& terminal, std::size_t columns) {
  std::string text;
  const auto field = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) text += paint(terminal, Style::faint, pad(name, 10)) + value + "\n";
  };
  field("Job", text_of(report, "jobId"));
  field("User", text_of(report, "userId"));
  field("Type", text_of(report, "type"));
  field("Status", text_of(report, "status"));
  field("Why", text_of(report, "reason"));
  field("Created", text_of(report, "createdAt"));
  field("Started", text_of(report, "processedAt"));
  field("Ended", text_of(report, "finishedAt"));
  if (const auto& attempts = array_of(report, "attempts"); !attempts.empty()) {
    text += "\nAttempts\n" + attempts_text(attempts, terminal, columns);
  }
  if (const auto& stages = array_of(report, "stages"); !stages.empty()) {
    text += "\nWhere its time went\n" + stages_text(stages, terminal);
  }
  return text;
}

std::string dead_text(const json::array& jobs, const Terminal& terminal, Timestamp now) {
  if (jobs.empty()) return "No failed jobs.\n";
  auto text = paint(terminal, Style::faint,
                    fmt::format("{}  {}  {}  {}", pad("ID", 36), pad("USER", 20), pad("FAILED", 12), "REASON")) +
              "\n";
  for (const auto& value : jobs) {
    const auto& job = value.as_object();
    const auto ended = parse_rfc3339(string_member(job, "finishedAt").value_or(""));
    const auto* metadata = job.if_contains("metadata");
    const auto code = metadata != nullptr && metadata->is_object() ? text_of(metadata->get_object(), "errorCode") : "";
    text +=
        fmt::format("{}  {}  {}  {}: {}\n", pad(text_of(job, "jobId"), 36), pad(text_of(job, "userId"), 20),
                    pad(ended ? ago(*ended, now) : "", 12), paint(terminal, Style::red, code), text_of(job, "error"));
  }
  return text;
}

}  // namespace rushes::app::cli
