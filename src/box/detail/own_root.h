#pragma once
#include "base/file.h"
#include "base/result.h"
#include "box/spec.h"

namespace rushes::box::detail {

/// In a mount namespace: replaces the root by one in which nothing is but /usr, what TLS and BLAS need of /etc,
/// /dev/null, /dev/urandom, `spec.readable`, and the scratch folder as /job, which becomes the current directory. All
/// is read-only but /job. No /proc: neither profile needs it.
///
/// `limits.scratch_bytes` above 0: /job is a new tmpfs of that size; else the folder behind the descriptor `scratch`.
/// Errors: `unavailable`, naming what could not be mounted.
Result<void> enter_own_root(const BoxSpec& spec, const FileDescriptor& scratch);

}  // namespace rushes::box::detail
