"""A yt-dlp plugin for the tests: the test site's `/watch?v=ID` becomes a video in YouTube's shape.

yt-dlp itself stays the real one. README.md lists the ids and what each stands for.
"""
from yt_dlp.extractor.common import InfoExtractor
from yt_dlp.utils import ExtractorError

# In YouTube's own words, since Fetcher has to tell them apart.
ERRORS = {
    "private": "Private video. Sign in if you've been granted access to this video",
    "removed": "Video unavailable. This video has been removed by the uploader",
    "age": "Sign in to confirm your age. This video may be inappropriate for some users.",
    "members": "Join this channel to get access to members-only content like this video, and other exclusive perks.",
    "geo": "The uploader has not made this video available in your country",
    "bot": "Sign in to confirm you’re not a bot. This helps protect our community. Learn more",
}


class RushesTestIE(InfoExtractor):
    IE_NAME = "rushes:test"
    _VALID_URL = r"(?P<base>http://(?:127\.0\.0\.1|localhost):\d+)/watch\?v=(?P<id>[\w-]+)"

    def _real_extract(self, url):
        base, video = self._match_valid_url(url).group("base", "id")
        if video in ERRORS:
            raise ExtractorError(ERRORS[video], expected=True, video_id=video)
        return self._download_json(f"{base}/api/video?v={video}", video)


class RushesTestPlaylistIE(InfoExtractor):
    IE_NAME = "rushes:test:playlist"
    _VALID_URL = r"(?P<base>http://(?:127\.0\.0\.1|localhost):\d+)/playlist\?list=(?P<id>[\w-]+)"

    def _real_extract(self, url):
        base, playlist = self._match_valid_url(url).group("base", "id")
        videos = (self.url_result(f"{base}/watch?v={v}", RushesTestIE) for v in ("harbor", "auto"))
        return self.playlist_result(videos, playlist, "Harbor films")
