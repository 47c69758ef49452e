#pragma once
#include "async/task.h"
#include "base/file.h"

#include <memory>
#include <string>

namespace rushes::worker {

/// Reads what a process writes to its standard error, passes it on to ours, and keeps the last of it: the reason of a
/// crash often stands there and nowhere else.
///
/// Threads: on one executor, of one thread.
class OutputTail {
 public:
  static constexpr std::size_t kKept = 4096;  // bytes

  /// `pipe`: the reading end.
  OutputTail(const Executor& executor, FileDescriptor pipe);
  ~OutputTail();
  OutputTail(const OutputTail&) = delete;
  OutputTail& operator=(const OutputTail&) = delete;

  /// What follows belongs to another attempt.
  void clear();
  /// The last `kKept` bytes since then, in whole lines where it was more, with what lies in the pipe now; UTF-8.
  std::string text();

 private:
  struct State;
  static Task<> follow(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace rushes::worker
