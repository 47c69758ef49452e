#pragma once
#include <functional>

namespace rushes::media {

/// Called now and then by long functions, on their thread, with the done part, 0..1, never falling. May be empty.
using Progress = std::function<void(double fraction)>;

}  // namespace rushes::media
