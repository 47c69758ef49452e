#pragma once
#include "app/config.h"
#include "base/result.h"
#include "box/host.h"
#include "worker/options.h"

#include <filesystem>
#include <string>
#include <vector>

namespace rushes::app {

/// Refuses to run as root where `allow_root` is not set. Errors: `forbidden`, with words for the operator.
Result<void> check_root(const Config& config);

/// Takes this process out of others' sight: nobody of its user reads its memory, its environment or its descriptors
/// (PR_SET_DUMPABLE), and what it was told in secret is gone from its environment. Call it when the configuration has
/// been read, before any thread.
void hide_secrets();

/// `rushes box-check`: prints what of a box this host gives. Gives the exit status.
int print_host_report();

/// Logs what is missing, and refuses to start where `sandbox = require` and something is.
Result<void> judge_host(const Config& config, const box::HostReport& host);

/// Refuses to start where jobs could read the data folder or the operator's cookies, since these lie in what every box
/// shows. Errors: `invalid_argument`, with words for the operator.
Result<void> check_secrecy(const Config& config);

/// The first of `folders` that `path` is or lies below, links followed; empty where there is none.
std::string folder_above(const std::filesystem::path& path, const std::vector<std::string>& folders);

/// How the attempts of a server with `config` are run on `host`.
worker::PoolOptions pool_options(const Config& config, const box::HostReport& host);

/// Files and folders beyond /usr that the yt-dlp of the configuration needs: itself, its virtual environment or its
/// user's site-packages, and PYTHONPATH.
std::vector<std::string> yt_dlp_paths(const std::string& program, const std::string& python_path);

}  // namespace rushes::app
