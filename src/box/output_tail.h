#pragma once
#include "async/task.h"
#include "base/file.h"

#include <memory>
#include <string>

namespace rushes::box {

/// Reads what a boxed process writes to its standard output and error, passes the first of it on to our own standard
/// error, and keeps the last of it: the reason of a crash often stands there and nowhere else. What it writes is
/// hostile: control characters are replaced, and who writes without end is read slowly.
///
/// Threads: on one executor, of one thread.
class OutputTail {
 public:
  static constexpr std::size_t kKept = 4096;            // bytes
  static constexpr std::size_t kPassedOn = 64U << 10U;  // bytes

  /// `pipe`: the reading end.
  OutputTail(const Executor& executor, FileDescriptor pipe);
  ~OutputTail();
  OutputTail(const OutputTail&) = delete;
  OutputTail& operator=(const OutputTail&) = delete;

  /// The last `kKept` bytes, in whole lines where it was more, with what lies in the pipe now; UTF-8.
  std::string text();

 private:
  struct State;
  static Task<> follow(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace rushes::box
