// The lab: a server under test between a hostile public web and an operator's network that counts who comes in.
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { once } from 'node:events';
import { run, startServer } from '../e2e/harness.mjs';
import { media } from '../e2e/media.mjs';
import { startDns } from './dns.mjs';
import { asOrdinaryUser, ownFolder, publicAddress } from './namespaces.mjs';

/** What only the internal services know. */
export const secret = 'INTERNAL-SECRET-7f3a';
/** Everything listens on all addresses at these: who was meant shows in the address that the connection came to. */
export const ports = [80, 443, 8080, 9000, 21, 22, 70, 554, 1755, 1935, 6379];

const types = {
  '.mp4': 'video/mp4', '.ts': 'video/mp2t', '.m3u8': 'application/vnd.apple.mpegurl', '.mpd': 'application/dash+xml',
  '.vtt': 'text/vtt', '.jpg': 'image/jpeg', '.xml': 'application/xml', '.txt': 'text/plain', '.key': 'application/octet-stream',
};
export const typeOf = (name) => types[path.extname(name)] ?? 'text/html; charset=utf-8';

/** A clip of two seconds, too quiet to be listened to, as a file and as one HLS segment. */
async function clips(folder) {
  const ffmpeg = async (name, args) => {
    const wanted = path.join(folder, name);
    const end = await run('ffmpeg', ['-nostdin', '-v', 'error', '-y', ...args, wanted]);
    if (end.code !== 0) throw new Error(`ffmpeg for ${name}: ${end.stderr}`);
    return fs.readFileSync(wanted);
  };
  const sources = ['-f', 'lavfi', '-i', 'testsrc2=s=160x120:r=5:d=2', '-f', 'lavfi', '-i', 'anullsrc=r=16000:cl=mono', '-shortest'];
  const mp4 = await ffmpeg('clip.mp4', [...sources, '-c:v', 'libx264', '-c:a', 'aac', '-pix_fmt', 'yuv420p', '-movflags', '+faststart']);
  return { mp4, ts: await ffmpeg('clip.ts', ['-i', path.join(folder, 'clip.mp4'), '-c', 'copy']) };
}

/** Answers any request for `name` as a video site would. */
export function serveFile(request, response, bytes, name) {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const first = range ? Number(range[1]) : 0;
  const last = range?.[2] ? Math.min(Number(range[2]), bytes.length - 1) : bytes.length - 1;
  const headers = { 'Content-Type': typeOf(name), 'Content-Length': last - first + 1, 'Accept-Ranges': 'bytes' };
  if (range) headers['Content-Range'] = `bytes ${first}-${last}/${bytes.length}`;
  response.writeHead(range ? 206 : 200, headers).end(bytes.subarray(first, last + 1));
}

/** Starts names, web and internal services. `server(options)` starts a server under test in their midst. */
export async function startLab({ folder }) {
  const made = await clips(folder);
  const hits = []; // what reached the internal services: {address, port, path, headers}; path is empty for a connection
  const seen = []; // what reached the public web
  const pages = new Map(); // path -> answer(request, response)

  const internal = (request, response) => {
    const { pathname } = new URL(request.url, 'http://x');
    const answers = {
      '.mp4': made.mp4,
      '.m4s': made.mp4,
      '.ts': made.ts,
      '.key': Buffer.alloc(16),
      '.vtt': `WEBVTT\n\n00:00.000 --> 00:01.000\n${secret}\n`,
      '.m3u8': '#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXT-X-PLAYLIST-TYPE:VOD\n#EXTINF:2,\nclip.ts\n#EXT-X-ENDLIST\n',
    };
    const answer = answers[path.extname(pathname)] ?? `<title>${secret}</title><video src="/clip.mp4"></video>`;
    return serveFile(request, response, Buffer.from(answer), pathname);
  };
  const outside = (request, response) => {
    const { pathname } = new URL(request.url, 'http://x');
    const page = pages.get(pathname);
    if (page) return page(request, response);
    if (/\/clip\.(mp4|ts)$/.test(pathname)) return serveFile(request, response, pathname.endsWith('.ts') ? made.ts : made.mp4, pathname);
    return response.writeHead(404).end('not here');
  };
  const addressOf = ({ localAddress = '', localPort }) => ({ address: localAddress.replace(/^::ffff:/, ''), port: localPort });
  const isPublic = (socket) => addressOf(socket).address === publicAddress;

  const services = await Promise.all(ports.map(async (port) => {
    const service = http.createServer((request, response) => {
      const note = { ...addressOf(request.socket), path: request.url, headers: request.headers, method: request.method };
      request.resume();
      (isPublic(request.socket) ? seen : hits).push(note);
      (isPublic(request.socket) ? outside : internal)(request, response);
    });
    // A connection alone is a hit as well, whatever is said on it.
    service.on('connection', (socket) => isPublic(socket) || hits.push({ ...addressOf(socket), path: '' }));
    // CONNECT: a service that is asked to be a proxy.
    service.on('connect', (request, socket) => {
      (isPublic(socket) ? seen : hits).push({ ...addressOf(socket), path: request.url, headers: request.headers, method: 'CONNECT' });
      socket.end('HTTP/1.1 405 no\r\n\r\n');
    });
    service.on('clientError', (_, socket) => socket.destroy());
    service.listen(port, '::');
    await once(service, 'listening');
    return service;
  }));
  const dns = await startDns();

  return {
    hits,
    seen,
    pages,
    clip: made,
    media,
    /** A server as an ordinary user with the default settings, but for `env`. */
    server({ env = {}, through = asOrdinaryUser, ...more } = {}) {
      const dataDir = ownFolder('rushes-lab-data-');
      return startServer({ env: { HOME: dataDir, PATH: '/usr/local/bin:/usr/bin:/bin', ...env }, through, dataDir, ...more });
    },
    close() {
      dns.close();
      for (const service of services) {
        service.closeAllConnections();
        service.close();
      }
    },
  };
}

