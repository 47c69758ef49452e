// The attacks that come as a URL: for each the page of the hostile site, and what the user submits.
import {
  answer, dash, hlsMaster, hlsMedia, hlsSegment, hlsVariant, html, jsonLd, openGraph, redirect, refresh, rss, smil, smoothStreaming,
  smuggle, source, turning, xspf,
} from './pages.mjs';

/** Origins inside, as a page or a user may write them. */
export const literals = [
  'http://127.0.0.1:9000', 'http://2130706433:9000', 'http://0x7f000001:9000', 'http://0x7f.1:9000', 'http://0177.0.0.1:9000',
  'http://017700000001:9000', 'http://127.1:9000', 'http://127.0.1:9000', 'http://0:9000', 'http://0.0.0.0:9000',
  'http://127.0.0.1.:9000', 'http://127.255.255.254:9000', 'http://localhost:9000', 'http://localhost.:9000', 'http://LOCALHOST:9000',
  'http://169.254.169.254', 'http://2852039166', 'http://0xa9fea9fe', 'http://10.0.0.5', 'http://172.16.0.5', 'http://192.168.0.5',
  'http://100.64.0.5', 'http://[::1]:9000', 'http://[::]:9000', 'http://[fd00::5]', 'http://[fe80::5]', 'http://[fe80::5%25lo]',
  'http://[fe80::5%lo]', 'http://[::ffff:127.0.0.1]:9000', 'http://[::ffff:7f00:1]:9000', 'http://[::127.0.0.1]:9000',
  'http://[64:ff9b::7f00:1]:9000', 'http://[2002:7f00:1::1]:9000', 'http://user:word@127.0.0.1:9000', 'http://evil.test@127.0.0.1:9000',
  'http://127.0.0.1:9000\\@evil.test', 'http:\\\\127.0.0.1:9000', 'http:/127.0.0.1:9000', 'http:127.0.0.1:9000', '//127.0.0.1:9000',
  '127.0.0.1:9000', 'http://１２７.０.０.１:9000', 'http://①②⑦.⓪.⓪.①:9000',
  'http://127。0。0。1:9000', 'http://ｌocalhost:9000', 'HTTP://127.0.0.1:9000',
  'HtTp://127.0.0.1:9000', 'https://127.0.0.1:9000', 'http://127.0.0.1:9000#@evil.test', 'http://127.0.0.1:9000?@evil.test',
  'http://%31%32%37.0.0.1:9000', 'http://127.0.0.1%2f@evil.test:9000', ' http://127.0.0.1:9000', 'http://127.0.0.1\t:9000', 'http://127.0.0.1:09000',
  'generic:http://127.0.0.1:9000', 'http-equiv:http://127.0.0.1:9000',
];

/** Names that lead inside; see dns.mjs. */
export const innerNames = [
  'internal.test:9000', 'meta.test', 'lan.test', 'six.test:9000', 'mapped.test:9000', 'nat64.test:9000', 'zero.test:9000', 'multi.test:9000',
];

/** Schemes that yt-dlp, or a library below it, may know. */
export const schemes = [
  'file:///etc/passwd', 'file://localhost/etc/passwd', 'ftp://127.0.0.1:21/clip.mp4', 'ftps://127.0.0.1:21/clip.mp4',
  'rtmp://127.0.0.1:1935/live/clip', 'rtmps://127.0.0.1:443/live/clip', 'rtsp://127.0.0.1:554/clip', 'mms://127.0.0.1:1755/clip',
  'ws://127.0.0.1:9000/clip', 'wss://127.0.0.1:9000/clip', 'gopher://127.0.0.1:70/clip',
  'data:text/html,<video src=http://127.0.0.1:9000/clip.mp4>',
  'concat:http://127.0.0.1:9000/a|b', 'tcp://127.0.0.1:6379',
  'javascript:fetch("http://127.0.0.1:9000")', 'dict://127.0.0.1:6379/', 'sftp://127.0.0.1:22/clip.mp4', 'ytsearch:clip', 'blob:http://127.0.0.1:9000/x',
];

const noProxy = { http_headers: { 'Ytdl-request-proxy': '__noproxy__', 'Metadata-Flavor': 'Google' } };
const proxyInside = { http_headers: { 'Ytdl-request-proxy': 'http://127.0.0.1:9000' } };
const named = 'http://internal.test:9000';

