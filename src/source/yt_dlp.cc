#include "source/yt_dlp.h"

#include "base/file.h"
#include "base/json_writer.h"
#include "base/log.h"
#include "base/text.h"
#include "box/door_report.h"
#include "captions/captions.h"
#include "net/address_filter.h"
#include "source/cookies.h"
#include "source/detail/child_process.h"
#include "source/detail/clean_info.h"
#include "source/detail/info_json.h"
#include "source/detail/yt_dlp_errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <utility>

namespace rushes::source {
namespace {

namespace fs = std::filesystem;
using detail::Child;
using detail::ChildEnd;
using detail::ChildResult;
using Steady = std::chrono::steady_clock;

constexpr std::size_t kMaxCaptions = 16U << 20U;  // bytes of one captions file
constexpr std::string_view kProgressMark = "RUSHES ";
// Named so that nothing has to be merged; and only what goes through the door (rtmp, mms and others would not).
constexpr std::string_view kWeb = "[protocol~='^(https?|m3u8|m3u8_native|http_dash_segments)$']";

Error missing(const std::string& program) {
  return Error::for_user(
      Errc::internal, "FETCHER_MISSING",
      fmt::format("The server cannot fetch videos: {} is not there; the operator can install it (apt "
                  "install yt-dlp) or name another path.",
                  program));
}

void keep(std::vector<std::string>& environment, const char* name) {
  if (const char* value = std::getenv(name); value != nullptr) environment.push_back(fmt::format("{}={}", name, value));
}

std::vector<std::string> clean_environment(const fs::path& home) {
  std::vector<std::string> environment{"HOME=" + home.string(), "TMPDIR=" + home.string(), "LANG=C.UTF-8",
                                       "PYTHONUTF8=1", "PYTHONDONTWRITEBYTECODE=1"};
  for (const auto* name : {"PATH", "PYTHONPATH", "SSL_CERT_FILE", "SSL_CERT_DIR"}) keep(environment, name);
  return environment;
}

/// The alternatives of a format selection, each narrowed to what the door can carry.
std::string formats(std::initializer_list<std::string_view> alternatives) {
  std::string all;
  for (const auto alternative : alternatives) {
    if (!all.empty()) all += '/';
    all.append(alternative).append(kWeb);
  }
  return all;
}

/// One file to download.
struct Piece {
  std::string format;
  std::string name;
  bool audio = false;
  bool picture = false;
};

std::vector<Piece> pieces_of(const VideoRecord& record, MediaWanted wanted) {
  const Piece both{formats({"b[height<=?480]", "w"}), "media", true, true};
  const Piece audio{formats({"ba", "b[height<=?480]", "w"}), "audio", true, false};
  const Piece picture{formats({"bv*[height<=?480]", "wv*", "w"}), "picture", false, true};
  switch (wanted) {
    case MediaWanted::audio:
      return record.has_audio ? std::vector{audio} : std::vector<Piece>();
    case MediaWanted::picture:
      return {picture};
    case MediaWanted::both:
      break;
  }
  if (record.has_combined) return {both};
  return record.has_audio ? std::vector{audio, picture} : std::vector{picture};
}

/// "RUSHES 1024 997418 NA": received, total, estimate.
std::optional<FetchProgress> read_progress(std::string_view line) {
  if (!line.starts_with(kProgressMark)) return std::nullopt;
  line.remove_prefix(kProgressMark.size());
  const auto next = [&]() -> std::optional<std::uint64_t> {
    const auto word = line.substr(0, line.find(' '));
    line.remove_prefix(std::min(line.size(), word.size() + 1));
    double value = 0;
    const auto [end, failed] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (failed != std::errc() || !(value >= 0) || value > 1e18) return std::nullopt;
    return static_cast<std::uint64_t>(value);
  };
  FetchProgress progress;
  progress.received = next().value_or(0);
  const auto total = next();
  const auto estimate = next();
  progress.total = total ? total : estimate;
  return progress;
}

class YtDlp final : public Fetcher {
 public:
  explicit YtDlp(YtDlpOptions options) : options_(std::move(options)), filter_(options_.allow_private) {}

  Result<VideoRecord> describe(const std::string& url) override {
    const auto checked = filter_.check_url(url);
    if (!checked) return checked.error();
    Run run;
    run.url = checked->url;
    run.arguments = {"-J", "--flat-playlist", "--playlist-items", "1", "--", checked->url};
    run.folder = options_.scratch;
    run.deadline = options_.describe_deadline;
    const auto printed = start(run);
    if (!printed) return printed.error();
    auto info = detail::parse_info(printed->output);
    if (!info) return info.error();
    if (const auto cleaned = detail::clean_info(*info, filter_); !cleaned) return cleaned.error();
    auto record = detail::read_info(*info, checked->url);
    if (!record) return record;
    // What follows need not ask the site again; and a site may answer a second time with a captcha.
    const auto kept = write_file_atomically(info_file(), to_json_text(*info), 0600);
    described_ = kept ? record->webpage_url : std::string();
    return record;
  }

