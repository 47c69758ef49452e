#pragma once
#include <string_view>

namespace rushes::app {

inline constexpr std::string_view kVersion = RUSHES_VERSION;

}  // namespace rushes::app