function redirects(add, clip) {
  const inside = ['http://127.0.0.1:9000', named, 'http://169.254.169.254', 'http://six.test:9000', 'http://[::ffff:127.0.0.1]:9000'];
  [301, 302, 303, 307, 308].forEach((status, i) =>
    add('redirects', `${status} to ${inside[i]}`, ({ on, to }) => on('page', redirect(status, to(inside[i])))));
  add('redirects', 'a chain of four', ({ base, on, to }) => {
    on('d', redirect(307, to('http://lan.test')));
    on('c', redirect(301, `http://cdn.test:8080${new URL(base).pathname}/d`));
    on('b', redirect(308, `${base}/c`));
    return on('a', redirect(302, `${base}/b`));
  });
  for (const n of [1, 2]) {
    add('redirects', `a clip that moves inside after ${n} requests`, ({ on, to }) =>
      on('clip.mp4', turning(n, clip, redirect(302, to(named)))));
  }
  for (const origin of ['file://', 'ftp://127.0.0.1:21', '//127.0.0.1:9000', 'https://internal.test:9000', 'http:\\\\127.0.0.1:9000']) {
    add('redirects', `302 to ${origin}`, ({ on, to }) => on('page', redirect(302, to(origin))));
  }
  add('redirects', 'the field Refresh', ({ on, to }) => {
    const fields = { 'Content-Type': 'text/html', Refresh: `0; url=${to(named)}` };
    return on('page', (_, response) => response.writeHead(200, fields).end(html('<p>wait</p>')));
  });
}

function smuggled(add) {
  const ways = {
    'meta refresh': refresh,
    'the field og:video': (to) => html('', openGraph({ video: to })),
    '<source src>': source,
    'JSON-LD contentUrl': (to) => html('', jsonLd({ contentUrl: to })),
    'RSS enclosure': (to) => rss(`<enclosure url="${to}"/>`),
  };
  for (const [way, page] of Object.entries(ways)) {
    add('smuggled options', `${way}, no proxy`, ({ on, to }) => on('page', page(smuggle(to(named), noProxy))));
  }
  for (const inside of ['http://169.254.169.254', 'http://[fd00::5]', 'http://lan.test']) {
    add('smuggled options', `meta refresh to ${inside}, no proxy`, ({ on, to }) => on('page', refresh(smuggle(to(inside), noProxy))));
  }
  add('smuggled options', 'meta refresh, a proxy inside', ({ on, to }) => on('page', refresh(smuggle(to('http://cdn.test'), proxyInside))));
  add('smuggled options', 'a redirect', ({ on, to }) => on('page', redirect(302, smuggle(to(named), noProxy))));
  add('smuggled options', 'the URL of the user, a proxy inside', ({ to }) => smuggle(to('http://cdn.test'), proxyInside));
  add('smuggled options', 'the URL of the user, a name inside', ({ to }) => smuggle(to(named), noProxy));
}

function manifests(add) {
  const hls = {
    'a variant': ({ to }) => hlsMaster(...hlsVariant(to(named, 'video.m3u8'))),
    'a segment after a public one': ({ base, to }) =>
      hlsMedia(...hlsSegment(`${base}/clip.ts`), ...hlsSegment(to('http://127.0.0.1:9000', 'clip.ts'))),
    'a segment that redirects': ({ on, to }) =>
      hlsMedia(...hlsSegment(on('seg.ts', redirect(302, to('http://169.254.169.254', 'clip.ts'))))),
    'a key': ({ base, to }) =>
      hlsMedia(`#EXT-X-KEY:METHOD=AES-128,URI="${to('http://lan.test', 'x.key')}"`, ...hlsSegment(`${base}/clip.ts`)),
    'an initialisation': ({ base, to }) => hlsMedia(`#EXT-X-MAP:URI="${to('http://six.test:9000')}"`, ...hlsSegment(`${base}/clip.ts`)),
    'subtitles and sound': ({ base, on, to }) => {
      const other = 'NAME="English",LANGUAGE="en",DEFAULT=YES';
      return hlsMaster(
        `#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",${other},URI="${to(named, 'en.vtt')}"`,
        `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",${other},URI="${to('http://[fd00::5]', 'a.m3u8')}"`,
        ...hlsVariant(on('v.m3u8', hlsMedia(...hlsSegment(`${base}/clip.ts`))), ',SUBTITLES="s",AUDIO="a"'));
    },
  };
  for (const [name, text] of Object.entries(hls)) add('manifests', `HLS: ${name}`, (site) => site.on('list.m3u8', text(site)));
  const representations = {
    BaseURL: (to) => `<BaseURL>${to(named)}</BaseURL>`,
    SegmentURL: (to) => `<SegmentList duration="2"><Initialization sourceURL="${to('http://127.0.0.1:9000')}"/>
<SegmentURL media="${to('http://169.254.169.254', 'clip.m4s')}"/></SegmentList>`,
    SegmentTemplate: (to) => `<SegmentTemplate timescale="1" duration="2" startNumber="1"
initialization="${to('http://lan.test')}" media="${to('http://[::1]:9000', '$Number$.mp4')}"/>`,
  };
  for (const [name, text] of Object.entries(representations)) {
    add('manifests', `DASH: ${name}`, ({ on, to }) => on('film.mpd', dash(text(to))));
  }
  add('manifests', 'SMIL', ({ on, to }) => on('film.smil', smil(to(named))));
  add('manifests', 'Smooth Streaming', ({ on, to }) => on('film.ism', smoothStreaming(to(named, 'clip-{bitrate}-{start time}.mp4'))));
  add('manifests', 'XSPF', ({ on, to }) => on('film.xspf', xspf(to(named))));
}

