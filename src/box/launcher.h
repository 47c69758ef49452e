#pragma once
#include "async/gate.h"
#include "async/task.h"
#include "base/file.h"
#include "box/box.h"
#include "box/spec.h"

#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace rushes::box {

/// How a zygote is started: a program that calls `run_zygote`.
struct ZygoteOptions {
  std::filesystem::path program;
  std::vector<std::string> arguments;    // without the program's name
  std::vector<std::string> environment;  // NAME=value; nothing else of ours is passed on
  /// For its answer, with all that it loads at its start, and for a box to be ready. Then it is ended: what stands
  /// still would hold up every job, and the end of the server.
  std::chrono::milliseconds patience{30'000};
};

/// What a box is made of.
struct BoxOrder {
  BoxSpec spec;
  /// A folder on disk, empty and the box user's: opened with O_PATH, where that user can reach it by its path; else,
  /// for `BoxSpec::scratch_is_mount`, a detached mount of it (open_tree(2)), which only root can make.
  FileDescriptor scratch;
  std::vector<FileDescriptor> sources;  // opened for reading; the box finds them from `kFirstSourceFd` on
};

/// A box that is being made.
///
/// Threads: on the launcher's executor.
class Launch {
 public:
  explicit Launch(const Executor& executor);

  /// Resumes when the box is there, was refused, or is given up.
  Task<> wait();
  /// The box, or why there is none; nothing if the launch was given up.
  std::optional<Result<std::unique_ptr<Box>>> take() noexcept { return std::move(made_); }
  /// Nobody waits for it any more: the launcher ends the box as soon as it is there.
  void give_up() noexcept;

 private:
  friend class Launcher;
  std::optional<Result<std::unique_ptr<Box>>> made_;
  bool given_up_ = false;
  asio::steady_timer ended_;  // never fires; cancelled at the end
};

/// Keeps one zygote and has it make boxes, one at a time. A zygote that died, or that does not answer within
/// `ZygoteOptions::patience`, is replaced.
///
/// Threads:   on one executor, of one thread that outlives the boxes: their end is tied to it (PR_SET_PDEATHSIG).
/// Lifetime:  `stop` must have resumed before it is destroyed, and every Box must be destroyed before it.
class Launcher {
 public:
  Launcher(Executor executor, ZygoteOptions options);
  ~Launcher();
  Launcher(const Launcher&) = delete;
  Launcher& operator=(const Launcher&) = delete;

  /// Starts the zygote, so that it is warm for the first job. Errors: `unavailable`.
  Result<void> start();

  /// Begins to make a box. Its process waits for its first message then.
  /// Errors, of the Launch: `unavailable`, with the step that failed.
  std::shared_ptr<Launch> launch(BoxOrder order);

  /// Of the zygote; 0 where none runs.
  pid_t zygote() const noexcept { return pid_; }

  /// Ends the zygote, and resumes when no launch is under way. Boxes live on. Nothing can be launched after it.
  Task<> stop();

 private:
  Task<> make(BoxOrder order, std::shared_ptr<Launch> launch, Gate::Pass pass);
  Task<Result<std::unique_ptr<Box>>> make_box(const BoxOrder& order);
  Task<Result<std::unique_ptr<Box>>> ask(const BoxOrder& order);
  void end_zygote() noexcept;

  const Executor executor_;
  const ZygoteOptions options_;
  pid_t pid_ = 0;
  std::optional<asio::posix::stream_descriptor> socket_;
  bool busy_ = false;           // the zygote answers in turn
  asio::steady_timer my_turn_;  // never fires; cancelled when the zygote has answered
  Gate gate_;                   // of launches
};

}  // namespace rushes::box
