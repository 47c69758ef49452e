// A hostile site and a hostile user against a server with default settings: nothing of the operator's network is reached.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { userOf } from '../e2e/clients.mjs';
import { waitFor } from '../e2e/harness.mjs';
import { attacksOf, innerNames, literals } from './attacks.mjs';
import { secret, serveFile, startLab } from './lab.mjs';
import { enterLab, internalAddresses } from './namespaces.mjs';
import { dash, hlsMedia, hlsSegment, refresh, smuggle } from './pages.mjs';

const { folder } = await enterLab(import.meta.url);
const maxBytes = 8 * 1024 * 1024;
const hostLimit = 256 * 1024 * 1024; // the site's own end of what is endless: a hole must not fill this machine's disk

let lab;
let server;
let attacks;
before(async () => {
  lab = await startLab({ folder });
  // One attempt: what fails is not tried again after a pause. The rest is as installed.
  server = await lab.server({ env: { RUSHES_WORKERS: '4', RUSHES_MAX_ATTEMPTS: '1', RUSHES_MAX_UPLOAD_BYTES: String(maxBytes) } });
  attacks = attacksOf(lab, (request, response) => serveFile(request, response, lab.clip.mp4, 'clip.mp4'));
});
after(async () => {
  await server?.dispose();
  lab?.close();
});

/** Submits `url`: the job, or that it was refused. */
async function fate(name, url) {
  const user = userOf(server, name);
  const answer = await user.video(url);
  if (answer.status !== 201) {
    assert.ok(answer.status === 400 || answer.status === 422, `${name}: ${answer.status} ${JSON.stringify(answer.body)}`);
    return { user, status: 'refused' };
  }
  return { user, jobId: answer.body.jobId };
}

const end = async ({ user, jobId, ...refused }) => {
  if (!jobId) return refused;
  const { status, error, result } = await user.ended(jobId, 120_000);
  return { status, error, result };
};
const show = (hits) =>
  hits.map(({ address, port, method = 'connection', path: asked, headers }) =>
    `${method} ${asked} at ${address}:${port}${headers?.['metadata-flavor'] ? ' with Metadata-Flavor' : ''}`);
const noHits = (hits) => assert.deepEqual(show(hits), [], 'what reached the internal services');

test('control: the internal services notice a visitor', async () => {
  for (const address of ['127.0.0.1', '::1', ...internalAddresses.filter((one) => one !== 'fe80::5')]) {
    const host = address.includes(':') ? `[${address}]` : address;
    const answer = await fetch(`http://${host}:9000/control`);
    assert.match(await answer.text(), new RegExp(secret));
    assert.ok(lab.hits.some((hit) => hit.port === 9000 && hit.path === '/control' && hit.address.length > 0), address);
    lab.hits.length = 0;
  }
});

test('control: a video of the public web is fetched and analysed', async () => {
  const { status, error, result } = await end(await fate('control', 'http://evil.test/film/clip.mp4'));
  assert.equal(status, 'completed', error);
  assert.ok(result.thumbnails.length > 0);
  noHits(lab.hits);
});