function embedded(add) {
  const pages = {
    // What comes beside a public clip: the job may well complete.
    'track, poster and pictures beside a public clip': ({ base, to }) =>
      html(
        `<video poster="${to('http://169.254.169.254', 'p.jpg')}"><source src="${base}/clip.mp4" type="video/mp4">` +
        `<track kind="captions" srclang="en" src="${to(named, 'en.vtt')}"></video>`,
        openGraph({ image: to('http://lan.test', 'i.jpg') }) + jsonLd({ thumbnailUrl: to('http://[::1]:9000', 't.jpg') })),
    'video and source': ({ to }) =>
      html(`<video src="${to('http://127.0.0.1:9000')}"><source src="${to(named)}" type="video/mp4"></video>`),
    audio: ({ to }) => html(`<audio src="${to('http://lan.test')}"></audio>`),
    'JSON-LD contentUrl': ({ to }) => html('', jsonLd({ contentUrl: to(named) })),
    'JSON-LD embedUrl': ({ to }) => html('', jsonLd({ embedUrl: to(named, 'page.html') })),
    'og:video and twitter:player': ({ to }) =>
      html('', `${openGraph({ video: to('http://six.test:9000') })}<meta name="twitter:player:stream" content="${to(named)}">`),
    iframes: ({ to }) => {
      const players = ['embed/1', 'videos/embed/9c9de5e8-0a1e-484a-b099-e80766180a6d', 'vod/embed'];
      return html(players.map((player) => `<iframe src="${to(named, player)}"></iframe>`).join(''));
    },
    'a player of JavaScript': ({ to }) => {
      const tracks = [{ file: to('http://lan.test', 'en.vtt'), kind: 'captions' }];
      const setup = { file: to(named), image: to('http://lan.test', 'i.jpg'), tracks };
      return html(`<div id=p></div><script>jwplayer("p").setup(${JSON.stringify(setup)});</script>`);
    },
    'meta refresh': ({ to }) => refresh(to(named)),
    'meta refresh to a file': () => refresh('file:///etc/passwd'),
    'RSS link': ({ to }) => rss(`<link>${to(named)}</link>`),
  };
  for (const [name, page] of Object.entries(pages)) add('embedded', name, (site) => site.on('page', page(site)));
}

function names(add) {
  for (const name of innerNames) add('names', name, ({ to }) => to(`http://${name}`));
  for (const turn of ['flip', 'after-1', 'after-2', 'after-3']) {
    // Both faces of the name have the same clip at the same path.
    add('rebinding', turn, ({ base }) => `${base.replace('evil.test', `${turn}.${new URL(base).pathname.slice(1)}.rebind.test`)}/clip.mp4`);
  }
  for (const [port, host] of [[22, 'internal.test'], [6379, 'multi.test'], [443, 'lan.test'], [443, 'six.test']]) {
    add('tunnels', `https://${host}:${port}`, ({ to }) => to(`https://${host}:${port}`));
  }
}

/** Puts the hostile site's pages into `lab` and returns `[{family, name, id, url}]`. */
export function attacksOf(lab, clip) {
  const attacks = [];
  const add = (family, name, build) => {
    const id = `${family.replaceAll(' ', '-')}-${attacks.length}`;
    const base = `http://evil.test/${id}`;
    const on = (file, body) => {
      lab.pages.set(`/${id}/${file}`, typeof body === 'function' ? body : answer(file, body));
      return `${base}/${file}`;
    };
    const to = (origin, file = 'clip.mp4') => `${origin}/${id}/${file}`;
    attacks.push({ family, name, id, url: build({ base, on, to }) });
  };
  redirects(add, clip);
  smuggled(add);
  manifests(add);
  embedded(add);
  names(add);
  for (const origin of literals) add('literals', origin, ({ to }) => (/[#?]/.test(origin) ? origin.replace(/(?=[#?])/, '/clip.mp4') : to(origin)));
  for (const url of schemes) add('schemes', url, () => url);
  return attacks;
}
