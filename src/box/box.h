#pragma once
#include "async/task.h"
#include "base/file.h"
#include "box/output_tail.h"

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <string>

namespace rushes::box {

/// How a boxed process ended.
struct BoxExit {
  std::string how;                             // "signal 11 (Segmentation fault)", "exit status 1"
  std::chrono::milliseconds processor_time{};  // of it and what it waited for
};

/// A boxed process, from outside: the server's end of its channel, and what it handed out.
///
/// Threads:   on one executor.
/// Lifetime:  `reap` must have resumed before it is destroyed, else the destructor kills it and waits.
class Box {
 public:
  ~Box();
  Box(const Box&) = delete;
  Box& operator=(const Box&) = delete;

  /// Outside of its pid namespace.
  pid_t pid() const noexcept { return pid_; }

  /// Errors: `unavailable` once the process is gone.
  Task<Result<void>> send(std::string message);
  /// Its next message. Errors: `unavailable` at its end; `malformed`.
  Task<Result<std::string>> receive();

  /// The socket at which the door listens inside. Of the fetch profile, once; else empty.
  FileDescriptor take_door() noexcept { return std::move(door_); }
  /// Its scratch folder. What lies there is hostile: read it with `take_over.h`. Good also after the process's end.
  int scratch() const noexcept { return scratch_.get(); }

  /// What it writes to its standard output and error.
  OutputTail& output() noexcept { return output_; }

  /// Whether it has ended, though it is not reaped yet.
  bool has_exited() const noexcept;

  /// Kills it and all that it started, at once. `receive` then fails.
  void kill() noexcept;

  /// Kills it and resumes when nothing of it is left. Gives how its first process had ended.
  Task<BoxExit> reap();

 private:
  friend class Launcher;
  struct Parts {
    pid_t pid = -1;
    FileDescriptor pidfd;
    FileDescriptor channel;
    FileDescriptor output;
  };
  Box(const Executor& executor, Parts parts);

  /// Waits until it is in its box. Errors: `unavailable`, with the step that failed.
  Task<Result<void>> become_ready();

  const pid_t pid_;  // and its process group's
  bool reaped_ = false;
  asio::posix::stream_descriptor exited_;  // readable when it has ended
  asio::local::stream_protocol::socket socket_;
  OutputTail output_;
  FileDescriptor door_;
  FileDescriptor scratch_;
};

}  // namespace rushes::box
