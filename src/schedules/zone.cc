#include "schedules/zone.h"

#include "base/text.h"

#include <date/tz.h>

#include <stdexcept>
#include <string>

namespace rushes::schedules {

using std::chrono::sys_seconds;

Result<Zone> Zone::find(std::string_view name) {
  if (name == "UTC") return Zone(nullptr);
  // What the machine is set to is no zone of anybody else.
  if (name != "localtime") {
    try {
      return Zone(date::locate_zone(std::string(name)));
    } catch (const std::runtime_error&) {
      // It is not there, or the database is not.
    }
  }
  return Error::for_user(Errc::invalid_argument, "TIME_ZONE_UNKNOWN",
                         "timeZone '" + shorten(name, 60) +
                             "' is not in this server's time zone database; write an IANA name such as "
                             "Europe/Berlin, with its capitals, or UTC.");
}

Zone::Period Zone::at(sys_seconds time) const {
  if (zone_ == nullptr) return {sys_seconds::min(), sys_seconds::max(), std::chrono::seconds(0)};
  const auto info = zone_->get_info(time);
  return {info.begin, info.end, info.offset};
}

sys_seconds Zone::first(LocalMinute local) const {
  const std::chrono::seconds shown = local.time_since_epoch();
  if (zone_ == nullptr) return sys_seconds(shown);
  const auto info = zone_->get_info(date::local_seconds(shown));
  if (info.result == date::local_info::nonexistent) return info.first.end;
  return sys_seconds(shown - info.first.offset);
}

}  // namespace rushes::schedules
