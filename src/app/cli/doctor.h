#pragma once
#include "app/config.h"
#include "base/clock.h"
#include "base/json.h"
#include "box/host.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rushes::app::cli {

/// One thing that was looked at.
struct Finding {
  enum class State : unsigned char { good, warning, missing };
  State state = State::good;
  std::string name;
  std::string detail;
  std::string remedy;  // a command or a setting; empty where nothing is to be done
};

/// Looks at all that a server with `config` needs from this machine. Changes nothing; takes up to a few
/// seconds, since it starts yt-dlp to ask for its version.
std::vector<Finding> examine(const Config& config);

// The parts.
Finding check_yt_dlp(const std::string& program, Timestamp now);
Finding check_speech_model(const std::filesystem::path& folder);
Finding check_data_dir(const std::filesystem::path& folder);
Finding check_secret(const Config& config);
Finding check_disk(const std::filesystem::path& folder, std::int64_t max_upload_bytes);
Finding check_port(const std::string& host, int port);
Finding check_open_files();
Finding check_memory(int workers);
Finding check_user(const Config& config);
/// One for each wall that `host` lacks; by the setting `sandbox` it is needed or not.
std::vector<Finding> check_sandbox(const box::HostReport& host, const std::string& mode);

/// What a version of yt-dlp, as it prints it (`2023.03.04`), means at `now`.
Finding judge_yt_dlp(std::string_view version, Timestamp now);

bool anything_missing(const std::vector<Finding>& findings);

/// {ok, checks: [{name, state, detail, remedy?}]}
json::object to_json(const std::vector<Finding>& findings);

}  // namespace rushes::app::cli
