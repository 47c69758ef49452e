#include "source/yt_dlp.h"

#include "base/file.h"
#include "base/random.h"
#include "box/door.h"
#include "box/listener.h"
#include "box/tests/site.h"

#include <boost/asio/ip/address.hpp>
#include <gtest/gtest.h>

#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace rushes::source {
namespace {

namespace fs = std::filesystem;
using box::Site;
using box::TemporaryFolder;
using box::Trap;
using Endpoint = net::AddressFilter::Endpoint;

class YtDlpTest : public ::testing::Test {
 protected:
  YtDlpTest() {
    Site::shared();
    options_.scratch = scratch_.path();
    options_.allow_private = true;  // what may be reached is the door's business
    allowed_ = {{boost::asio::ip::make_address("127.0.0.1"), Site::shared().port()}};
    options_.describe_deadline = std::chrono::seconds(40);
    options_.download_deadline = std::chrono::seconds(40);
  }

  Fetcher& fetcher() {
    if (!fetcher_) {
      box::DoorPolicy policy{net::AddressFilter(false, allowed_)};
      policy.max_bytes = max_bytes_;
      policy.idle = options_.idle + options_.idle / 4;  // yt-dlp gives up first, and says so
      door_ = box::Door::open(box::listen_on_loopback(0).value(), std::move(policy), rng_).value();
      options_.door = door_->url();
      fetcher_ = make_yt_dlp(options_);
    }
    return *fetcher_;
  }
  static std::string site(const std::string& path) { return Site::shared().url(path); }
  VideoRecord describe(const std::string& path) { return fetcher().describe(site(path)).value(); }
  Error refusal(const std::string& url) {
    const auto record = fetcher().describe(url);
    return record ? Error::for_user(Errc::internal, "FOUND", record->title) : record.error();
  }
  std::string refusal_name(const std::string& path) { return std::string(refusal(site(path)).public_name()); }

  /// What is in a file: "video", "audio", or both, as ffprobe sees it.
  static std::string streams(const fs::path& file) {
    const auto list = file.string() + ".streams";
    const auto command = "ffprobe -v error -show_entries stream=codec_type -of csv=p=0 '" + file.string() +
                         "' 2>&1 | grep . | sort -u | tr '\\n' ' ' > '" + list + "'";
    return std::system(command.c_str()) == 0 ? read_file(list).value() : "ffprobe failed";
  }

