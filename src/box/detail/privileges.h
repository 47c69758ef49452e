#pragma once
#include "base/result.h"
#include "box/spec.h"

namespace rushes::box::detail {

/// Gives up all capabilities and, for good, the way to gain any (no_new_privs).
Result<void> drop_privileges();

/// The hard limits of this process and those that it starts. `parent_bytes`: the address space that it came with.
Result<void> set_limits(const Limits& limits, std::uint64_t parent_bytes);

/// The size of this process's address space, in bytes.
std::uint64_t address_space();

}  // namespace rushes::box::detail
