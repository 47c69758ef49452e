#pragma once
#include "app/config.h"
#include "pipelines/engines.h"

#include <string>
#include <string_view>

namespace rushes::app {

/// What a worker process must know of the configuration, as the one variable of its environment
/// that carries it. No secret is among it.
inline constexpr std::string_view kWorkerSettings = "RUSHES_WORKER_SETTINGS";
std::string worker_settings(const Config& config);

/// The engines of a worker process, by those settings. Errors: `malformed`; those of the engines.
Result<std::unique_ptr<pipelines::Engines>> make_engines(std::string_view settings);

}  // namespace rushes::app
