#include "base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <string>

namespace rushes::log {
namespace {

spdlog::level::level_enum spdlog_level(Level level) {
  switch (level) {
    case Level::debug:
      return spdlog::level::debug;
    case Level::info:
      return spdlog::level::info;
    case Level::warning:
      return spdlog::level::warn;
    case Level::error:
      break;
  }
  return spdlog::level::err;
}

}  // namespace

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

bool writes(Level level) { return spdlog::should_log(spdlog_level(level)); }

void write(Level level, std::string_view area, fmt::string_view words, fmt::format_args args) {
  std::string line(area);
  line += ": ";
  line += fmt::vformat(words, args);
  spdlog::log(spdlog_level(level), spdlog::string_view_t(line));
}

}  // namespace rushes::log
