#pragma once
#include "base/result.h"
#include "box/spec.h"

#include <cstdint>
#include <string>
#include <vector>

namespace rushes::box::detail {

/// The kernel's Landlock ABI (https://docs.kernel.org/userspace-api/landlock.html); 0 without it.
int landlock_abi();

/// What may still be done with files and sockets.
struct LandlockRules {
  Profile profile = Profile::analysis;
  int abi = 0;                        // the newest to use, as in Walls
  std::vector<std::string> readable;  // beside /usr
  std::uint16_t door_port = 0;        // of the fetch profile
};

/// Confines this process for good: it reads /usr and `readable`, writes its current directory, and may exec what it
/// reads in the fetch profile. From ABI 4 on it connects to the door's port alone, from 6 on it signals nobody outside.
/// Does nothing where the ABI is 0. Errors: `unavailable`.
Result<void> restrict_files(const LandlockRules& rules);

}  // namespace rushes::box::detail
