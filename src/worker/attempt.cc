#include "worker/attempt.h"

#include "base/text.h"
#include "box/enter.h"
#include "box/listener.h"
#include "box/take_over.h"

#include <boost/asio/redirect_error.hpp>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

namespace rushes::worker {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20U;
constexpr std::uint64_t kFetchMemory = 1'024 * kMiB;    // of yt-dlp
constexpr std::uint64_t kFetchCpuSeconds = 1'800;       // it decrypts in Python
constexpr std::uint64_t kPagesBytes = 256 * kMiB;       // what a fetch may receive beside the media
constexpr std::uint64_t kAskedBytes = 64 * kMiB;        // what it may send: requests
constexpr std::uint64_t kAnalysisScratch = 256 * kMiB;  // thumbnails and captions
constexpr std::chrono::milliseconds kDoorIdle{37'500};  // yt-dlp gives up first, after 30 s, and says so
constexpr int kMostHeard = 20;                          // messages between two looks
constexpr int kMostCheckpoints = 8;                     // of one attempt

queue::AttemptEnd failed(jobs::Failure failure) { return {queue::AttemptResult(std::move(failure))}; }

queue::AttemptEnd server_failure(const Error& error) {
  log::error("worker", "attempt cannot run: {}", error.what());
  return failed(
      {"SERVER_UNAVAILABLE",
       "The server could not start the work. If a retry does not help, its operator finds the reason in the log.", true,
       error.what()});
}

queue::AttemptEnd hostile_output(const Error& error) {
  log::error("worker", "what a box made is refused: {}", error.what());
  return failed({"WORKER_ERROR", "The work made something that the server does not take.", false, error.what()});
}

Result<FileDescriptor> open_upload(const fs::path& path) {
  FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  if (!file) return system_error("cannot open", path);
  return file;
}

queue::AttemptEnd no_upload(const Error& error) {
  if (error.code() != Errc::not_found) return server_failure(error);
  return failed({"UPLOAD_GONE", "The uploaded file is no longer on the server; upload it again.", false, {}});
}

/// Of the plain files in the folder.
std::int64_t bytes_in(const fs::path& folder) {
  std::int64_t sum = 0;
  std::error_code failed;
  for (const auto& entry : fs::directory_iterator(folder, failed)) {
    std::error_code unknown;
    const auto size = entry.file_size(unknown);
    if (!unknown) sum += static_cast<std::int64_t>(size);
  }
  return sum;
}

std::uint16_t port_of(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

}  // namespace

Attempt::Attempt(const Executor& executor, AttemptContext context, pipelines::Order order,
                 queue::ProgressSink& progress)
    : executor_(executor),
      context_(context),
      order_(std::move(order)),
      progress_(progress),
      begun_(std::chrono::steady_clock::now()),
      next_look_(executor),
      watch_ended_(executor, asio::steady_timer::time_point::max()) {}

Task<queue::AttemptEnd> Attempt::run(fs::path scratch, fs::path upload) {
  scratch_ = std::move(scratch);
  watching_ = true;
  spawn_detached(executor_, "worker", watch());

  queue::AttemptEnd end;
  if (order_.type == jobs::JobType::youtube) {
    end = co_await fetch_and_analyse();
  } else {
    std::vector<FileDescriptor> sources;
    Result<FileDescriptor> opened = FileDescriptor();
    if (!upload.empty()) {
      auto open = [&upload] { return open_upload(upload); };
      opened = co_await context_.blocking.run(std::move(open));
      if (opened) sources.push_back(std::move(*opened));
      order_.source = box::kFirstSourceFd;
    }
    end = opened ? queue::AttemptEnd() : no_upload(opened.error());
    if (opened) end = co_await analyse(std::move(sources));
  }

  over_ = true;
  next_look_.cancel();
  boost::system::error_code woken;
  while (watching_) co_await watch_ended_.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  if (cause_ == Cause::stopped) co_return queue::AttemptEnd();
  co_return end;
}

Task<queue::AttemptEnd> Attempt::fetch_and_analyse() {
  if (!context_.options.walls.network && !context_.options.fetch_without_network_wall) {
    co_return failed({"SANDBOX_MISSING",
                      "This server cannot confine the fetching of videos, so it refuses URLs; its operator finds the "
                      "remedy with 'rushes doctor'. Upload the file instead.",
                      false,
                      {}});
  }
  box::BoxOrder fetch;
  fetch.spec = spec_for(box::Profile::fetch);
  if (context_.options.cookies) {
    auto read = [this] { return context_.options.cookies(order_.url); };
    order_.cookies = co_await context_.blocking.run(std::move(read));
  }
  auto end = co_await work_in_box(std::move(fetch));
  order_.cookies.clear();
  if (!end.message) co_return std::move(end.end);
  auto* made = std::get_if<Fetched>(&*end.message);
  if (made == nullptr) co_return hostile_output(Error(Errc::malformed, "a fetch that ends without what it fetched"));

  std::vector<FileDescriptor> sources;
  const auto add = [&](const std::string& name, int& descriptor) -> Result<void> {
    if (name.empty()) return {};
    auto file = box::open_made_file(box_->scratch(), name, limits_.file_bytes);
    if (!file) return file.error();
    descriptor = box::kFirstSourceFd + static_cast<int>(sources.size());
    sources.push_back(std::move(*file));
    return {};
  };
  auto& fetched = made->fetched;
  if (auto added = add(fetched.audio, order_.audio); !added) co_return hostile_output(added.error());
  if (fetched.picture == fetched.audio) {
    order_.picture = order_.audio;
  } else if (auto added = add(fetched.picture, order_.picture); !added) {
    co_return hostile_output(added.error());
  }
  order_.record = std::move(fetched.record);
  order_.door.clear();
  co_return co_await analyse(std::move(sources));
}

Task<queue::AttemptEnd> Attempt::analyse(std::vector<FileDescriptor> sources) {
  box::BoxOrder analysis;
  analysis.spec = spec_for(box::Profile::analysis);
  analysis.sources = std::move(sources);
  auto end = co_await work_in_box(std::move(analysis));
  if (!end.message) co_return std::move(end.end);
  auto* finished = std::get_if<Finished>(&*end.message);
  if (finished == nullptr) co_return hostile_output(Error(Errc::malformed, "an analysis that ends without a result"));
  co_return co_await take_over(std::move(*finished));
}

/// Runs one box to its end; nothing of it is left then but its scratch folder.
Task<Attempt::BoxEnd> Attempt::work_in_box(box::BoxOrder order) {
  const auto spec = order.spec;
  FileDescriptor outside;  // where the door listens on a host without network namespaces
  if (spec.profile == box::Profile::fetch && !spec.walls.network) {
    auto listener = box::listen_on_loopback(0);
    if (!listener) co_return BoxEnd{{}, server_failure(listener.error())};
    outside = std::move(*listener);
    order.spec.door_port = port_of(outside.get());
  }
  const bool fetch = spec.profile == box::Profile::fetch;
  auto make = [this, fetch] { return make_scratch(fetch ? "fetch" : "analysis"); };
  auto scratch = co_await context_.blocking.run(std::move(make));
  if (!scratch) co_return BoxEnd{{}, server_failure(scratch.error())};
  order.scratch = std::move(*scratch);
  limits_ = spec.limits;
  scratch_limit_ = fetch ? spec.limits.file_bytes + kPagesBytes : spec.limits.scratch_bytes;

  if (cause_ != Cause::none) co_return BoxEnd{{}, failed(failure_of(cause_))};
  launch_ = context_.launcher.launch(std::move(order));
  co_await launch_->wait();
  auto launched = launch_->take();
  launch_.reset();
  if (!launched) co_return BoxEnd{{}, failed(failure_of(cause_))};
  if (!*launched) co_return BoxEnd{{}, server_failure(launched->error())};
  box_ = std::move(**launched);
  silent_looks_ = 0;
  at_work_ = true;
  if (context_.cgroup) {
    const auto memory = context_.options.max_memory_bytes;
    auto limited = context_.cgroup->limit(box_->pid(), memory, spec.limits.processes);
    if (limited) group_.emplace(std::move(*limited));
  }
  Result<void> ready;
  if (fetch) ready = open_door(spec, std::move(outside));
  BoxEnd end;
  if (ready) {
    end = co_await converse();
  } else {
    co_await box_->reap();
    end.end = server_failure(ready.error());
  }
  at_work_ = false;
  door_.reset();
  group_.reset();
  co_return end;
}

Result<void> Attempt::open_door(const box::BoxSpec& spec, FileDescriptor outside) {
  box::DoorPolicy policy;
  policy.filter = context_.options.addresses;
  policy.idle = kDoorIdle;
  // The protocol's own words and the pages come on top of the file, which may be one of sound and one of pictures.
  policy.max_bytes = 2 * context_.options.max_fetch_bytes + kPagesBytes;
  policy.max_sent_bytes = kAskedBytes;
  policy.deadline = begun_ + context_.options.longest_attempt;
  auto listener = spec.walls.network ? box_->take_door() : std::move(outside);
  auto door = box::Door::open(std::move(listener), std::move(policy), context_.rng);
  if (!door) return door.error();
  door_ = std::move(*door);
  order_.door = door_->url();
  return {};
}

Task<Attempt::BoxEnd> Attempt::converse() {
  auto text = encode(order_);
  const auto sent = co_await box_->send(std::move(text));
  if (!sent) co_return co_await reap();
  for (;;) {
    auto received = co_await box_->receive();
    if (!received) co_return co_await reap();
    // Not on the event loop, which a message of many values would hold up.
    auto decode = [text = std::move(*received)] { return decode_from_worker(text); };
    auto message = co_await context_.blocking.run(std::move(decode));
    if (!message) {
      box_->kill();
      co_await box_->reap();
      co_return BoxEnd{{}, hostile_output(message.error())};
    }
    silent_looks_ = 0;
    const bool goes_on = co_await pass_on(*message);
    if (goes_on) continue;
    if (cause_ != Cause::none) co_return co_await reap();
    co_await box_->reap();
    if (auto* failure = std::get_if<Failed>(&*message)) {
      failure->failure.log = box_->output().text();
      co_return BoxEnd{{}, failed(std::move(failure->failure))};
    }
    co_return BoxEnd{std::move(*message), {}};
  }
}

/// What is not the box's end.
Task<bool> Attempt::pass_on(FromWorker& message) {
  co_await throttle();
  forwarding_ = true;
  bool passed = true;
  if (auto* report = std::get_if<Report>(&message)) {
    co_await progress_.report(std::move(report->progress));
  } else if (auto* checkpoint = std::get_if<Checkpoint>(&message)) {
    if (++checkpoints_ <= kMostCheckpoints) {
      order_.checkpoints[checkpoint->name] = checkpoint->data;  // for the next box
      co_await progress_.checkpoint(std::move(checkpoint->name), std::move(checkpoint->data));
    }
  } else {
    passed = std::holds_alternative<Alive>(message);
  }
  forwarding_ = false;
  co_return passed;
}

/// A box that says more than people can read, since it was taken over, is heard slowly.
Task<> Attempt::throttle() {
  if (++messages_since_look_ > kMostHeard) co_await sleep_for(kBetweenLooks);
}

/// A box that ended without a word of its own, or by us.
Task<Attempt::BoxEnd> Attempt::reap() {
  const auto exit = co_await box_->reap();
  if (cause_ == Cause::stopped) co_return BoxEnd();
  if (cause_ == Cause::none && group_ && group_->ran_out_of_memory()) cause_ = Cause::out_of_memory;
  auto failure = failure_of(cause_);
  // The kernel ends it by the same signal as for want of memory, and a moment before the limit by our clock.
  const auto most = std::chrono::seconds(limits_.cpu_seconds);
  if (cause_ == Cause::none && exit.processor_time + std::chrono::seconds(1) >= most) {
    failure = {"JOB_OUT_OF_TIME", "The work needs more processor time than this server allows for a job.", false, {}};
  } else if (cause_ == Cause::none) {
    failure = {"WORKER_CRASHED", "The worker process ended unexpectedly: " + exit.how + ".", true, {}};
  }
  log::warning("worker", "box ended pid={}: {}: {}", box_->pid(), failure.code, exit.how);
  failure.log = box_->output().text();
  co_return BoxEnd{{}, failed(std::move(failure))};
}

Task<queue::AttemptEnd> Attempt::take_over(Finished finished) {
  const auto kept = context_.folder.files(order_.files_url.substr(order_.files_url.rfind('/') + 1));
  // In place before the row says that it is; without the row, nobody knows its name.
  std::int64_t file_bytes = 0;
  auto copy = [this, kept, &file_bytes] {
    auto copied = box::take_over(box_->scratch(), order_.output.string(), kept);
    if (copied && *copied > 0) file_bytes = bytes_in(kept);
    return copied;
  };
  const auto taken = co_await context_.blocking.run(std::move(copy));
  if (!taken && taken.error().code() == Errc::forbidden) co_return hostile_output(taken.error());
  if (!taken) co_return server_failure(taken.error());
  jobs::Completion completion;
  completion.audit = order_.audit;
  completion.title = std::move(finished.product.title);
  completion.result = std::move(finished.product.result);
  completion.file_bytes = file_bytes;
  co_return queue::AttemptEnd{queue::AttemptResult(std::move(completion))};
}

/// `name` below the attempt's folder, for the user that boxes run as.
Result<FileDescriptor> Attempt::make_scratch(const char* name) const {
  const auto path = scratch_ / name;
  std::error_code unmade;
  fs::create_directories(path, unmade);
  fs::permissions(path, fs::perms::owner_all, unmade);
  if (unmade) return Error(Errc::unavailable, path.string() + ": " + unmade.message());
  const auto& identity = context_.options.identity;
  if (identity.is_another && ::chown(path.c_str(), identity.user, identity.group) != 0) {
    return system_error("cannot hand over", path);
  }
  FileDescriptor folder(mounts_scratch() ? ::open_tree(AT_FDCWD, path.c_str(), OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC)
                                         : ::open(path.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (!folder) return system_error("cannot open", path);
  return folder;
}

/// Of another user's, who may not reach the data folder by its path.
bool Attempt::mounts_scratch() const noexcept {
  return context_.options.identity.is_another && context_.options.walls.mount;
}

box::BoxSpec Attempt::spec_for(box::Profile profile) const {
  const auto& options = context_.options;
  box::BoxSpec spec;
  spec.scratch_is_mount = mounts_scratch();
  spec.profile = profile;
  spec.walls = options.walls;
  spec.limits.memory_bytes = options.max_memory_bytes;
  spec.limits.cpu_seconds =
      static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(options.longest_attempt).count());
  if (profile == box::Profile::analysis) {
    spec.limits.scratch_bytes = kAnalysisScratch;
    spec.limits.file_bytes = kAnalysisScratch;
    return spec;
  }
  spec.limits.memory_bytes = std::min(options.max_memory_bytes, kFetchMemory);
  spec.limits.cpu_seconds = std::min(spec.limits.cpu_seconds, kFetchCpuSeconds);
  spec.limits.file_bytes = options.max_fetch_bytes + options.max_fetch_bytes / 50 + kMiB;
  spec.readable = options.fetch_readable;
  return spec;
}

}  // namespace rushes::worker
