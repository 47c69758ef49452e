#pragma once
#include "base/result.h"

namespace rushes::worker {

/// Gives up, for this process and all that it will start, what work on hostile media does not need:
/// new privileges, core dumps, most descriptors, and system calls that only an attacker wants
/// (tracing, mounting, loading kernel code, namespaces, keys).
///
/// Errors: `unavailable` where the kernel refuses.
Result<void> enter_sandbox();

}  // namespace rushes::worker