  SystemRng rng_;
  TemporaryFolder scratch_;
  TemporaryFolder folder_;
  std::vector<Endpoint> allowed_;
  std::uint64_t max_bytes_ = 0;
  std::unique_ptr<box::Door> door_;
  YtDlpOptions options_;
  std::unique_ptr<Fetcher> fetcher_;
};

TEST_F(YtDlpTest, DescribesAVideoInYouTubesShape) {
  const auto record = describe("/watch?v=harbor");
  EXPECT_EQ(record.id, "harbor");
  EXPECT_EQ(record.title, "The harbor and its ships");
  EXPECT_EQ(record.description, "A day at the harbor: boats, market, lighthouse. Grüße aus dem Hafen.");
  EXPECT_EQ(record.tags, (std::vector<std::string>{"harbor", "ships", "fish market"}));
  EXPECT_EQ(record.thumbnail_url, site("/poster.jpg"));
  EXPECT_EQ(record.published_at, "2024-05-06T07:08:09.000Z");
  EXPECT_EQ(record.duration, 17.0);
  EXPECT_EQ(record.views, 123'456);
  EXPECT_EQ(record.likes, 789);
  EXPECT_EQ(record.comments, 42);
  EXPECT_EQ(record.webpage_url, site("/watch?v=harbor"));
  EXPECT_EQ(record.language, "en");
  EXPECT_EQ(record.channel, "Harbor Films");
  ASSERT_EQ(record.chapters.size(), 4U);
  EXPECT_EQ(record.chapters[1], (SourceChapter{4.5, 8.5, "The boats return"}));
  EXPECT_EQ(record.captions,
            (std::vector<CaptionTrack>{{"en", false}, {"de", false}, {"en-orig", true}, {"fr", true}}));
  EXPECT_TRUE(record.has_combined);
}

TEST_F(YtDlpTest, ReadsManualCaptionsInTheWantedLanguageAndAutomaticOnesOtherwise) {
  const auto record = describe("/watch?v=harbor");
  const auto asked = Site::shared().seen().size();
  const auto german = fetcher().captions(record, "de").value();
  ASSERT_TRUE(german);
  EXPECT_EQ(german->language, "de");
  ASSERT_EQ(german->segments.size(), 4U);
  EXPECT_EQ(german->segments[1].text, "Am Morgen kehren die Fischerboote mit ihrem Fang zurück.");
  EXPECT_GT(german->segments[1].start, 3);
  const auto seen = Site::shared().seen();
  EXPECT_EQ(std::count(seen.begin() + static_cast<std::ptrdiff_t>(asked), seen.end(), "/api/video?v=harbor"), 0)
      << "the page is not asked a second time";

  const auto automatic = fetcher().captions(describe("/watch?v=auto"), "de").value();
  ASSERT_TRUE(automatic);
  EXPECT_EQ(automatic->language, "en") << "not the machine's translation";
  EXPECT_EQ(automatic->segments.at(0).text, "welcome to this short film about the harbor and its ships");

  EXPECT_FALSE(fetcher().captions(describe("/watch?v=silent"), "en").value());
}

TEST_F(YtDlpTest, ReadsCaptionsOfAPageAndOfAStream) {
  const auto page = describe("/film.html");
  EXPECT_EQ(page.title, "The harbor and its ships");
  const auto english = fetcher().captions(page, "").value();
  ASSERT_TRUE(english);
  EXPECT_EQ(english->segments.size(), 4U);
  const auto stream = fetcher().captions(describe("/hls/master.m3u8"), "en").value();
  ASSERT_TRUE(stream);
  EXPECT_EQ(stream->segments.size(), 4U);
  EXPECT_EQ(stream->language, "en");
}

TEST_F(YtDlpTest, DownloadsOneFileWithBothAndTellsHowFarItIs) {
  const auto record = describe("/watch?v=harbor");
  std::vector<FetchProgress> told;
  const auto files = fetcher()
                         .download(record, MediaWanted::both, folder_.path(),
                                   [&](const FetchProgress& progress) { told.push_back(progress); })
                         .value();
  EXPECT_EQ(files.audio, files.picture);
  EXPECT_EQ(streams(files.audio), "audio video ");
  ASSERT_GT(told.size(), 2U);
  EXPECT_TRUE(std::is_sorted(told.begin(), told.end(), [](auto& a, auto& b) { return a.received < b.received; }));
  EXPECT_EQ(told.back().fraction(), 1.0);
}

TEST_F(YtDlpTest, DownloadsTwoFilesWhereNoneHasBoth) {
  const auto record = describe("/watch?v=separate");
  EXPECT_FALSE(record.has_combined);
  const auto files = fetcher().download(record, MediaWanted::both, folder_.path(), {}).value();
  EXPECT_EQ(streams(files.audio), "audio ");
  EXPECT_EQ(streams(files.picture), "video ");
}

TEST_F(YtDlpTest, DownloadsFromACheckpointAlone) {
  const auto saved = record_from_json(to_json(describe("/watch?v=harbor"))).value();
  TemporaryFolder another;
  options_.scratch = another.path();
  fetcher_.reset();
  const auto files = fetcher().download(saved, MediaWanted::audio, folder_.path(), {}).value();
  EXPECT_EQ(streams(files.audio), "audio ");
  EXPECT_TRUE(files.picture.empty());
}

TEST_F(YtDlpTest, DownloadsFromPagesStreamsAndFiles) {
  for (const auto* path : {"/film.html", "/og.html", "/jsonld.html", "/hls/master.m3u8", "/video.mp4"}) {
    TemporaryFolder folder;
    const auto files = fetcher().download(describe(path), MediaWanted::both, folder.path(), {});
    ASSERT_TRUE(files) << path << ": " << files.error().what();
    EXPECT_EQ(streams(files->picture), "audio video ") << path;
  }
}

TEST_F(YtDlpTest, FindsMetadataOfSchemaOrg) {
  const auto record = describe("/jsonld.html");
  EXPECT_EQ(record.title, "The harbor and its ships");
  EXPECT_EQ(record.duration, 17.0);
  EXPECT_EQ(record.views, 1'234);
  EXPECT_EQ(record.published_at, "2024-05-06T07:08:09.000Z");
}

TEST_F(YtDlpTest, SaysWhatIsWrong) {
  EXPECT_EQ(refusal_name("/missing"), "URL_DEAD");
  EXPECT_EQ(refusal_name("/gone"), "URL_DEAD");
  EXPECT_EQ(refusal_name("/loop"), "URL_DEAD");
  EXPECT_EQ(refusal_name("/forbidden"), "VIDEO_UNAVAILABLE");
  EXPECT_EQ(refusal_name("/overloaded"), "SOURCE_UNAVAILABLE");
  EXPECT_EQ(refusal_name("/packed.html"), "URL_UNSUPPORTED");
  EXPECT_EQ(refusal(site("/packed.html")).public_message(),
            "The host 127.0.0.1 sends this compressed (gzip) though it was asked not to; name another URL.");
  EXPECT_EQ(refusal_name("/nothing.html"), "URL_UNSUPPORTED");
  EXPECT_EQ(refusal_name("/two.html"), "PLAYLIST_NOT_SUPPORTED");
  EXPECT_EQ(refusal_name("/feed.xml"), "PLAYLIST_NOT_SUPPORTED");
  EXPECT_EQ(refusal_name("/playlist?list=a"), "PLAYLIST_NOT_SUPPORTED");
}

TEST_F(YtDlpTest, SaysWhatIsWrongInYouTubesWords) {
  EXPECT_EQ(refusal_name("/watch?v=nope"), "URL_DEAD");
  EXPECT_EQ(refusal_name("/watch?v=live"), "LIVE_NOT_SUPPORTED");
  EXPECT_EQ(refusal_name("/watch?v=bot"), "BOT_CHECK");
  for (const auto* id : {"private", "removed", "age", "members", "geo"}) {
    EXPECT_EQ(refusal_name(std::string("/watch?v=") + id), "VIDEO_UNAVAILABLE") << id;
  }
}

TEST_F(YtDlpTest, NeverReachesWhatAPageLeadsTo) {
  Trap trap;
  const auto port = std::to_string(trap.port());
  EXPECT_EQ(refusal_name("/redirect?to=http://127.0.0.1:" + port + "/a.mp4"), "URL_PRIVATE_ADDRESS");
  EXPECT_EQ(refusal_name("/redirect?to=http://localhost:" + port + "/a.mp4"), "URL_PRIVATE_ADDRESS");
  EXPECT_EQ(refusal_name("/redirect?to=https://127.0.0.1:" + port + "/a.mp4"), "URL_PRIVATE_ADDRESS");
  EXPECT_NE(refusal_name("/redirect?to=ftp://127.0.0.1:" + port + "/a.mp4"), "FOUND");
  EXPECT_NE(refusal_name("/redirect?to=file:///etc/passwd"), "FOUND");
  const auto metadata = refusal(site("/metadata"));
  EXPECT_EQ(metadata.public_name(), "URL_PRIVATE_ADDRESS");
  EXPECT_EQ(metadata.public_message(), "169.254.169.254 is not a public address; name one that is.");
  EXPECT_FALSE(metadata.retryable());
  EXPECT_EQ(refusal("http://127.0.0.1:" + port + "/").public_name(), "URL_PRIVATE_ADDRESS");
  EXPECT_EQ(refusal("file:///etc/passwd").public_name(), "URL_SCHEME");
  EXPECT_EQ(trap.caught(), 0);
}

TEST_F(YtDlpTest, FollowsARedirectThatIsAllowed) {
  EXPECT_EQ(describe("/redirect?to=/film.html").title, "The harbor and its ships");
}

TEST_F(YtDlpTest, SaysThatAHostIsNotThere) {
  const auto unresolved = refusal("http://no-such-host.invalid/a.mp4");
  EXPECT_EQ(unresolved.public_name(), "URL_DEAD");
  EXPECT_NE(unresolved.public_message().find("no-such-host.invalid"), std::string_view::npos);
  std::uint16_t shut = 0;
  { shut = Trap().port(); }
  allowed_.emplace_back(boost::asio::ip::make_address("127.0.0.1"), shut);
  fetcher_.reset();
  EXPECT_EQ(refusal("http://127.0.0.1:" + std::to_string(shut) + "/a.mp4").public_name(), "URL_DEAD");
}

TEST_F(YtDlpTest, StopsDownloadsThatAreTooLarge) {
  options_.max_bytes = 500'000;
  // Of an endless answer more passes the door than yt-dlp reads to describe it: what the sockets' buffers hold.
  max_bytes_ = 32U << 20U;  // the file says that it has 997,418; the endless one says nothing
  for (const auto* path : {"/video.mp4", "/endless.mp4", "/watch?v=large"}) {
    const auto files = fetcher().download(describe(path), MediaWanted::both, folder_.path(), {});
    ASSERT_FALSE(files) << path;
    EXPECT_EQ(files.error().public_name(), "VIDEO_TOO_LARGE") << path;
    EXPECT_TRUE(fs::is_empty(folder_.path())) << path << " leaves nothing behind";
    fetcher_.reset();  // and its door, whose budget is used up
  }
}

TEST_F(YtDlpTest, GivesUpOnWhatIsSlowOrSilent) {
  options_.download_deadline = std::chrono::seconds(3);
  const auto slow = fetcher().download(describe("/slow.mp4?rate=20000"), MediaWanted::both, folder_.path(), {});
  ASSERT_FALSE(slow);
  EXPECT_EQ(slow.error().public_name(), "FETCH_TIMED_OUT");
  EXPECT_FALSE(slow.error().retryable()) << "it would hold a worker as long again";
  options_.idle = std::chrono::milliseconds(1'000);
  fetcher_.reset();
  EXPECT_EQ(refusal_name("/mute"), "SOURCE_UNAVAILABLE");
}

TEST_F(YtDlpTest, GivesCookiesOnlyToAVersionThatKeepsThem) {
  // A program in yt-dlp's place that shows what it was given.
  options_.program = (folder_.path() / "show").string();
  options_.cookies = "# Netscape HTTP Cookie File\n127.0.0.1\tFALSE\t/\tFALSE\t0\tname\tvalue\n";
  for (const std::string version : {"2023.03.04", "2023.11.13", "unknown", "2023.11.14", "2025.01.15"}) {
    std::ofstream(options_.program) << "#!/bin/sh\n[ \"$2\" = --version ] && echo " << version
                                    << " && exit\nprintf 'ERROR: %s' \"$*\" >&2\nexit 1\n";
    ::chmod(options_.program.c_str(), 0755);
    fs::remove(scratch_.path() / "cookies.txt");
    fetcher_.reset();
    const auto shown = refusal(site("/film.html")).what();
    const bool given = shown.find("--cookies") != std::string::npos;
    EXPECT_EQ(given, version >= "2023.11.14" && version < "3") << version << ": " << shown;
    EXPECT_EQ(fs::exists(scratch_.path() / "cookies.txt"), given) << version;
  }
}

TEST_F(YtDlpTest, KeepsThePasswordOfTheDoorOffTheCommandLine) {
  // A program in yt-dlp's place that shows what it was given.
  options_.program = (folder_.path() / "show").string();
  std::ofstream(options_.program) << "#!/bin/sh\nprintf 'ERROR: %s' \"$*\" >&2\nexit 1\n";
  ::chmod(options_.program.c_str(), 0755);
  const auto shown = refusal(site("/film.html")).what();
  EXPECT_NE(shown.find("--ignore-config"), std::string::npos) << shown;
  EXPECT_EQ(shown.find("rushes:"), std::string::npos) << shown;
}

TEST_F(YtDlpTest, SaysThatTheProgramIsMissing) {
  options_.program = "/nonexistent/yt-dlp";
  EXPECT_EQ(refusal_name("/film.html"), "FETCHER_MISSING");
  EXPECT_EQ(yt_dlp_version("/nonexistent/yt-dlp").error().public_name(), "FETCHER_MISSING");
  EXPECT_EQ(yt_dlp_version("yt-dlp").value().substr(0, 2), "20");
}

}  // namespace
}  // namespace rushes::source
