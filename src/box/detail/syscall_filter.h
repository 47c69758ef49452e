#pragma once
#include "base/result.h"
#include "box/spec.h"

#include <linux/filter.h>

#include <vector>

namespace rushes::box::detail {

/// A list of the system calls that a profile needs, as a seccomp filter (seccomp(2)). All others fail with EPERM.
///
/// Threads: immutable. The zygote makes it; a child only loads it.
class SyscallFilter {
 public:
  /// Errors: `unavailable`.
  static Result<SyscallFilter> make(Profile profile);

  /// Confines this thread, and all that it will start, for good. Needs no_new_privs.
  Result<void> load() const;

 private:
  std::vector<sock_filter> program_;
};

}  // namespace rushes::box::detail
