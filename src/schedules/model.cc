#include "schedules/model.h"

#include <cstdint>
#include <cstdio>

namespace rushes::schedules {
namespace {

constexpr std::size_t kTimeDigits = 13;  // of a UUIDv7, with their dash

}  // namespace

std::string run_key(const ScheduleId& id, Timestamp due) {
  return "schedule:" + id.value() + ":" + std::to_string(to_millis(due));
}

JobId run_job_id(const ScheduleId& id, Timestamp due) {
  const auto millis = static_cast<std::uint64_t>(to_millis(due));
  std::string time(kTimeDigits + 1, '\0');
  std::snprintf(time.data(), time.size(), "%08x-%04x", static_cast<unsigned>(millis >> 16U & 0xFFFFFFFFU),
                static_cast<unsigned>(millis & 0xFFFFU));
  time.resize(kTimeDigits);
  return JobId(time + id.value().substr(kTimeDigits));
}

}  // namespace rushes::schedules
