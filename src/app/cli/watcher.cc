#include "app/cli/watcher.h"

#include "app/cli/job_lookup.h"
#include "app/cli/progress_bar.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>

namespace rushes::app::cli {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr seconds kAskWithoutSocket{1};
constexpr seconds kAskWithSocket{30};  // a safety net: events are what tells
constexpr seconds kGiveUp{120};
constexpr std::size_t kMostUnclaimed = 10'000;

std::string clock_now() { return to_rfc3339(SystemClock().now()); }

}  // namespace

Watcher::Watcher(Link& link, Options options) : link_(link), options_(options), terminal_(Terminal::of(stdout)) {
  if (link_.server.scheme() == "http") live_ = std::make_unique<LiveClient>(link_.server, link_.token);
}

void Watcher::pump() {
  if (!live_) return;
  while (auto message = live_->next(milliseconds(0))) take(std::move(*message));
}

void Watcher::get_ready() {
  const auto until = steady_clock::now() + seconds(3);
  while (live_ && !joined_ && !refused_ && steady_clock::now() < until) {
    if (auto message = live_->next(milliseconds(100))) take(std::move(*message));
  }
  stale_ = false;
}

void Watcher::add(JobView job, bool fresh) {
  const auto id = job.id;
  if (!jobs_.contains(id)) order_.push_back(id);
  jobs_[id].job = std::move(job);
  if (!fresh || !joined_) stale_ = true;
  std::deque<json::object> early;
  early.swap(unclaimed_);
  for (auto& update : early) take_update(update);
}

void Watcher::take(LiveMessage message) {
  using Kind = LiveMessage::Kind;
  switch (message.kind) {
    case Kind::joined:
      if (!message.recovered) stale_ = true;
      joined_ = true;
      if (lost_) say("Connected again.");
      lost_ = false;
      contact_ = steady_clock::now();
      break;
    case Kind::update:
      contact_ = steady_clock::now();
      take_update(message.update);
      break;
    case Kind::lost:
      joined_ = false;
      if (!lost_) say("Connection lost (" + message.why + "); trying again.");
      lost_ = true;
      break;
    case Kind::refused:
      joined_ = false;
      if (message.error.public_name() == "SOCKETS_UNAVAILABLE") {
        live_ = nullptr;
      } else {
        refused_ = message.error;
      }
      break;
  }
}

void Watcher::take_update(const json::object& update) {
  const auto id = string_member(update, "jobId").value_or("");
  auto found = jobs_.find(id);
  if (found == jobs_.end()) {
    if (!options_.everything) {
      if (unclaimed_.size() < kMostUnclaimed) unclaimed_.push_back(update);
      return;
    }
    order_.push_back(id);
    found = jobs_.try_emplace(id).first;
    found->second.job.id = id;
  }
  auto& watched = found->second;
  apply_update(watched.job, update);
  if (!watched.job.ended()) watched.told_end = false;
  if (options_.json) {
    print_json(update);
    watched.shown_status = watched.job.status;
    watched.shown_progress = watched.job.progress;
    watched.shown_stage = watched.job.stage;
    watched.told_end = watched.job.ended();
  } else {
    show_change(watched);
  }
}

Result<bool> Watcher::run() {
  if (!options_.json && terminal_.live) board_ = std::make_unique<Board>(stdout);
  asked_ = steady_clock::now();
  for (;;) {
    if (refused_) return *refused_;
    const auto now = steady_clock::now();
    if (stale_ || now - asked_ > (live_ ? kAskWithSocket : kAskWithoutSocket)) {
      asked_ = now;
      stale_ = false;
      if (auto refreshed = refresh(); refreshed) {
        contact_ = now;
      } else if (!refreshed.error().retryable()) {
        return refreshed.error();
      } else {
        if (!lost_ && !live_) say(refreshed.error().what());
        lost_ = !live_ || lost_;
      }
    }
    if (lost_ && now - contact_ > kGiveUp) {
      return Error::for_user(Errc::unavailable, "SERVER_UNREACHABLE",
                             "No contact with the server for two minutes; the jobs go on without us.");
    }
    if (board_) draw();
    if (finished()) break;
    if (!live_) {
      // Nothing arrives by itself: a short sleep, for the board's sake.
      timespec pause{0, 100'000'000};
      ::nanosleep(&pause, nullptr);
    } else if (auto message = live_->next(patience())) {
      take(std::move(*message));
      pump();
    }
    ++frame_;
  }
  board_ = nullptr;
  return std::none_of(jobs_.begin(), jobs_.end(), [](const auto& entry) { return entry.second.job.ended_badly(); });
}

milliseconds Watcher::patience() const { return board_ ? milliseconds(100) : milliseconds(1000); }

