#pragma once
#include "base/result.h"

namespace rushes {

/// Why the disk refuses, from errno, in words for users: `unavailable`, named DISK_FULL (also a quota's or a size's
/// limit), DISK_READ_ONLY or, for whatever else, DISK_FAILED.
Error disk_error(int error);

}  // namespace rushes
