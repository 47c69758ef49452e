#include "source/detail/info_json.h"

#include <gtest/gtest.h>

namespace rushes::source {
namespace {

const std::string kUrl = "https://example.com/v";

VideoRecord read(std::string_view text) { return detail::read_info(detail::parse_info(text).value(), kUrl).value(); }

TEST(ReadInfo, TakesWhatIsThereAndInventsNothing) {
  const auto bare = read(R"({"id": "a", "title": "T", "url": "https://example.com/v.mp4"})");
  EXPECT_EQ(bare.title, "T");
  EXPECT_EQ(bare.webpage_url, kUrl);
  EXPECT_FALSE(bare.views || bare.likes || bare.comments || bare.duration);
  EXPECT_EQ(bare.published_at, "");
  EXPECT_TRUE(bare.has_combined) << "a page with one URL and no list of formats";

  const auto odd =
      read(R"({"id": 7, "title": null, "duration": -1, "view_count": 1e300, "like_count": "many", "tags": ["a", 1, ""],
      "upload_date": "20241341", "thumbnail": "javascript:alert", "chapters": [{"title": "no start"}, 5], "formats": [3],
      "webpage_url": "file:///etc/passwd", "subtitles": [], "language": "../../x"
})");
  EXPECT_EQ(odd.id + odd.title + odd.thumbnail_url + odd.published_at + odd.language, "");
  EXPECT_EQ(odd.webpage_url, kUrl);
  EXPECT_FALSE(odd.duration || odd.views || odd.likes);
  EXPECT_EQ(odd.tags, std::vector<std::string>{"a"});
  EXPECT_TRUE(odd.chapters.empty());
}

TEST(ReadInfo, KnowsDaysAndInstants) {
  EXPECT_EQ(read(R"({"upload_date": "20240229"})").published_at, "2024-02-29T00:00:00.000Z");
  EXPECT_EQ(read(R"({"upload_date": "20240229", "timestamp": 1714979289})").published_at, "2024-05-06T07:08:09.000Z");
}

TEST(ReadInfo, MendsHalvesOfSurrogatePairs) {
  EXPECT_EQ(read(R"({"title": "a\ud83d b\udc00 c\ud83c\udfac \\ud83d \"q\" \n"})").title,
            "a\uFFFD b\uFFFD c🎬 \\ud83d \"q\"");
}

TEST(ReadInfo, OffersOnlyCaptionsThatCanBeReadAndNamed) {
  const auto record =
      read(R"({"subtitles": {"en": [{"ext": "json3"}, {"ext": "vtt"}], "de": [{"ext": "ttml"}], "all": [{"ext": "vtt"}],
      "live_chat": [{"ext": "vtt"}], "../../x": [{"ext": "vtt"}], "-en": [{"ext": "vtt"}], ".*": [{"ext": "vtt"}]},
      "automatic_captions": {"pt-BR": [{"ext": "srt"}]}})");
  EXPECT_EQ(record.captions, (std::vector<CaptionTrack>{{"en", false}, {"pt-BR", true}}));
}

TEST(ReadInfo, SaysWhichKindsOfFilesThereAre) {
  const auto apart = read(R"({"formats": [{"vcodec": "none", "acodec": "none"}, {"vcodec": "vp9", "acodec": "none"},
      {"vcodec": "none", "acodec": "opus"}]})");
  EXPECT_FALSE(apart.has_combined);
  EXPECT_TRUE(apart.has_audio);
  const auto mute = read(R"({"formats": [{"vcodec": "vp9", "acodec": "none"}]})");
  EXPECT_FALSE(mute.has_combined || mute.has_audio);
  EXPECT_TRUE(read(R"({"formats": [{"format_id": "0"}]})").has_combined) << "unknown codecs";
}

TEST(ReadInfo, RefusesListsStreamsAndNonsense) {
  const auto name = [](std::string_view text) {
    const auto info = detail::parse_info(text);
    return std::string((info ? detail::read_info(*info, kUrl).error() : info.error()).public_name());
  };
  EXPECT_EQ(name(R"({"_type": "playlist", "entries": []})"), "PLAYLIST_NOT_SUPPORTED");
  EXPECT_EQ(name(R"({"is_live": true})"), "LIVE_NOT_SUPPORTED");
  EXPECT_EQ(name(R"({"live_status": "is_upcoming"})"), "LIVE_NOT_SUPPORTED");
  for (const auto* text : {"", "null", "[]", "{", R"({"_type": "url", "url": "file:///etc/passwd"})"}) {
    EXPECT_EQ(name(text), "FETCH_FAILED") << text;
  }
}

TEST(VideoRecord, RoundTripsThroughJson) {
  const auto record =
      read(R"({"id": "a", "title": "T", "description": "D", "tags": ["x"], "thumbnail": "https://e.com/t.jpg",
      "timestamp": 1, "duration": 1.5, "view_count": 3, "like_count": 2, "comment_count": 0, "webpage_url": "https://e.com/w",
      "language": "en", "channel": "C", "subtitles": {"en": [{"ext": "vtt"}]}, "automatic_captions": {"de": [{"ext": "vtt"}]},
      "chapters": [{"start_time": 0, "end_time": 2.5, "title": "one"}], "formats": [{"vcodec": "x", "acodec": "none"}]})");
  EXPECT_EQ(record_from_json(to_json(record)).value(), record);
  EXPECT_FALSE(record_from_json(json::value("x")));
  EXPECT_FALSE(record_from_json(json::object{}));
}

std::string chosen(const std::vector<CaptionTrack>& tracks, std::string_view wanted, std::string_view spoken) {
  const auto* track = choose_captions(tracks, wanted, spoken);
  return track == nullptr ? "none" : track->language + (track->automatic ? " automatic" : "");
}

TEST(ChooseCaptions, GoesByLanguageThenByMaker) {
  const std::vector<CaptionTrack> tracks{{"fr", false}, {"en", false}, {"de", false}, {"es", true}, {"de", true}};
  EXPECT_EQ(chosen(tracks, "de", "es"), "de");
  EXPECT_EQ(chosen(tracks, "it", "es"), "es automatic");
  EXPECT_EQ(chosen(tracks, "it", "pl"), "en");
  EXPECT_EQ(chosen({{"fr", true}, {"it", false}}, "de", ""), "it");
  EXPECT_EQ(chosen({}, "de", "de"), "none");
}

TEST(ChooseCaptions, TakesAnotherFormOfTheLanguage) {
  EXPECT_EQ(chosen({{"en-GB", false}, {"en-US", false}}, "en-US", ""), "en-US");
  EXPECT_EQ(chosen({{"en-GB", false}, {"fr", false}}, "en", "fr"), "en-GB");
  EXPECT_EQ(chosen({{"pt_BR", false}, {"fr", false}}, "PT-pt", ""), "pt_BR");
}

TEST(ChooseCaptions, TakesTranslationsByMachinesLast) {
  const std::vector<CaptionTrack> youtube{{"de", true}, {"en", true}, {"en-orig", true}, {"fr", true}};
  EXPECT_EQ(chosen(youtube, "de", "en"), "en automatic") << "what en-orig was made of";
  EXPECT_EQ(chosen({{"de", true}, {"ja-orig", true}, {"nl", false}}, "de", "ja"), "ja-orig automatic");
}

}  // namespace
}  // namespace rushes::source
