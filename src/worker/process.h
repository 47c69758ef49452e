#pragma once
#include "async/task.h"
#include "base/file.h"
#include "worker/output_tail.h"
#include "worker/protocol.h"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

namespace rushes::worker {

/// How a worker process is started.
struct ProcessOptions {
  std::filesystem::path program;
  std::vector<std::string> arguments;    // without the program's name
  std::vector<std::string> environment;  // NAME=value; nothing else of ours is passed on
};

/// A worker process, in a process group of its own, and our end of the socket pair to it.
///
/// Threads:   on one executor.
/// Lifetime:  `stop` must have resumed before it is destroyed, else the destructor kills the
///            group and waits.
class Process {
 public:
  /// Errors: `unavailable`, with what the system says.
  static Result<std::unique_ptr<Process>> start(const Executor& executor, const ProcessOptions& options);
  ~Process();
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  pid_t pid() const noexcept { return pid_; }

  /// Errors: `unavailable` once the worker is gone.
  Task<Result<void>> send(std::string message);
  /// The worker's next message. Errors: `unavailable` at its end; `malformed`.
  Task<Result<FromWorker>> receive();

  /// What it writes to its standard error.
  OutputTail& output() noexcept { return output_; }

  /// Whether the worker has ended, though it is not reaped yet.
  bool has_exited() const noexcept;

  /// Kills the whole group, at once. `receive` then fails.
  void kill() noexcept;

  /// Kills the group and resumes when none of it is left. Gives how the worker itself had ended, in
  /// words: "signal 11 (Segmentation fault)", "exit status 1".
  Task<std::string> reap();

 private:
  Process(pid_t pid, FileDescriptor pidfd, asio::local::stream_protocol::socket socket, FileDescriptor output);

  const pid_t pid_;  // and the group's id
  bool reaped_ = false;
  asio::posix::stream_descriptor exited_;  // readable when the worker has ended
  asio::local::stream_protocol::socket socket_;
  OutputTail output_;
};

}  // namespace rushes::worker
