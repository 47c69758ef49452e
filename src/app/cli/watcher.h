#pragma once
#include "app/cli/board.h"
#include "app/cli/connection.h"
#include "app/cli/job_view.h"
#include "app/cli/live.h"
#include "app/cli/terminal.h"

#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rushes::app::cli {

/// Shows how jobs go on until they have ended: bars on a live terminal, else a line for each step, or with
/// `json` the `queue-update` payloads, one a line.
///
/// What it shows comes over the socket; the REST interface fills in what went by before it listened or while the
/// connection was away, and stands in where there is no socket (https, or sockets switched off).
///
/// Threads: single-owner.
class Watcher {
 public:
  struct Options {
    bool json = false;
    bool everything = false;  // all the user's jobs, also those to come
    bool until_done = false;  // with `everything`: end when none is left unfinished
  };

  /// Connects. `link` outlives it.
  Watcher(Link& link, Options options);

  /// Takes in what has arrived, without showing it and without waiting. Called now and then
  /// during other work, it keeps the connection alive.
  void pump();

  /// Waits a moment for the socket, so that no event of a job submitted next goes by.
  void get_ready();

  /// Watches `job`, which has just been submitted (`fresh`) or is to be asked for.
  void add(JobView job, bool fresh);

  /// Until the jobs have ended. Whether all of them ended well.
  /// Errors: those of the socket's refusal; `not_found` for a job that is gone; `unavailable` when
  /// there was no contact for two minutes.
  Result<bool> run();

 private:
  using SteadyTime = std::chrono::steady_clock::time_point;
  struct Watched {
    JobView job;
    std::string shown_stage;  // what the plain lines have said
    std::string shown_status;
    int shown_progress = -100;
    bool told_end = false;
  };

  void take(LiveMessage message);
  void take_update(const json::object& update);
  Result<void> refresh();
  Result<void> refresh_one(Watched& watched);
  Result<void> find_unfinished();
  void show_change(Watched& watched);
  void say(const std::string& line);  // besides the jobs: a lost connection
  void draw();
  bool finished() const;
  std::chrono::milliseconds patience() const;

  Link& link_;
  const Options options_;
  const Terminal terminal_;
  std::unique_ptr<LiveClient> live_;  // none: REST stands in
  std::unique_ptr<Board> board_;
  std::vector<std::string> order_;
  std::map<std::string, Watched> jobs_;
  std::deque<json::object> unclaimed_;  // updates of jobs that we do not watch (yet)
  std::optional<Error> refused_;
  bool joined_ = false;
  bool stale_ = true;  // something may have gone by: ask by REST
  bool lost_ = false;
  SteadyTime asked_{};
  SteadyTime contact_ = std::chrono::steady_clock::now();
  std::size_t frame_ = 0;
};

}  // namespace rushes::app::cli
