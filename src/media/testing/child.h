#pragma once
#include <cstdint>
#include <functional>
#include <string>

namespace rushes::media::testing {

struct ChildReport {
  std::string said;              // what the work returned; "died" where it did not return
  std::uint64_t peak_bytes = 0;  // the most memory that was resident at once
};

/// Runs `work` in a forked process, so that its memory is measured, and limits that hold for a process are its own.
/// `more_memory_bytes` bounds the address space that it may add to what it starts with (RLIMIT_AS); 0: unbounded.
ChildReport in_child(const std::function<std::string()>& work, std::uint64_t more_memory_bytes = 0);

}  // namespace rushes::media::testing
