#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>

namespace rushes::log {

Result<void> set_level(std::string_view level) {
  static const auto logger = [] {
    auto made = spdlog::stderr_color_mt("rushes");
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%eZ %^%l%$ %v", spdlog::pattern_time_type::utc);
    spdlog::set_default_logger(made);
    return made;
  }();
  const auto found = spdlog::level::from_str(std::string(level));
  if (found == spdlog::level::off && level != "off") {
    return Error(Errc::invalid_argument,
                 "log level '" + std::string(level) + "' is not one of trace, debug, info, warning, error, off");
  }
  logger->set_level(found);
  return {};
}

}  // namespace rushes::log
