#include "gateways/job_notices.h"

#include "base/json.h"

#include <boost/asio/post.hpp>

namespace rushes::gateways {
namespace {

using notifications::NewNotification;
using notifications::Severity;

constexpr int kEventsAtOnce = 200;

bool tells(const jobs::Event& event) {
  if (event.type == jobs::EventType::queued) return jobs::says(event, R"("restarted":true)");
  return event.type != jobs::EventType::progress;
}

std::string quoted_title(const json::object& metadata) {
  const auto title = string_member(metadata, "videoTitle").value_or("");
  return title.empty() ? "Your video" : "\"" + title + "\"";
}

}  // namespace

std::optional<NewNotification> notice_of(const jobs::Event& event) {
  if (!tells(event)) return std::nullopt;
  const auto payload = parse_json(event.payload);
  if (!payload || !payload->is_object()) return std::nullopt;
  const auto& update = payload->get_object();
  const auto* found = update.if_contains("metadata");
  const auto metadata = found != nullptr && found->is_object() ? found->get_object() : json::object();
  const auto title = quoted_title(metadata);

  NewNotification notice;
  notice.user = event.user;
  notice.type = notifications::Type::processing;
  notice.metadata = {{"jobId", event.job.value()}};
  switch (event.type) {
    case jobs::EventType::queued:
      if (!metadata.contains("restarted") || metadata.contains("positionChanged")) return std::nullopt;
      notice.title = "Job restarted";
      notice.message = title + " is in the queue again.";
      break;
    case jobs::EventType::started:
      if (int_member(metadata, "attempt").value_or(1) > 1) return std::nullopt;  // told at the first attempt
      notice.title = "Processing started";
      notice.message = title + " is being analysed.";
      break;
    case jobs::EventType::completed:
      notice.title = "Analysis complete";
      notice.message = title + " is analysed.";
      notice.severity = Severity::success;
      notice.action_button_text = "View Results";
      if (const auto audit = string_member(metadata, "auditId")) {
        notice.action_url = "/#/analysis/" + *audit;
        notice.metadata["auditId"] = *audit;
      }
      break;
    case jobs::EventType::failed:
      notice.title = "Processing failed";
      notice.message = title + " could not be analysed: " + string_member(update, "error").value_or("unknown reason");
      notice.severity = Severity::error;
      if (const auto code = string_member(metadata, "errorCode")) notice.metadata["errorCode"] = *code;
      break;
    case jobs::EventType::cancelled:
      notice.title = "Job cancelled";
      notice.message = title + " was cancelled.";
      notice.severity = Severity::warning;
      break;
    case jobs::EventType::progress:
      return std::nullopt;
  }
  return notice;
}

JobNotices::JobNotices(Executor executor, jobs::EventLog& log, notifications::Service& service)
    : executor_(executor), log_(log), service_(service), gate_(executor) {}

Task<> JobNotices::start() {
  const auto filed = co_await service_.store().consumed();
  if (filed) filed_ = *filed;
  running_ = true;
  if (auto pass = gate_.try_enter()) co_await file_all(std::move(*pass));
}

void JobNotices::publish(std::span<const jobs::Event> events) {
  if (!silent_.publish(events, tells)) return;
  asio::post(executor_, [this] {
    more_ = true;
    if (running_) return;
    running_ = true;
    if (auto pass = gate_.try_enter()) spawn_detached(executor_, "notices", file_all(std::move(*pass)));
  });
}

Task<> JobNotices::file_all(Gate::Pass pass) {
  const auto held = std::move(pass);
  do {
    more_ = false;
    for (;;) {
      filed_ = silent_.skip(filed_);
      const auto events = co_await log_.after(filed_, kEventsAtOnce);
      if (!events) {
        log::warning("notices", "cannot read the event log: {}", events.error().what());
        break;
      }
      if (events->empty()) break;
      for (const auto& event : *events) {
        auto notice = notice_of(event);
        if (notice) {
          const auto filed = co_await service_.consume(event.id, std::move(notice));
          if (!filed) {
            // Not lost: the next event, or the next start, comes back to it.
            log::warning("notices", "cannot file event={}: {}", event.id, filed.error().what());
            running_ = false;
            co_return;
          }
        }
        filed_ = event.id;
      }
      if (gate_.closed()) break;
    }
  } while (more_ && !gate_.closed());
  running_ = false;
}

Task<> JobNotices::stop() { co_await gate_.close(); }

}  // namespace rushes::gateways