  Result<std::optional<captions::Transcript>> captions(const VideoRecord& record,
                                                       std::string_view wanted_language) override {
    const auto* track = choose_captions(record.captions, wanted_language, record.language);
    if (track == nullptr) return std::optional<captions::Transcript>();
    const auto folder = options_.scratch / "captions";
    std::error_code failed;
    fs::remove_all(folder, failed);
    fs::create_directories(folder, failed);
    if (failed) return Error(Errc::unavailable, "cannot make " + folder.string() + ": " + failed.message());

    Run run;
    run.arguments = {"--skip-download",
                     track->automatic ? "--write-auto-subs" : "--write-subs",
                     "--sub-langs",
                     track->language,
                     "--sub-format",
                     "vtt/srt",
                     "-o",
                     "captions"};
    if (const auto named = name_source(record, run); !named) return named.error();
    run.folder = folder;
    run.deadline = options_.describe_deadline;
    if (const auto done = start(run); !done) return done.error();
    return read_captions(folder, *track);
  }

  Result<MediaFiles> download(const VideoRecord& record, MediaWanted wanted, const fs::path& folder,
                              const OnProgress& on_progress) override {
    const auto pieces = pieces_of(record, wanted);
    MediaFiles files;
    for (std::size_t i = 0; i < pieces.size(); ++i) {
      const auto& piece = pieces[i];
      const auto path = folder / piece.name;
      remove_all_of(folder, piece.name);  // of an earlier attempt; yt-dlp would take it for the download
      if (const auto done = download_one(record, piece, folder, on_progress); !done) return done.error();
      if (piece.audio) files.audio = path;
      if (piece.picture) files.picture = path;
    }
    return files;
  }

 private:
  /// The file and all that yt-dlp makes of it on the way: `.part`, `.ytdl`, fragments. It renames them at a time of its
  /// own, so that an ended run may leave any of them.
  static void remove_all_of(const fs::path& folder, const std::string& name) {
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
      if (entry.path().filename().string().starts_with(name)) fs::remove(entry.path(), failed);
    }
  }

  /// One run of yt-dlp.
  struct Run {
    std::vector<std::string> arguments;  // behind those that all have in common
    std::string url;                     // for messages
    fs::path folder;
    std::chrono::seconds deadline{};
    std::function<void(std::string_view)> on_line;
  };

  fs::path info_file() const { return options_.scratch / "info.json"; }

