#include "app/workshop.h"

#include "base/json.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "box/zygote.h"
#include "insight/extractive.h"
#include "media/limits.h"
#include "source/yt_dlp.h"
#include "speech/pocketsphinx.h"

#include <cstdlib>
#include <filesystem>
#include <iostream>

namespace rushes::app {
namespace {

bool flag(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value != nullptr && value->is_bool() && value->get_bool();
}

Result<std::unique_ptr<pipelines::Engines>> make_engines() {
  auto transcriber = speech::make_pocketsphinx();
  if (!transcriber) return transcriber.error();
  if (auto prepared = (*transcriber)->prepare(); !prepared) return prepared.error();
  auto analyst = insight::make_extractive_analyst();
  analyst->prepare();
  return std::make_unique<pipelines::Engines>(std::move(*transcriber), std::move(analyst));
}

worker::Workshop make_workshop(const json::object& given) {
  media::Limits limits;
  constexpr double kMinute = 60;
  limits.duration = static_cast<double>(int_member(given, "maxMediaMinutes").value_or(720)) * kMinute;
  media::set_limits(limits);

  source::YtDlpOptions options;
  options.program = string_member(given, "ytDlp").value_or(options.program);
  options.allow_private = flag(given, "allowPrivate");
  options.max_bytes = static_cast<std::uint64_t>(int_member(given, "maxBytes").value_or(std::int64_t{2} << 30U));
  auto make_fetcher = [options](const pipelines::Order& order) -> Result<std::unique_ptr<source::Fetcher>> {
    auto for_job = options;
    for_job.door = order.door;
    for_job.cookies = order.cookies;
    std::error_code failed;
    for_job.scratch = std::filesystem::current_path(failed);
    if (failed) return Error(Errc::unavailable, "no scratch folder: " + failed.message());
    return source::make_yt_dlp(std::move(for_job));
  };
  return {make_engines(), std::move(make_fetcher)};
}

}  // namespace

std::string worker_settings(const Config& config, bool keep_privileges) {
  const json::object settings{{"ytDlp", config.yt_dlp},
                              {"allowPrivate", config.allow_private_addresses},
                              {"maxBytes", config.max_upload_bytes},
                              {"maxMediaMinutes", config.max_media_length.count()},
                              {"keepPrivileges", keep_privileges},
                              {"logLevel", config.log_level}};
  return to_json_text(settings);
}

int run_workers(std::string_view settings) {
  const auto parsed = parse_json(settings);
  if (!parsed || !parsed->is_object()) {
    std::cerr << "rushes: `rushes worker` is started by `rushes serve` alone\n";
    return EXIT_FAILURE;
  }
  const auto& given = parsed->get_object();
  (void)log::set_level(string_member(given, "logLevel").value_or("info"));
  std::optional<worker::Workshop> workshop;
  const auto warm_up = [&] { workshop.emplace(make_workshop(given)); };
  const auto work = [&](const box::BoxSpec& spec) { return worker::run_boxed_job(spec.profile, *workshop); };
  return box::run_zygote(box::box_identity(), flag(given, "keepPrivileges"), warm_up, work);
}

}  // namespace rushes::app
