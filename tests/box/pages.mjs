// What a hostile site writes: answers, pages and manifests around a URL.
import { typeOf } from './lab.mjs';

export const answer = (name, body) => (_, response) => response.writeHead(200, { 'Content-Type': typeOf(name) }).end(body);
export const redirect = (status, to) => (_, response) => response.writeHead(status, { Location: to }).end();
/** The first `n` requests get `first`, the others `then`. */
export const turning = (n, first, then) => {
  let asked = 0;
  return (request, response) => (asked++ < n ? first : then)(request, response);
};

export const html = (body, head = '') => `<!doctype html><html><head><title>A film</title>${head}</head><body>${body}</body></html>`;
export const refresh = (to) => html('', `<meta http-equiv="refresh" content="0;url=${to}">`);
export const source = (to, more = '') => html(`<video><source src="${to}" type="video/mp4">${more}</video>`);
export const openGraph = (fields) =>
  Object.entries({ title: 'A film', ...fields }).map(([name, value]) => `<meta property="og:${name}" content="${value}">`).join('');
export const jsonLd = (fields) => {
  const record = { '@context': 'https://schema.org', '@type': 'VideoObject', name: 'A film', ...fields };
  return `<script type="application/ld+json">${JSON.stringify(record)}</script>`;
};
export const rss = (item) => `<rss version="2.0"><channel><item><title>A film</title>${item}</item></channel></rss>`;

/** yt-dlp's own options in a URL's fragment, which only its extractors should write. */
export const smuggle = (url, options) => `${url}#${new URLSearchParams({ __youtubedl_smuggle: JSON.stringify(options) })}`;

const playlist = (...lines) => ['#EXTM3U', '#EXT-X-VERSION:7', ...lines, ''].join('\n');
export const hlsMaster = (...lines) => playlist(...lines);
export const hlsMedia = (...lines) => playlist('#EXT-X-TARGETDURATION:2', '#EXT-X-PLAYLIST-TYPE:VOD', ...lines, '#EXT-X-ENDLIST');
export const hlsVariant = (to, more = '') => [`#EXT-X-STREAM-INF:BANDWIDTH=400000,RESOLUTION=160x120${more}`, to];
export const hlsSegment = (to) => ['#EXTINF:2,', to];

export const dash = (representation) => `<?xml version="1.0"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" mediaPresentationDuration="PT2S">
<Period><AdaptationSet mimeType="video/mp4">
<Representation id="v" bandwidth="400000" width="160" height="120" codecs="avc1.42c00a">${representation}</Representation>
</AdaptationSet></Period></MPD>`;
export const smil = (to) => `<smil><body><switch><video src="${to}" system-bitrate="400000"/></switch></body></smil>`;
export const smoothStreaming = (to) => `<SmoothStreamingMedia MajorVersion="2" Duration="20000000"><StreamIndex Type="video" Url="${to}">
<QualityLevel Index="0" Bitrate="400000" FourCC="H264" MaxWidth="160" MaxHeight="120" CodecPrivateData=""/><c d="20000000"/>
</StreamIndex></SmoothStreamingMedia>`;
export const xspf = (to) => `<playlist version="1" xmlns="http://xspf.org/ns/0/"><trackList>
<track><title>A film</title><location>${to}</location></track></trackList></playlist>`;
