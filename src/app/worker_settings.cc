#include "app/worker_settings.h"

#include "base/json.h"
#include "base/random.h"
#include "box/door.h"
#include "box/listener.h"
#include "insight/extractive.h"
#include "source/yt_dlp.h"
#include "speech/pocketsphinx.h"

#include <filesystem>
#include <memory>
#include <utility>

namespace rushes::app {

std::string worker_settings(const Config& config) {
  const json::object settings{{"ytDlp", config.yt_dlp},
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
  const auto* allow_private = given.if_contains("allowPrivate");
  options.allow_private = allow_private != nullptr && allow_private->is_bool() && allow_private->get_bool();
  options.max_bytes = static_cast<std::uint64_t>(int_member(given, "maxBytes").value_or(std::int64_t{2} << 30U));

  auto transcriber = speech::make_pocketsphinx();
  if (!transcriber) return transcriber.error();
  // One job at a time, so one door: it is kept until the next job's is opened.
  auto door = std::make_shared<std::unique_ptr<box::Door>>();
  auto make_fetcher = [options,
                       door](const std::filesystem::path& scratch) -> Result<std::unique_ptr<source::Fetcher>> {
    SystemRng rng;
    auto listener = box::listen_on_loopback(0);
    if (!listener) return listener.error();
    box::DoorPolicy policy{net::AddressFilter(options.allow_private)};
    auto opened = box::Door::open(std::move(*listener), std::move(policy), rng);
    if (!opened) return opened.error();
    *door = std::move(*opened);
    auto for_job = options;
    for_job.door = (*door)->url();
    for_job.scratch = scratch / "fetch";
    std::error_code failed;
    std::filesystem::create_directories(for_job.scratch, failed);
    return source::make_yt_dlp(std::move(for_job));
  };
  return std::make_unique<pipelines::Engines>(std::move(*transcriber), insight::make_extractive_analyst(),
                                              std::move(make_fetcher));
}

}  // namespace rushes::app
