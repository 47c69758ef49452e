#pragma once
#include <csignal>

namespace rushes {

/// SIGINT and SIGTERM, to be waited for instead of ending the process. Made in `main`, before any other thread: threads
/// inherit that the two are blocked.
class StopSignals {
 public:
  StopSignals();

  /// Sleeps until one comes, and gives its number.
  int wait() const;

 private:
  sigset_t signals_{};
};

}  // namespace rushes