bool Watcher::finished() const {
  if (options_.everything && !options_.until_done) return false;
  return std::all_of(jobs_.begin(), jobs_.end(),
                     [](const auto& entry) { return entry.second.job.ended() && entry.second.told_end; });
}

Result<void> Watcher::refresh() {
  if (options_.everything) {
    if (auto found = find_unfinished(); !found) return found;
  }
  for (auto& [id, watched] : jobs_) {
    if (watched.job.ended() && watched.told_end) continue;
    if (auto refreshed = refresh_one(watched); !refreshed) return refreshed;
  }
  return {};
}

Result<void> Watcher::refresh_one(Watched& watched) {
  const auto status = job_status(*link_.http, watched.job.id);
  if (!status) return status.error();
  auto fresh = view_of_status(*status, watched.job.id);
  // What the events told and the document does not.
  if (fresh.title.empty()) fresh.title = watched.job.title;
  if (fresh.url.empty()) fresh.url = watched.job.url;
  if (fresh.message.empty() && fresh.status == watched.job.status) fresh.message = watched.job.message;
  watched.job = std::move(fresh);
  show_change(watched);
  return {};
}

Result<void> Watcher::find_unfinished() {
  for (const auto* status : {"processing", "pending"}) {
    auto listed = each_job(*link_.http, status, {}, [&](const json::object& item) {
      auto job = job_from_rest(item);
      if (!job.id.empty() && !jobs_.contains(job.id)) {
        order_.push_back(job.id);
        jobs_[job.id].job = std::move(job);
      }
      return true;
    });
    if (!listed) return listed;
  }
  return {};
}

void Watcher::show_change(Watched& watched) {
  const auto& job = watched.job;
  const bool status_changed = watched.shown_status != job.status;
  const bool stage_changed = watched.shown_stage != job.stage;
  const bool moved = std::abs(job.progress - watched.shown_progress) >= (options_.json ? 1 : 10);
  if (!status_changed && !stage_changed && !moved) return;
  if (board_ == nullptr && !options_.json && terminal_.live) return;  // run() will draw it
  watched.shown_status = job.status;
  watched.shown_stage = job.stage;
  watched.shown_progress = job.progress;
  if (options_.json) {
    print_json(as_update(job));
  } else if (board_) {
    if (!job.ended() || watched.told_end) return;
    const auto columns = size_of(stdout).columns;
    auto line = line_of(job, {});
    const auto reason = line.text;
    const bool long_reason = job.status == "failed" && display_width(reason) > columns / 3;
    if (long_reason) line.text = printable(job.message.empty() ? "failed" : job.message);
    board_->print_above(render_line(line, terminal_, columns, 0));
    if (long_reason) {
      for (const auto& part : wrap(reason, std::max<std::size_t>(columns, 12) - 2)) {
        board_->print_above("  " + paint(terminal_, Style::red, part));
      }
    }
  } else {
    const auto now = std::time(nullptr);
    fmt::print("{:%H:%M:%S}  {}  {:>3}%  {}\n", fmt::localtime(now), fit(name_of(job), 40), job.progress,
               words_of(job));
    std::fflush(stdout);
  }
  watched.told_end = job.ended();
}

void Watcher::say(const std::string& line) {
  if (board_) {
    board_->print_above(paint(terminal_, Style::yellow, fit(printable(line), size_of(stdout).columns)));
  } else {
    fmt::print(stderr, "rushes: {}\n", printable(line));
  }
}

void Watcher::draw() {
  // A job that ended before the board was there still gets its line.
  for (auto& [id, watched] : jobs_) {
    if (watched.job.ended() && !watched.told_end) show_change(watched);
  }
  const auto size = size_of(stdout);
  const auto now = clock_now();
  const auto room = size.rows > 3 ? size.rows - 2 : 1;
  std::vector<std::string> lines;
  std::size_t hidden = 0;
  for (const bool running : {true, false}) {
    for (const auto& id : order_) {
      const auto& job = jobs_.at(id).job;
      if (job.ended() || (job.status == "processing") != running) continue;
      if (lines.size() < room) {
        lines.push_back(render_line(line_of(job, now), terminal_, size.columns, frame_));
      } else {
        ++hidden;
      }
    }
  }
  if (hidden > 0) lines.push_back(fit("  … and " + std::to_string(hidden) + " more", size.columns));
  if (lines.empty() && options_.everything && !finished()) {
    lines.push_back(
        paint(terminal_, Style::faint, fit("No job is running. Waiting for one; Ctrl-C ends.", size.columns)));
  }
  board_->show(lines);
}

}  // namespace rushes::app::cli
