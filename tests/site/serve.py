#!/usr/bin/env python3
"""serve.py MEDIA_FOLDER [PORT]: the web site that the tests fetch videos from. README.md lists its pages.

Binds 127.0.0.1 (port 0 by default: a free one), prints `PORT n` once it listens, and ends when its standard
input is closed, so that it cannot outlive the test that started it.
"""
import gzip
import http.server
import json
import os
import pathlib
import re
import sys
import threading
import time
import urllib.parse

MEDIA = pathlib.Path(sys.argv[1]).resolve()
TYPES = {".mp4": "video/mp4", ".m4a": "audio/mp4", ".jpg": "image/jpeg", ".vtt": "text/vtt; charset=utf-8",
         ".srt": "application/x-subrip", ".m3u8": "application/vnd.apple.mpegurl", ".ts": "video/mp2t"}

TITLE = "The harbor and its ships"
DESCRIPTION = "A day at the harbor: boats, market, lighthouse. Grüße aus dem Hafen."
CHAPTERS = [("Welcome", 0, 4.5), ("The boats return", 4.5, 8.5), ("The market", 8.5, 13.5), ("The lighthouse", 13.5, 17)]
TRACKS = ('<track kind="captions" srclang="en" label="English" src="en.vtt">'
          '<track kind="captions" srclang="de" label="Deutsch" src="de.vtt">')


def page(body, head=""):
    return f"<!doctype html><html><head><meta charset=utf-8><title>{TITLE}</title>{head}</head><body>{body}</body></html>"


JSON_LD = '<script type="application/ld+json">' + json.dumps({
    "@context": "https://schema.org", "@type": "VideoObject", "name": TITLE, "description": DESCRIPTION,
    "thumbnailUrl": "poster.jpg", "uploadDate": "2024-05-06T07:08:09Z", "duration": "PT17S",
    "interactionStatistic": {"@type": "InteractionCounter", "interactionType": {"@type": "WatchAction"},
                             "userInteractionCount": 1234}}) + "</script>"


def pages(base):
    return {
        "/": page('<a href="film.html">A film</a>'),
        "/film.html": page(f'<video poster="poster.jpg"><source src="video.mp4" type="video/mp4">{TRACKS}</video>', JSON_LD),
        "/plain.html": page('<video src="video.mp4"></video>'),
        "/two.html": page('<video src="video.mp4"></video><video src="picture.mp4"></video>'),
        "/jsonld.html": page("<p>A film</p>", JSON_LD.replace('"thumbnailUrl"', f'"contentUrl": "{base}/video.mp4", "thumbnailUrl"')),
        "/og.html": page("<p>A film</p>", f'<meta property="og:title" content="{TITLE}">'
                         f'<meta property="og:video" content="{base}/video.mp4">'
                         '<meta property="og:video:type" content="video/mp4">'),
        "/nothing.html": page("<p>There is no video here.</p>"),
        "/feed.xml": f'<?xml version="1.0"?><rss version="2.0"><channel><title>Films</title><item><title>{TITLE}</title>'
                     f"<link>{base}/film.html</link></item></channel></rss>",
    }