  std::vector<std::string> common_arguments() const {
    const auto patience = std::max<std::int64_t>(1, options_.idle.count() / 1'000);
    return {options_.program, "--ignore-config", "--no-playlist", "--no-warnings", "--no-cache-dir", "--no-mtime",
            "--hls-prefer-native", "--fixup", "never", "--abort-on-unavailable-fragments",
            // No ffmpeg: it would follow a hostile playlist anywhere.
            "--ffmpeg-location", (options_.scratch / "no-ffmpeg").string(), "--socket-timeout",
            std::to_string(patience), "--retries", "2", "--fragment-retries", "2", "--extractor-retries", "1"};
  }

  /// Runs yt-dlp until it has succeeded, or says why not.
  Result<ChildResult> start(const Run& run) {
    Child child;
    child.arguments = common_arguments();
    if (takes_cookies()) {
      // A new copy each time: yt-dlp writes the jar back, with what the sites have set.
      const auto jar = options_.scratch / "cookies.txt";
      if (const auto written = write_file_atomically(jar, options_.cookies, 0600); !written) return written.error();
      child.arguments.insert(child.arguments.end(), {"--cookies", jar.string()});
    }
    child.arguments.insert(child.arguments.end(), run.arguments.begin(), run.arguments.end());
    child.environment = clean_environment(options_.scratch);
    // In the environment and not as --proxy: every user of the machine can read a command line. And ftp is covered,
    // too.
    for (const auto* scheme : {"http", "https", "ftp", "all"}) {
      child.environment.push_back(fmt::format("{}_proxy={}", scheme, options_.door));
    }
    child.folder = run.folder;
    child.deadline = Steady::now() + run.deadline;
    child.on_line = run.on_line;

    auto result = detail::run_child(child);
    if (!result) return result.error().code() == Errc::not_found ? missing(options_.program) : result.error();
    const auto told = box::ask_door(options_.door);  // also after a success, so that the next run is not blamed
    if (!told) log::warning("source", "no report: {}", told.error().what());
    switch (result->end) {
      case ChildEnd::timed_out:
        // Each pause on the way has a shorter limit and an error that is retried. What is left is slow as a whole, and
        // would hold a worker as long again.
        return Error::for_user(Errc::too_large, "FETCH_TIMED_OUT",
                               fmt::format("Fetching took longer than {} s, the most that the server allows; try "
                                           "again later, or name a smaller video.",
                                           run.deadline.count()));
      case ChildEnd::too_much_output:
        return Error::for_user(Errc::too_large, "FETCH_FAILED", "The site says too much about this video to be read.");
      case ChildEnd::exited:
        break;
    }
    if (auto limit = detail::explain_signal(*result)) return *limit;
    // What the door has cut off may look whole: an answer without a length ends wherever its connection does.
    const bool cut_off = told && *told && (*told)->trouble >= box::Trouble::too_late;
    if (result->exit_code == 0 && !cut_off) return result;
    return detail::explain_failure(result->errors, told ? *told : std::nullopt, run.url);
  }

  /// Whether there are cookies to use, and yt-dlp may see them.
  bool takes_cookies() {
    if (options_.cookies.empty()) return false;
    if (!takes_cookies_) {
      const auto version = yt_dlp_version(options_.program);
      takes_cookies_ = version && source::takes_cookies(*version);
      if (!*takes_cookies_) {
        log::warning("source", "cookies are not used: yt-dlp {} may hand them to strangers; install {} or newer",
                     version ? *version : "of an unknown version", kFirstWithCookies);
      }
    }
    return *takes_cookies_;
  }

  /// Ends the command line with where the video comes from.
  Result<void> name_source(const VideoRecord& record, Run& run) const {
    const auto checked = filter_.check_url(record.webpage_url);
    if (!checked) return checked.error();
    run.url = checked->url;
    if (!described_.empty() && described_ == record.webpage_url) {
      run.arguments.insert(run.arguments.end(), {"--load-info-json", info_file().string()});
    } else {
      run.arguments.insert(run.arguments.end(), {"--", checked->url});
    }
    return {};
  }

  static Result<std::optional<captions::Transcript>> read_captions(const fs::path& folder, const CaptionTrack& track) {
    std::error_code failed;
    for (const auto& entry : fs::directory_iterator(folder, failed)) {
      const auto suffix = entry.path().extension();
      if (!entry.is_regular_file(failed) || (suffix != ".vtt" && suffix != ".srt")) continue;
      const auto text = read_file(entry.path(), kMaxCaptions);
      if (!text) return text.error();
      auto transcript = suffix == ".vtt" ? captions::parse_vtt(*text) : captions::parse_srt(*text);
      // Empty or broken captions are none: the job can still listen to the video.
      if (!transcript || transcript->empty()) break;
      std::string_view language = track.language;
      if (language.ends_with("-orig")) language.remove_suffix(5);
      if (language != "und") transcript->language = language;
      return std::optional(std::move(*transcript));
    }
    return std::optional<captions::Transcript>();
  }

  Result<void> download_one(const VideoRecord& record, const Piece& piece, const fs::path& folder,
                            const OnProgress& on_progress) {
    bool too_large = false;
    Run run;
    run.arguments = {"-f",
                     piece.format,
                     "-o",
                     piece.name,
                     "--max-filesize",
                     std::to_string(options_.max_bytes),
                     "--newline",
                     "--progress-template",
                     fmt::format("download:{}%(progress.downloaded_bytes)s %(progress.total_bytes)s "
                                 "%(progress.total_bytes_estimate)s",
                                 kProgressMark)};
    if (const auto named = name_source(record, run); !named) return named.error();
    run.folder = folder;
    run.deadline = options_.download_deadline;
    run.on_line = [&](std::string_view line) {
      if (line.find("File is larger than max-filesize") != std::string_view::npos) too_large = true;
      const auto progress = read_progress(line);
      if (progress && on_progress) on_progress(*progress);
    };
    const auto done = start(run);
    std::error_code failed;
    const auto path = folder / piece.name;
    const auto size = done ? fs::file_size(path, failed) : 0;
    if (too_large || size > options_.max_bytes) {
      remove_all_of(folder, piece.name);
      return Error::for_user(
          Errc::too_large, "VIDEO_TOO_LARGE",
          fmt::format("The download is larger than {}; choose a shorter video.", to_human_size(options_.max_bytes)));
    }
    if (!done) {
      remove_all_of(folder, piece.name);
      return done.error();
    }
    if (failed || size == 0) {
      return Error::for_user(Errc::unavailable, "SOURCE_UNAVAILABLE",
                             "The site delivered an empty file; try again later.");
    }
    return {};
  }

  const YtDlpOptions options_;
  const net::AddressFilter filter_;
  std::optional<bool> takes_cookies_;
  std::string described_;  // the page that info_file() is about; empty: none
};

}  // namespace

std::optional<double> FetchProgress::fraction() const {
  if (!total || *total == 0) return std::nullopt;
  return std::min(1.0, static_cast<double>(received) / static_cast<double>(*total));
}

std::unique_ptr<Fetcher> make_yt_dlp(YtDlpOptions options) { return std::make_unique<YtDlp>(std::move(options)); }

Result<std::string> yt_dlp_version(const std::string& program) {
  Child child;
  child.arguments = {program, "--ignore-config", "--version"};
  child.environment = clean_environment("/nonexistent");
  child.deadline = Steady::now() + std::chrono::seconds(30);
  child.max_output = 4'096;
  const auto result = detail::run_child(child);
  if (!result || result->end != ChildEnd::exited || result->exit_code != 0) return missing(program);
  return std::string(trim(result->output));
}

}  // namespace rushes::source
