#include "jobs/event.h"

#include <array>
#include <cstring>

namespace rushes::jobs {

std::string_view to_string(EventType type) noexcept {
  constexpr std::array<std::string_view, 6> kWords{"job-queued",    "job-started", "job-progress",
                                                   "job-completed", "job-failed",  "job-cancelled"};
  return kWords[static_cast<std::size_t>(type)];
}

bool says(const Event& event, std::string_view member) noexcept {
  // `find` would stop at each of the many quotes.
  return ::memmem(event.payload.data(), event.payload.size(), member.data(), member.size()) != nullptr;
}

}  // namespace rushes::jobs
