#pragma once
#include "app/config.h"
#include "worker/job.h"

#include <string>
#include <string_view>

namespace rushes::app {

/// What a zygote must know of the configuration, as the one variable of its environment that carries it. No secret is
/// among it.
inline constexpr std::string_view kWorkerSettings = "RUSHES_WORKER_SETTINGS";
std::string worker_settings(const Config& config, bool keep_privileges);

/// The life of the zygote, by those settings: `rushes worker`. Gives the exit status.
int run_workers(std::string_view settings);

}  // namespace rushes::app
