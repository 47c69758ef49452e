#include "source/detail/clean_info.h"

#include <gtest/gtest.h>

namespace rushes::source::detail {
namespace {

const std::string kSmuggled = "https://cdn.example/v.mp4#__youtubedl_smuggle=%7B%22http_headers%22%3A%7B%7D%7D";

json::object info_of(std::string_view text) { return parse_json(text).value().as_object(); }

/// What is left of `text`, or the name of the error.
json::value cleaned(std::string_view text, bool allow_private = false) {
  auto info = info_of(text);
  const auto done = clean_info(info, net::AddressFilter(allow_private));
  return done ? json::value(info) : json::value(done.error().public_name());
}
json::value as_is(std::string_view text) { return parse_json(text).value(); }

TEST(CleanInfo, LeavesAnOrdinaryRecordAsItIs) {
  const auto* text =
      R"({"id": "a", "title": "http://10.0.0.1/ explained", "description": "//x", "tags": ["file:///etc"],
      "webpage_url": "https://video.example/w?v=a", "original_url": "https://video.example/w?v=a", "duration": 1.5,
      "thumbnail": "https://i.example/t.jpg", "thumbnails": [{"url": "https://i.example/t.jpg", "id": "0"}],
      "formats": [{"format_id": "18", "url": "https://cdn.example/a b|c?x={y}", "protocol": "https"},
        {"format_id": "hls", "url": "https://cdn.example/m.m3u8", "manifest_url": "http://cdn.example:8080/m.m3u8"},
        {"format_id": "dash", "url": "https://cdn.example/m.mpd", "fragment_base_url": "https://cdn.example/d/",
         "fragments": [{"path": "1.m4s"}, {"url": "https://cdn.example/2.m4s", "duration": 2}]}],
      "subtitles": {"en": [{"ext": "vtt", "url": "https://s.example/en.vtt"}]}, "is_live": false, "views": null})";
  EXPECT_EQ(cleaned(text), as_is(text));
  const auto long_url = R"({"formats": [{"url": "https://cdn.example/)" + std::string(5'000, 'x') + R"("}]})";
  EXPECT_EQ(cleaned(long_url), as_is(long_url)) << "signed addresses may be longer than those that users name";
}

TEST(CleanInfo, TakesHeadersAndCookiesOutWhereverTheyAre) {
  EXPECT_EQ(
      cleaned(
          R"({"http_headers": {"Ytdl-request-proxy": "__noproxy__"}, "cookies": "a=b", "formats": [{"url": "https://a.example/",
      "http_headers": {"Metadata-Flavor": "Google"}, "cookies": "x", "downloader_options": {"http_headers": {}, "n": 1},
      "fragments": [{"url": "https://a.example/1", "http_headers": {}}]}], "x": {"y": [{"http_headers": {}}]}})"),
      as_is(R"({"formats": [{"url": "https://a.example/", "downloader_options": {"n": 1},
      "fragments": [{"url": "https://a.example/1"}]}], "x": {"y": [{}]}})"));
}

TEST(CleanInfo, DropsWhatLeadsAstray) {
  for (const std::string url :
       {"http://127.0.0.1/", "https://2130706433/", "http://[::ffff:10.0.0.1]/", "http://169.254.169.254/latest",
        "file:///etc/passwd", "ftp://ftp.example/", "rtmp://cdn.example/x", "//10.0.0.1/x", "HTTP://LOCALHOST/",
        "gopher://x.example/", " http://10.0.0.1/ ", "http://evil.example\\\\@10.0.0.1/",
        "http://user:pass@cdn.example/", kSmuggled.c_str()}) {
    const auto good = std::string(R"({"url":"https://cdn.example/v"})");
    const auto bad = R"({"url":")" + url + R"("})";
    EXPECT_EQ(cleaned(R"({"formats":[)" + bad + "," + good + "]}"), as_is(R"({"formats":[)" + good + "]}")) << url;
    for (const std::string member : {"manifest_url", "fragment_base_url", "anything"}) {
      EXPECT_EQ(
          cleaned(R"({"formats":[{"url":"https://a.example/",")" + member + R"(":")" + url + R"("},)" + good + "]}"),
          as_is(R"({"formats":[)" + good + "]}"))
          << member << " " << url;
    }
    EXPECT_EQ(cleaned(R"({"formats":[{"url":"https://a.example/","fragments":[{"url":"https://a.example/1"},)" + bad +
                      R"(]},)" + good + "]}"),
              as_is(R"({"formats":[)" + good + "]}"))
        << url;
    EXPECT_EQ(
        cleaned(R"({"subtitles":{"en":[)" + bad + "," + good + R"(]},"thumbnails":[)" + bad + R"(],"thumbnail":")" +
                url + R"(","original_url":")" + url + R"(","x":{"y":{"z":[[")" + url + R"("]]}}})"),
        as_is(R"({"subtitles":{"en":[)" + good + R"(]},"thumbnails":[],"x":{}})"))
        << url;
  }
}

TEST(CleanInfo, HoldsAddressesOfKnownMembersToHttp) {
  EXPECT_EQ(
      cleaned(
          R"({"formats":[{"url":"file:/etc/passwd"},{"url":"data:video/mp4,x"},{"url":"https://a.example/"}],"thumbnail":"file:/x"})"),
      as_is(R"({"formats":[{"url":"https://a.example/"}]})"));
}

TEST(CleanInfo, SaysWhyWhenNothingIsLeft) {
  EXPECT_EQ(cleaned(R"({"formats":[{"url":"http://10.0.0.1/"}]})"), "URL_PRIVATE_ADDRESS");
  EXPECT_EQ(cleaned(R"({"url":"http://10.0.0.1/"})"), "URL_PRIVATE_ADDRESS");
  EXPECT_EQ(cleaned(R"({"formats":[{"url":"rtmp://a.example/"}]})"), "URL_SCHEME");
  EXPECT_EQ(cleaned(R"({"formats":[{"url":")" + kSmuggled + R"("}],"url":")" + kSmuggled + R"("})"), "URL_INVALID");
  EXPECT_EQ(cleaned(R"({"formats":[]})"), as_is(R"({"formats":[]})")) << "that is for others to say";
}

TEST(CleanInfo, ChecksThePageItself) {
  EXPECT_EQ(cleaned(R"({"webpage_url":"http://10.0.0.1/"})"), "URL_PRIVATE_ADDRESS");
  EXPECT_EQ(cleaned(R"({"webpage_url":"http://10.0.0.1/"})", true), as_is(R"({"webpage_url":"http://10.0.0.1/"})"));
  EXPECT_EQ(cleaned(R"({"webpage_url":"file:///etc/passwd"})"), "URL_SCHEME");
  EXPECT_EQ(cleaned(R"({"webpage_url":"nonsense"})"), "URL_INVALID");
  EXPECT_EQ(cleaned(R"({"webpage_url":")" + kSmuggled + R"("})"),
            as_is(R"({"webpage_url":"https://cdn.example/v.mp4"})"))
      << "extractors of embedded players smuggle there themselves";
}

}  // namespace
}  // namespace rushes::source::detail
