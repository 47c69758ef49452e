#include "source/video_record.h"

#include "base/text.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace rushes::source {
namespace {

constexpr std::string_view kOriginal = "-orig";

/// "en" of "en-GB" and "EN_us".
std::string primary(std::string_view language) {
  return to_lower_ascii(language.substr(0, language.find_first_of("-_")));
}

/// 0 the exact language, 1 another form of it, 2 neither.
int distance(std::string_view language, std::string_view wanted) {
  if (wanted.empty()) return 2;
  if (language.ends_with(kOriginal)) language.remove_suffix(kOriginal.size());
  if (equals_ignore_case(language, wanted)) return 0;
  return primary(language) == primary(wanted) ? 1 : 2;
}

/// Whether a machine translated it: sources that translate mark what they translated from with "-orig".
bool translated(const CaptionTrack& track, const std::vector<CaptionTrack>& tracks) {
  if (!track.automatic || track.language.ends_with(kOriginal)) return false;
  bool marked = false;
  for (const auto& other : tracks) {
    if (!other.automatic || !other.language.ends_with(kOriginal)) continue;
    if (distance(other.language, track.language) == 0) return false;
    marked = true;
  }
  return marked;
}

template <class T>
void put(json::object& object, std::string_view key, const std::optional<T>& value) {
  if (value) object[key] = *value;
}

std::optional<double> number(const json::object& object, std::string_view key) {
  const auto* found = object.if_contains(key);
  if (found == nullptr || !found->is_number()) return std::nullopt;
  return found->to_number<double>();
}

bool flag(const json::object& object, std::string_view key, bool otherwise) {
  const auto* found = object.if_contains(key);
  return found != nullptr && found->is_bool() ? found->get_bool() : otherwise;
}

const json::array& list(const json::object& object, std::string_view key) {
  static const json::array kNone;
  const auto* found = object.if_contains(key);
  return found != nullptr && found->is_array() ? found->get_array() : kNone;
}

}  // namespace

json::object to_json(const VideoRecord& record) {
  json::object object{{"id", record.id},
                      {"title", record.title},
                      {"description", record.description},
                      {"tags", to_json_array(record.tags)},
                      {"thumbnailUrl", record.thumbnail_url},
                      {"publishedAt", record.published_at},
                      {"webpageUrl", record.webpage_url},
                      {"language", record.language},
                      {"channel", record.channel},
                      {"hasCombined", record.has_combined},
                      {"hasAudio", record.has_audio}};
  put(object, "duration", record.duration);
  put(object, "views", record.views);
  put(object, "likes", record.likes);
  put(object, "comments", record.comments);
  json::array tracks;
  for (const auto& track : record.captions) {
    tracks.push_back(json::object{{"language", track.language}, {"automatic", track.automatic}});
  }
  object["captions"] = std::move(tracks);
  json::array chapters;
  for (const auto& chapter : record.chapters) {
    chapters.push_back(json::object{{"start", chapter.start}, {"end", chapter.end}, {"title", chapter.title}});
  }
  object["chapters"] = std::move(chapters);
  return object;
}

Result<VideoRecord> record_from_json(const json::value& value) {
  if (!value.is_object()) return Error(Errc::malformed, "video record: not an object");
  const auto& object = value.get_object();
  const auto text = [&](std::string_view key) { return string_member(object, key).value_or(""); };
  VideoRecord record;
  record.id = text("id");
  record.title = text("title");
  record.description = text("description");
  for (const auto& tag : list(object, "tags")) {
    if (tag.is_string()) record.tags.emplace_back(tag.get_string());
  }
  record.thumbnail_url = text("thumbnailUrl");
  record.published_at = text("publishedAt");
  record.duration = number(object, "duration");
  record.views = int_member(object, "views");
  record.likes = int_member(object, "likes");
  record.comments = int_member(object, "comments");
  record.webpage_url = text("webpageUrl");
  record.language = text("language");
  record.channel = text("channel");
  record.has_combined = flag(object, "hasCombined", true);
  record.has_audio = flag(object, "hasAudio", true);
  for (const auto& entry : list(object, "captions")) {
    if (!entry.is_object()) continue;
    const auto& track = entry.get_object();
    record.captions.push_back({string_member(track, "language").value_or(""), flag(track, "automatic", false)});
  }
  for (const auto& entry : list(object, "chapters")) {
    if (!entry.is_object()) continue;
    const auto& chapter = entry.get_object();
    record.chapters.push_back({number(chapter, "start").value_or(0), number(chapter, "end").value_or(0),
                               string_member(chapter, "title").value_or("")});
  }
  if (record.webpage_url.empty()) return Error(Errc::malformed, "video record: no webpageUrl");
  return record;
}

const CaptionTrack* choose_captions(const std::vector<CaptionTrack>& tracks, std::string_view wanted,
                                    std::string_view spoken) {
  const std::array<std::string_view, 3> order{wanted, spoken, "en"};
  const CaptionTrack* best = nullptr;
  std::array<int, 4> best_rank{};
  for (const auto& track : tracks) {
    int language = static_cast<int>(order.size());
    int form = 2;
    for (std::size_t i = 0; i < order.size() && form == 2; ++i) {
      form = distance(track.language, order[i]);
      if (form < 2) language = static_cast<int>(i);
    }
    const std::array<int, 4> rank{translated(track, tracks) ? 1 : 0, language, track.automatic ? 1 : 0, form};
    if (best == nullptr || rank < best_rank) {
      best = &track;
      best_rank = rank;
    }
  }
  return best;
}

}  // namespace rushes::source