test('what has no end is cut off at the limit, and takes no more of the disk', async () => {
  const sent = { plain: 0, smuggled: 0 };
  const endless = (which) => (_, response) => {
    response.writeHead(200, { 'Content-Type': 'video/mp4' }).write(lab.clip.mp4.subarray(0, 4096));
    const block = Buffer.alloc(65_536);
    const more = () => {
      while (sent[which] < hostLimit && !response.destroyed) {
        sent[which] += block.length;
        if (!response.write(block)) return response.once('drain', more);
      }
      return response.end();
    };
    more();
  };
  lab.pages.set('/endless.mp4', endless('plain'));
  lab.pages.set('/endless-smuggled.mp4', endless('smuggled'));
  const past = smuggle('http://evil.test/endless-smuggled.mp4', { http_headers: { 'Ytdl-request-proxy': '__noproxy__' } });
  lab.pages.set('/to-endless', (_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end(refresh(past)));

  const size = (name) => {
    try {
      const status = fs.lstatSync(name);
      return status.isDirectory() ? fs.readdirSync(name).reduce((sum, one) => sum + size(path.join(name, one)), 0) : status.blocks * 512;
    } catch {
      return 0; // it went while we looked
    }
  };
  const before = size(server.dataDir);
  let peak = 0;
  const jobs = [await fate('endless', 'http://evil.test/endless.mp4'), await fate('endless, smuggled', 'http://evil.test/to-endless')];
  const ends = await waitFor(async () => {
    peak = Math.max(peak, size(server.dataDir) - before);
    const all = await Promise.all(jobs.map(({ user, jobId }) => user.status(jobId)));
    return all.every(({ status }) => status === 'failed' || status === 'completed') && all;
  }, 'the end of both jobs', 60_000);
  for (const { status } of ends) assert.equal(status, 'failed');
  assert.equal(ends[0].metadata.errorCode, 'VIDEO_TOO_LARGE', JSON.stringify(ends[0]));
  const most = 4 * maxBytes + 64 * 1024 * 1024; // what the site sent may wait in buffers, and is asked for twice
  console.log(`endless: the site sent ${JSON.stringify(sent)} bytes, the data folder grew by at most ${peak}`);
  assert.ok(peak <= 4 * maxBytes, `the data folder grew by ${peak} bytes`);
  for (const [which, bytes] of Object.entries(sent)) assert.ok(bytes <= most, `${which}: ${bytes} bytes were fetched`);
});

test('all attacks are submitted', async () => {
  for (const attack of attacks) attack.job = await fate(`${attack.family}: ${attack.name}`, attack.url);
  assert.ok(attacks.filter(({ job }) => job.jobId).length > 50, 'most of them become jobs');
});

for (const family of ['literals', 'schemes', 'redirects', 'smuggled options', 'manifests', 'embedded', 'names', 'rebinding', 'tunnels']) {
  test(`${family}: each ends without a look inside`, async () => {
    const all = attacks.filter((attack) => attack.family === family);
    assert.ok(all.length > 0);
    const leaks = [];
    for (const attack of all) {
      const { result, error = '' } = await end(attack.job);
      const told = JSON.stringify([result, error]);
      if (told.includes(secret) || told.includes('root:x:0')) leaks.push(`${attack.name}: internal words in its result`);
    }
    assert.deepEqual(leaks, []);
    noHits(lab.hits.filter((hit) => hit.path.includes(`/${family.replaceAll(' ', '-')}-`)));
  });
}

test('files that name other places are not followed', async () => {
  const to = (name) => `http://internal.test:9000/upload/${name}`;
  const files = {
    HLS: hlsMedia(...hlsSegment(to('clip.ts'))),
    'HLS key': hlsMedia(`#EXT-X-KEY:METHOD=AES-128,URI="${to('x.key')}"`, ...hlsSegment('clip.ts')),
    concat: `ffconcat version 1.0\nfile ${to('clip.mp4')}\n`,
    'concat of a file': 'ffconcat version 1.0\nfile /etc/passwd\n',
    SDP: 'v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9000 RTP/AVP 96\na=rtpmap:96 H264/90000\n',
    DASH: dash(`<BaseURL>${to('clip.mp4')}</BaseURL>`),
    'RTSP reference': `RTSPtext\r\n${to('clip.mp4').replace('http', 'rtsp')}\r\n`,
  };
  for (const [name, text] of Object.entries(files)) {
    const user = userOf(server, `file: ${name}`);
    const { status, body } = await user.upload(Buffer.from(text), { fileName: 'film.mp4' });
    assert.ok(status === 201 || (status >= 400 && status < 500), `${name}: ${status}`);
    if (status === 201) assert.equal((await user.ended(body.jobId)).status, 'failed', name);
  }
  noHits(lab.hits.filter((hit) => hit.path.includes('/upload/')));
});

test('webhooks do not lead inside', async () => {
  lab.pages.set('/hook-301', (_, response) => response.writeHead(301, { Location: 'http://127.0.0.1:9000/webhook' }).end());
  lab.pages.set('/hook-307', (_, response) => response.writeHead(307, { Location: 'http://internal.test:9000/webhook' }).end());
  const urls = [
    ...[...innerNames, 'flip.hook.rebind.test:9000', 'after-1.hook.rebind.test:9000'].map((host) => `http://${host}/webhook`),
    ...literals.map((origin) => `${origin}/webhook`),
    'http://evil.test/hook-301', 'http://evil.test/hook-307', 'file:///etc/passwd', 'ftp://127.0.0.1/webhook', 'gopher://127.0.0.1:70/webhook',
  ];
  let taken = 0;
  for (const [i, url] of urls.entries()) {
    const user = userOf(server, `webhook ${i}`);
    const { status, body } = await user.post('/webhooks', { url });
    assert.ok(status === 201 || (status >= 400 && status < 500), `${url}: ${status}`);
    if (status !== 201) continue;
    taken += 1;
    assert.equal((await user.post(`/webhooks/${body.id}/test`)).status, 202);
    await waitFor(async () => (await user.get(`/webhooks/${body.id}/deliveries`)).body.deliveries.some(({ attempts }) => attempts > 0), `an attempt at ${url}`, 20_000);
  }
  assert.ok(taken > 5, 'names are looked up when a message is sent');
  noHits(lab.hits.filter((hit) => hit.path.includes('/webhook')));
});

test('a key set that moved inside is not fetched from there', async () => {
  lab.pages.set('/keys.json', (_, response) => response.writeHead(302, { Location: 'http://127.0.0.1:9000/keys.json' }).end());
  await assert.rejects(lab.server({ secret: null, env: { RUSHES_JWT_JWKS: 'http://evil.test/keys.json' } }), /jwt_jwks/, 'the start ends with the reason');
  assert.ok(lab.seen.some(({ path: asked }) => asked === '/keys.json'), 'control: it was asked for');
  noHits(lab.hits.filter((hit) => hit.path.includes('/keys.json')));
});

test('nothing at all has reached the internal services', () => noHits(lab.hits));

test('the server is well', async () => {
  const { status, error } = await end(await fate('after all', 'http://evil.test/again/clip.mp4'));
  assert.equal(status, 'completed', error);
});
