#include "jobs/event.h"

#include <array>

namespace rushes::jobs {

std::string_view to_string(EventType type) noexcept {
  constexpr std::array<std::string_view, 6> kWords{"job-queued",    "job-started", "job-progress",
                                                   "job-completed", "job-failed",  "job-cancelled"};
  return kWords[static_cast<std::size_t>(type)];
}

}  // namespace rushes::jobs