def record(video, base):
    """What the plugin turns into the shape of a YouTube video."""
    if video not in {"harbor", "auto", "silent", "separate", "live", "large"}:
        return None
    combined = {"format_id": "18", "url": f"{base}/video.mp4", "ext": "mp4", "vcodec": "avc1.64001E", "acodec": "mp4a.40.2",
                "width": 640, "height": 360, "fps": 15}
    audio = {"format_id": "140", "url": f"{base}/audio.m4a", "ext": "m4a", "vcodec": "none", "acodec": "mp4a.40.2", "abr": 64}
    picture = {"format_id": "134", "url": f"{base}/picture.mp4", "ext": "mp4", "vcodec": "avc1.64001E", "acodec": "none",
               "width": 640, "height": 360, "fps": 15}
    large = {**combined, "url": f"{base}/endless.mp4"}
    tracks = lambda *names: [{"url": f"{base}/{n}", "ext": n.rsplit(".")[-1]} for n in names]
    subtitles = {"en": tracks("en.json3", "en.vtt"), "de": tracks("de.vtt")} if video in {"harbor", "separate"} else {}
    automatic = {} if video in {"silent", "large"} else {"en-orig": tracks("auto.vtt"), "fr": tracks("auto.vtt")}
    return {
        "id": video, "title": TITLE, "description": DESCRIPTION, "tags": ["harbor", "ships", "fish market"],
        "categories": ["Travel"], "thumbnail": f"{base}/poster.jpg", "timestamp": 1_714_979_289, "upload_date": "20240506",
        "duration": 17, "view_count": 123_456, "like_count": 789, "comment_count": 42, "language": "en",
        "channel": "Harbor Films", "uploader": "Harbor Films", "webpage_url": f"{base}/watch?v={video}",
        "subtitles": subtitles, "automatic_captions": automatic, "is_live": video == "live",
        "chapters": [{"title": t, "start_time": s, "end_time": e} for t, s, e in CHAPTERS],
        "formats": [large] if video == "large" else [audio, picture] if video == "separate" else [audio, picture, combined],
    }


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", kind="text/html; charset=utf-8", **headers):
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def file(self, path, rate=None):
        size = path.stat().st_size
        first, last, status = 0, size - 1, 200
        wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if wanted:
            first, last, status = int(wanted[1]), min(int(wanted[2] or last), last), 206
            if first >= size:
                return self.answer(416, **{"Content-Range": f"bytes */{size}"})
        self.send_response(status)
        self.send_header("Content-Type", TYPES.get(path.suffix, "application/octet-stream"))
        self.send_header("Content-Length", str(last - first + 1))
        self.send_header("Accept-Ranges", "bytes")
        if status == 206:
            self.send_header("Content-Range", f"bytes {first}-{last}/{size}")
        self.end_headers()
        if self.command == "HEAD":
            return None
        with path.open("rb") as source:
            source.seek(first)
            left = last - first + 1
            while left > 0:
                piece = source.read(min(left, max(rate // 10, 1) if rate else 65_536))
                self.wfile.write(piece)
                left -= len(piece)
                if rate:
                    time.sleep(0.1)
        return None

    def endless(self, stalls):
        self.send_response(200)
        self.send_header("Content-Type", "video/mp4")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        if self.command == "HEAD":
            return
        self.wfile.write((MEDIA / "video.mp4").read_bytes()[:4_096])
        while not stalls:
            self.wfile.write(bytes(65_536))
        self.server.ending.wait()

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        query = dict(urllib.parse.parse_qsl(url.query))
        base = f"http://127.0.0.1:{self.server.server_port}"
        self.server.seen.append(self.path)
        fixed = {"/forbidden": 403, "/gone": 410, "/error": 500, "/overloaded": 503, "/too-many": 429}
        try:
            if url.path in pages(base):
                kind = "application/rss+xml" if url.path == "/feed.xml" else "text/html; charset=utf-8"
                return self.answer(200, pages(base)[url.path], kind)
            if url.path == "/packed.html":
                return self.answer(200, gzip.compress(pages(base)["/film.html"].encode()), **{"Content-Encoding": "gzip"})
            if url.path in fixed:
                return self.answer(fixed[url.path], "no")
            if url.path == "/seen":
                return self.answer(200, json.dumps(self.server.seen), "application/json")
            if url.path == "/redirect":
                return self.answer(302, Location=query.get("to", "/film.html"))
            if url.path == "/loop":
                return self.answer(302, Location="/loop?" + str(int(url.query or 0) + 1))
            if url.path == "/metadata":
                return self.answer(302, Location="http://169.254.169.254/latest/meta-data/")
            if url.path == "/endless.mp4":
                return self.endless(False)
            if url.path == "/stalled.mp4":
                return self.endless(True)
            if url.path == "/mute":
                self.close_connection = True
                return self.server.ending.wait()
            if url.path == "/slow.mp4":
                return self.file(MEDIA / "video.mp4", int(query.get("rate", 100_000)))
            if url.path == "/api/video":
                found = record(query.get("v"), base)
                return self.answer(200 if found else 404, json.dumps(found), "application/json")
            path = (MEDIA / url.path.lstrip("/")).resolve()
            if MEDIA in path.parents and path.suffix in TYPES and path.is_file():
                return self.file(path)
            return self.answer(404, page("<p>Not here.</p>"))
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True
            return None


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


server = Server(("127.0.0.1", int(sys.argv[2]) if len(sys.argv) > 2 else 0), Handler)
server.seen = []
server.ending = threading.Event()
threading.Thread(target=server.serve_forever, daemon=True).start()
os.write(1, f"PORT {server.server_port}\n".encode())  # in one piece, whoever reads it
try:
    sys.stdin.buffer.read()
except KeyboardInterrupt:
    pass
