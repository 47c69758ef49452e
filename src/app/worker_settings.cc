#include "app/worker_settings.h"

#include "base/json.h"
#include "base/random.h"
#include "insight/extractive.h"
#include "source/yt_dlp.h"
#include "speech/pocketsphinx.h"

#include <filesystem>

namespace rushes::app {

std::string worker_settings(const Config& config) {
  const json::object settings{{"ytDlp", config.yt_dlp},
                              {"cookies", config.cookies_file},
                              {"allowPrivate", config.allow_private_addresses},
                              {"maxBytes", config.max_upload_bytes},
                              {"logLevel", config.log_level}};
  return json::serialize(settings);
}

Result<std::unique_ptr<pipelines::Engines>> make_engines(std::string_view settings) {
  const auto parsed = parse_json(settings);
  if (!parsed || !parsed->is_object()) return Error(Errc::malformed, "the worker's settings are not JSON");
  const auto& given = parsed->get_object();
  source::YtDlpOptions options;
  options.program = string_member(given, "ytDlp").value_or(options.program);
  options.cookies = string_member(given, "cookies").value_or("");
  const auto* allow_private = given.if_contains("allowPrivate");
  options.allow_private = allow_private != nullptr && allow_private->is_bool() && allow_private->get_bool();
  options.max_bytes = static_cast<std::uint64_t>(int_member(given, "maxBytes").value_or(std::int64_t{2} << 30U));

  auto transcriber = speech::make_pocketsphinx();
  if (!transcriber) return transcriber.error();
  auto make_fetcher = [options](const std::filesystem::path& scratch) {
    static SystemRng rng;
    auto for_job = options;
    for_job.scratch = scratch / "fetch";
    std::error_code failed;
    std::filesystem::create_directories(for_job.scratch, failed);
    return source::make_yt_dlp(std::move(for_job), rng);
  };
  return std::make_unique<pipelines::Engines>(std::move(*transcriber), insight::make_extractive_analyst(),
                                              std::move(make_fetcher));
}

}  // namespace rushes::app
