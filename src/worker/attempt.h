#pragma once
#include "async/blocking_pool.h"
#include "box/cgroup.h"
#include "box/door.h"
#include "box/launcher.h"
#include "queue/attempt_runner.h"
#include "queue/data_folder.h"
#include "worker/options.h"
#include "worker/protocol.h"

#include <boost/asio/steady_timer.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace rushes::worker {

/// What attempts share. All of it outlives them.
struct AttemptContext {
  const PoolOptions& options;
  box::Launcher& launcher;
  const std::optional<box::Cgroup>& cgroup;
  const queue::DataFolder& folder;
  BlockingPool& blocking;
  Rng& rng;
};

/// One attempt at a job, from its first box to its files in place. A URL's job has two boxes: one fetches, the next
/// works on what was fetched. Nothing of a box is left when the next begins, or the attempt ends.
///
/// Threads:  on one executor.
/// Lifetime: `run` must have resumed before it is destroyed.
class Attempt {
 public:
  /// Between two looks at a box that works.
  static constexpr std::chrono::milliseconds kBetweenLooks{250};

  Attempt(const Executor& executor, AttemptContext context, pipelines::Order order, queue::ProgressSink& progress);

  /// Once. `scratch`: a new folder of this attempt's, which the caller removes. `upload`: the job's uploaded file, if
  /// it has one.
  Task<queue::AttemptEnd> run(std::filesystem::path scratch, std::filesystem::path upload);

  /// Ends it by force; `run` then gives no result.
  void stop() noexcept;

 private:
  /// Why we ended the box, where we did.
  enum class Cause : std::uint8_t { none, stopped, timed_out, silent, out_of_memory, out_of_space, disk_full };
  /// How a box ended: its last message, or without one the attempt's end.
  struct BoxEnd {
    std::optional<FromWorker> message;
    queue::AttemptEnd end;
  };

  Task<queue::AttemptEnd> fetch_and_analyse();
  Task<queue::AttemptEnd> analyse(std::vector<FileDescriptor> sources);
  Task<BoxEnd> work_in_box(box::BoxOrder order);
  Result<void> open_door(const box::BoxSpec& spec, FileDescriptor outside);
  Task<BoxEnd> converse();
  Task<bool> pass_on(FromWorker& message);
  Task<> throttle();
  Task<BoxEnd> reap();
  Task<queue::AttemptEnd> take_over(Finished finished);

  Task<> watch();
  Task<Cause> check_limits();
  void end_box(Cause cause) noexcept;

  Result<FileDescriptor> make_scratch(const char* name) const;
  bool mounts_scratch() const noexcept;
  box::BoxSpec spec_for(box::Profile profile) const;
  jobs::Failure failure_of(Cause cause) const;

  const Executor executor_;
  const AttemptContext context_;
  pipelines::Order order_;
  queue::ProgressSink& progress_;
  std::filesystem::path scratch_;

  std::shared_ptr<box::Launch> launch_;  // while the box is made
  std::unique_ptr<box::Box> box_;
  std::optional<box::Cgroup::Group> group_;
  std::unique_ptr<box::Door> door_;
  box::Limits limits_;               // of the box
  std::uint64_t scratch_limit_ = 0;  // bytes of its folder
  bool at_work_ = false;             // it has its order, and not ended
  Cause cause_ = Cause::none;
  bool forwarding_ = false;      // the store is being told what it said
  int silent_looks_ = 0;         // looks since its last message
  int messages_since_look_ = 0;  // messages since the last look
  int checkpoints_ = 0;          // that it made
  std::chrono::steady_clock::time_point begun_;
  bool over_ = false;
  bool usage_unreadable_ = false;  // it was said that /proc hides the box
  bool watching_ = false;
  asio::steady_timer next_look_;
  asio::steady_timer watch_ended_;  // never fires; cancelled when the watch has ended
};

}  // namespace rushes::worker
