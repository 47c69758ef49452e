#pragma once
#include "base/result.h"

#include <filesystem>

namespace rushes {

/// Removes `path` and all below it, also what its maker closed to its owner (mode 0) or nested a thousand levels deep,
/// with a handful of descriptors. `std::filesystem::remove_all` fails at the first, and has a descriptor open for each
/// level of the second. Nobody else may be at work below `path`. Follows no links.
///
/// Nothing there is no error. Errors: `unavailable`, with the first thing that could not be removed; the rest is gone.
Result<void> remove_tree(const std::filesystem::path& path);

}  // namespace rushes
