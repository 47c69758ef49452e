#include "source/detail/info_json.h"

#include "base/clock.h"
#include "base/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>

namespace rushes::source::detail {
namespace {

// What one field may hold of a page that anybody has written.
constexpr std::size_t kMaxTitle = 1'000;
constexpr std::size_t kMaxDescription = 32'000;
constexpr std::size_t kMaxTag = 200;
constexpr std::size_t kMaxUrl = 2'048;
constexpr std::size_t kMaxTags = 200;
constexpr std::size_t kMaxChapters = 1'000;
constexpr std::size_t kMaxTracks = 1'000;

Error failed(std::string_view why) {
  return Error::for_user(Errc::unsupported, "FETCH_FAILED", fmt::format("The video could not be read: {}.", why));
}

std::string text_of(const json::object& info, std::string_view key, std::size_t max) {
  return shorten(trim(string_member(info, key).value_or("")), max);
}

std::optional<double> number_of(const json::object& info, std::string_view key) {
  const auto* found = info.if_contains(key);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  const auto value = found->to_number<double>();
  if (!std::isfinite(value) || value < 0) return std::nullopt;
  return value;
}

std::optional<std::int64_t> count_of(const json::object& info, std::string_view key) {
  const auto value = number_of(info, key);
  if (!value || *value > 1e15) return std::nullopt;
  return static_cast<std::int64_t>(*value);
}

std::string web_url_of(const json::object& info, std::string_view key) {
  const auto url = string_member(info, key).value_or("");
  const bool web = url.starts_with("https://") || url.starts_with("http://");
  return web && url.size() <= kMaxUrl ? url : std::string();
}

const json::array& list_of(const json::object& info, std::string_view key) {
  static const json::array kNone;
  const auto* found = info.if_contains(key);
  return found != nullptr && found->is_array() ? found->get_array() : kNone;
}

std::string published_at(const json::object& info) {
  for (const auto* key : {"timestamp", "release_timestamp"}) {
    const auto seconds = number_of(info, key);
    if (seconds && *seconds < 253'402'300'800.0)
      return to_rfc3339(from_millis(static_cast<std::int64_t>(*seconds * 1'000)));
  }
  for (const auto* key : {"upload_date", "release_date"}) {
    const auto day = string_member(info, key).value_or("");
    const bool digits = std::all_of(day.begin(), day.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (day.size() != 8 || !digits) continue;
    const std::chrono::year_month_day date(std::chrono::year(std::stoi(day.substr(0, 4))),
                                           std::chrono::month(static_cast<unsigned>(std::stoi(day.substr(4, 2)))),
                                           std::chrono::day(static_cast<unsigned>(std::stoi(day.substr(6, 2)))));
    if (date.ok()) return to_rfc3339(Timestamp(std::chrono::sys_days(date)));
  }
  return {};
}

/// A language that may become part of a command line and of a file's name.
bool is_plain_language(std::string_view language) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); };
  return !language.empty() && language.size() <= 35 && letter(language[0]) && language != "all" &&
         language != "live_chat" &&
         std::all_of(language.begin(), language.end(), [&](char c) { return letter(c) || c == '-' || c == '_'; });
}

void read_tracks(const json::object& info, std::string_view key, bool automatic, std::vector<CaptionTrack>& tracks) {
  const auto* found = info.if_contains(key);
  if (found == nullptr || !found->is_object()) return;
  const auto readable = [](const json::value& entry) {
    if (!entry.is_object()) return false;
    const auto format = string_member(entry.get_object(), "ext").value_or("");
    return format == "vtt" || format == "srt";
  };
  for (const auto& [language, entries] : found->get_object()) {
    const std::string_view name(language.data(), language.size());
    if (tracks.size() >= kMaxTracks) return;
    if (!is_plain_language(name) || !entries.is_array()) continue;
    const auto& forms = entries.get_array();
    if (std::any_of(forms.begin(), forms.end(), readable)) tracks.push_back({std::string(name), automatic});
  }
}

void read_formats(const json::object& info, VideoRecord& record) {
  const auto& formats = list_of(info, "formats");
  if (formats.empty()) return;  // one file, of which nothing is known
  record.has_combined = false;
  record.has_audio = false;
  for (const auto& entry : formats) {
    if (!entry.is_object()) continue;
    const auto& format = entry.get_object();
    // Unknown codecs count as there.
    const bool picture = string_member(format, "vcodec") != "none";
    const bool sound = string_member(format, "acodec") != "none";
    record.has_combined = record.has_combined || (picture && sound);
    record.has_audio = record.has_audio || sound;
  }
}

}  // namespace

Result<json::object> parse_info(std::string_view text) {
  auto parsed = parse_json(text);
  if (!parsed) return failed("yt-dlp printed no JSON");
  if (!parsed->is_object()) return failed("yt-dlp found nothing");
  return std::move(parsed->get_object());
}

Result<VideoRecord> read_info(const json::object& info, const std::string& url) {
  const auto type = string_member(info, "_type").value_or("video");
  if (type == "playlist" || type == "multi_video") {
    return Error::for_user(Errc::unsupported, "PLAYLIST_NOT_SUPPORTED",
                           fmt::format("{} is a list of videos; name one video.", shorten(url, 200)));
  }
  if (type != "video") return failed(fmt::format("yt-dlp answered with \"{}\"", shorten(type, 40)));
  const auto live = string_member(info, "live_status").value_or("");
  const auto* is_live = info.if_contains("is_live");
  if (live == "is_live" || live == "is_upcoming" || live == "post_live" ||
      (is_live != nullptr && is_live->is_bool() && is_live->get_bool())) {
    return Error::for_user(Errc::unsupported, "LIVE_NOT_SUPPORTED",
                           "This is a live stream; come back when it has ended and its recording is there.");
  }

  VideoRecord record;
  record.id = text_of(info, "id", 200);
  record.title = text_of(info, "title", kMaxTitle);
  // What is found in a page's HTML is numbered, also when it is one.
  const auto extractor = string_member(info, "extractor_key").value_or("");
  if ((extractor == "HTML5MediaEmbed" || extractor == "Generic") && record.id.ends_with("-1") &&
      record.title.ends_with(" (1)")) {
    record.title.resize(record.title.size() - 4);
  }
  record.description = text_of(info, "description", kMaxDescription);
  for (const auto& tag : list_of(info, "tags")) {
    if (record.tags.size() >= kMaxTags) break;
    if (tag.is_string() && !tag.get_string().empty()) record.tags.push_back(shorten(tag.get_string(), kMaxTag));
  }
  record.thumbnail_url = web_url_of(info, "thumbnail");
  record.published_at = published_at(info);
  record.duration = number_of(info, "duration");
  record.views = count_of(info, "view_count");
  record.likes = count_of(info, "like_count");
  record.comments = count_of(info, "comment_count");
  record.webpage_url = web_url_of(info, "webpage_url");
  if (record.webpage_url.empty()) record.webpage_url = url;
  const auto language = text_of(info, "language", 35);
  if (is_plain_language(language)) record.language = language;
  record.channel = text_of(info, "channel", kMaxTitle);
  if (record.channel.empty()) record.channel = text_of(info, "uploader", kMaxTitle);
  read_tracks(info, "subtitles", false, record.captions);
  read_tracks(info, "automatic_captions", true, record.captions);
  for (const auto& entry : list_of(info, "chapters")) {
    if (record.chapters.size() >= kMaxChapters) break;
    if (!entry.is_object()) continue;
    const auto& chapter = entry.get_object();
    const auto start = number_of(chapter, "start_time");
    if (!start) continue;
    record.chapters.push_back(
        {*start, number_of(chapter, "end_time").value_or(0), text_of(chapter, "title", kMaxTitle)});
  }
  read_formats(info, record);
  return record;
}

}  // namespace rushes::source::detail
