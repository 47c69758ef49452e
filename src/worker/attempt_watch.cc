#include "base/text.h"
#include "box/usage.h"
#include "worker/attempt.h"

#include <boost/asio/redirect_error.hpp>

#include <fcntl.h>

#include <algorithm>

// Whether an attempt keeps to its bounds, and what ends it where it does not.

namespace rushes::worker {
namespace {

constexpr std::uint64_t kFetchEntries = 2'000;  // of a scratch folder on disk
constexpr int kLeastLooks = 5;  // before a silent box is taken for lost: a machine that stood still for a while is one

constexpr std::uint64_t kReserve = std::uint64_t{64} << 20U;  // bytes of the disk that a box must leave

/// What a box takes up.
struct Usage {
  box::ProcessUsage processes;
  box::FolderUsage space;
  bool has_room = true;
};

}  // namespace

void Attempt::stop() noexcept { end_box(Cause::stopped); }

void Attempt::end_box(Cause cause) noexcept {
  if (cause_ == Cause::none || cause == Cause::stopped) cause_ = cause;
  if (launch_) launch_->give_up();
  if (box_) box_->kill();
}

/// Looks again and again whether the box keeps to its bounds.
Task<> Attempt::watch() {
  const auto pause = std::min<std::chrono::milliseconds>(kBetweenLooks, context_.options.silence / kLeastLooks);
  boost::system::error_code woken;
  while (!over_) {
    next_look_.expires_after(pause);
    co_await next_look_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
    if (over_) break;
    messages_since_look_ = 0;
    const auto silence = std::max<std::int64_t>(kLeastLooks, context_.options.silence / pause);
    auto cause = Cause::none;
    if (at_work_ && !forwarding_ && ++silent_looks_ > silence) cause = Cause::silent;
    if (std::chrono::steady_clock::now() - begun_ > context_.options.longest_attempt) cause = Cause::timed_out;
    if (cause == Cause::none && at_work_) cause = co_await check_limits();
    if (cause != Cause::none && cause_ == Cause::none && !over_) end_box(cause);
  }
  watching_ = false;
  watch_ended_.cancel();
}

/// The limits that no wall of the kernel's holds for a box as a whole.
Task<Attempt::Cause> Attempt::check_limits() {
  const auto pid = box_->pid();
  const auto scratch_limit = scratch_limit_;  // that of the next box may hold once this one is measured
  const bool on_disk = limits_.scratch_bytes == 0 || !context_.options.walls.mount;
  FileDescriptor folder(on_disk ? ::fcntl(box_->scratch(), F_DUPFD_CLOEXEC, 0) : -1);
  auto measure = [this, pid, folder = std::move(folder)] {
    Usage usage{box::usage_of(pid), {}, true};
    if (folder) usage.space = box::usage_of_folder(folder.get(), kFetchEntries);
    // What a box deletes and keeps open is in no sum; the disk knows of it.
    if (folder) usage.has_room = static_cast<bool>(context_.folder.has_room(kReserve));
    return usage;
  };
  const auto usage = co_await context_.blocking.run(std::move(measure));
  if (!at_work_ || box_->pid() != pid) co_return Cause::none;  // it ended meanwhile, and its number may be another's
  if (usage.processes.processes == 0 && !usage_unreadable_ && !box_->has_exited()) {
    usage_unreadable_ = true;
    log::warning("worker", "the memory of jobs cannot be watched: /proc does not show their processes (hidepid?)");
  }
  const auto zygote = box::usage_of(context_.launcher.zygote()).resident_bytes;
  if (usage.processes.resident_bytes > context_.options.max_memory_bytes + zygote) co_return Cause::out_of_memory;
  if (usage.space.bytes > scratch_limit || usage.space.entries >= kFetchEntries) co_return Cause::out_of_space;
  co_return usage.has_room ? Cause::none : Cause::disk_full;
}

jobs::Failure Attempt::failure_of(Cause cause) const {
  const auto& options = context_.options;
  switch (cause) {
    case Cause::timed_out:
      return {"JOB_TIMED_OUT",
              "The work took longer than the " + std::to_string(options.longest_attempt.count()) +
                  " minutes that this server allows.",
              false,
              {}};
    case Cause::silent:
      return {"WORKER_LOST", "The worker process stood still.", true, {}};
    case Cause::out_of_memory:
      return {"JOB_OUT_OF_MEMORY",
              "The work needs more memory than the " + to_human_size(options.max_memory_bytes) +
                  " that this server allows for a job; send a smaller or simpler file.",
              false,
              {}};
    case Cause::out_of_space:
      return {"JOB_OUT_OF_SPACE",
              "The work needs more room on the disk than this server allows for a job; choose a shorter video.",
              false,
              {}};
    case Cause::disk_full:
      return {"DISK_FULL", "The server's disk has no room for the work; it will be tried again.", true, {}};
    case Cause::none:
    case Cause::stopped:
      break;
  }
  return {};
}

}  // namespace rushes::worker
