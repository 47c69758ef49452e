#pragma once
#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace rushes::box {

/// What a process and all that it started use up now.
struct ProcessUsage {
  std::uint64_t resident_bytes = 0;  // pages that are shared count for each
  std::size_t processes = 0;
};
/// Of a box: its first process is the parent of all orphans in it. Blocks for microseconds (proc(5)).
ProcessUsage usage_of(pid_t first);

/// What lies in a folder, which may be hostile: links are not followed, and counting ends at `most_entries`. A folder
/// that cannot be looked into, or lies too deep, counts as that many: what it holds is in no sum.
struct FolderUsage {
  std::uint64_t bytes = 0;  // on disk
  std::size_t entries = 0;
};
FolderUsage usage_of_folder(int folder, std::size_t most_entries = 10'000);

}  // namespace rushes::box
