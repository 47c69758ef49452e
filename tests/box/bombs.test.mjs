// Small inputs that become large: the bomber's job ends, the server answers, and another user's work goes on.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { userOf } from '../e2e/clients.mjs';
import { startServer, waitFor } from '../e2e/harness.mjs';
import { media } from '../e2e/media.mjs';
import * as bombs from './bombs.mjs';
import { largestChild, measureOf, watch } from './footprint.mjs';
import { hlsMedia, hlsSegment } from './pages.mjs';

const MiB = 1024 * 1024;
const patience = Number(process.env.E2E_PATIENCE ?? 1);
const jobMemory = 1024; // MiB
const maxBytes = 32 * MiB;
const hostLimit = 512 * MiB; // the site's own end of what is endless

let server;
let site;
let sent = 0;
let measure;
let idle = 0; // MiB of the largest descendant before any bomb: a warm parent, where there is one

/** The bombs that come over the network. */
async function startBombSite() {
  const begin = fs.readFileSync((await media()).film).subarray(0, 4096);
  const endless = (response, first) => {
    const block = Buffer.alloc(65_536);
    response.write(first);
    const more = () => {
      while (sent < hostLimit && !response.destroyed) {
        sent += block.length;
        if (!response.write(block)) return response.once('drain', more);
      }
      return response.end();
    };
    more();
  };
  const answers = {
    '/endless.mp4': (response) => endless(response.writeHead(200, { 'Content-Type': 'video/mp4' }), begin),
    '/gzip': async (response) =>
      response.writeHead(200, { 'Content-Type': 'text/html', 'Content-Encoding': 'gzip' }).end(fs.readFileSync(await bombs.gzipPage())),
    '/list.m3u8': (response) => {
      const segments = Array.from({ length: 20_000 }, (_, i) => hlsSegment(`${i}.ts`)).flat();
      response.writeHead(200, { 'Content-Type': 'application/vnd.apple.mpegurl' }).end(hlsMedia(...segments));
    },
  };
  const segment = Buffer.alloc(MiB);
  const listener = http.createServer((request, response) => {
    if (answers[request.url]) return answers[request.url](response);
    if (!request.url.endsWith('.ts') || sent > hostLimit) return response.writeHead(404).end();
    sent += segment.length;
    return response.writeHead(200, { 'Content-Type': 'video/mp2t', 'Content-Length': segment.length }).end(segment);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return { url: `http://127.0.0.1:${listener.address().port}`, stop: () => { listener.closeAllConnections(); listener.close(); } };
}

before(async () => {
  site = await startBombSite();
  server = await startServer({
    env: {
      RUSHES_ALLOW_PRIVATE_ADDRESSES: 'true',
      RUSHES_MAX_JOB_MEMORY: String(jobMemory * MiB),
      RUSHES_MAX_UPLOAD_BYTES: String(maxBytes),
    },
  });
  const warm = userOf(server, 'first');
  await warm.ended((await warm.transcript('The harbor opens early. The boats bring fish.')).body.jobId);
  measure = measureOf(server.pid);
  idle = largestChild(server, measure);
});
after(async () => {
  await server?.dispose();
  site?.stop();
});

/** What `other` would do on any day, done while the bomb is there. */
async function neighbour(name) {
  const user = userOf(server, `neighbour of ${name}`);
  const words = await user.transcript('The harbor opens early. The boats bring fish. The market sells the fish at noon.');
  const film = await user.upload((await media()).film);
  for (const { status, body } of [words, film]) {
    assert.equal(status, 201, JSON.stringify(body));
    const end = await user.ended(body.jobId, 60_000);
    assert.equal(end.status, 'completed', `a neighbour's job: ${end.error}`);
  }
}

const cancel = (user, job) => user.post(`/analyze/job/${job}/cancel`);

/** Ends of a bomb: the codes of its failure, and whether it may complete as well. */
async function explode(name, submit, { codes, mayComplete = false, cancelAfter }) {
  const bomber = userOf(server, name);
  const peak = await watch(server, measure, async () => {
    const answer = await submit(bomber);
    // What can be seen at once may be refused at once.
    if (answer.status !== 201) return [{ status: 'failed', error: answer.body.message, metadata: { errorCode: answer.body.code } }, []];
    const { jobId } = answer.body;
    const other = neighbour(name);
    const inTime = await bomber.ended(jobId, cancelAfter ?? 30_000).catch(() => null);
    // The next bomb must not be measured together with this one.
    if (!inTime) await cancel(bomber, jobId);
    const end = inTime ?? (await bomber.ended(jobId, 10_000));
    await other;
    return [end, (await bomber.get(`/analyze/job/${jobId}/attempts`)).body.attempts];
  });
  const [end, attempts] = peak.result;
  const round = (value) => Math.round(value);
  console.log(
    `${name}: ${end.status} ${end.metadata?.errorCode ?? ''}; peak of ${measure} in MiB: server ${round(peak.server)}, largest child ` +
    `${round(peak.largest)}, all children ${round(peak.jobs)}; slowest /health ${round(peak.slowest)} ms; ${attempts.length} attempts`,
  );
  assert.ok(peak.server < 300, `the server had ${round(peak.server)} MiB`);
  assert.ok(peak.largest <= jobMemory + idle, `a process had ${round(peak.largest)} MiB, with ${round(idle)} MiB when idle`);
  assert.ok(peak.slowest < 1000 * patience, `/health took ${round(peak.slowest)} ms`);
  if (end.status === 'failed') {
    assert.match(end.metadata.errorCode, codes, end.error);
    assert.match(end.error, /^\S.{15,}[.!]$/, 'a sentence');
    assert.doesNotMatch(end.error, /signal|bad_alloc|Traceback|\/tmp|rlimit/i, 'nothing of our inside');
    assert.ok(attempts.length <= 2, `${attempts.length} attempts`);
  } else {
    assert.ok(mayComplete, `${end.status}, where one of ${codes} is right`);
    assert.ok(cancelAfter || end.status === 'completed', 'it had to be cancelled');
  }
}

const tooMuch = /^(MEDIA_TOO_MANY_PIXELS|JOB_OUT_OF_MEMORY|JOB_OUT_OF_TIME)$/;
const uploadOf = (make) => async (user) => user.upload(await make());

test('three streams of pictures of 14,000 × 14,000 in MKV', () => explode('three pictures', uploadOf(bombs.threePictures), { codes: tooMuch }));
test('one such picture in MOV', () => explode('one picture', uploadOf(bombs.onePicture), { codes: tooMuch }));
// A cover is no part of what is analysed: the sound may well be.
test('one such picture as the cover of an MP3', () => explode('cover', uploadOf(bombs.cover), { codes: tooMuch, mayComplete: true }));
test('a hundred streams', () => explode('streams', uploadOf(bombs.manyStreams), { codes: /^MEDIA_TOO_MANY_STREAMS$/ }));
test('thirteen hours of silence', () => explode('long', uploadOf(bombs.longSilence), { codes: /^MEDIA_TOO_LONG$/ }));
// Each of them is allowed; the budget of a job may end it, or the user, whose word takes effect at once.
test('forty pictures of 8000 × 4990', () => explode('forty pictures', uploadOf(bombs.manyPictures), { codes: tooMuch, mayComplete: true, cancelAfter: 15_000 }));

const fetching = [
  ['a page of 1 GiB in 1 MB of gzip', '/gzip', /^(JOB_OUT_OF_MEMORY|JOB_OUT_OF_TIME|VIDEO_TOO_LARGE|URL_UNSUPPORTED)$/],
  ['media without end', '/endless.mp4', /^(VIDEO_TOO_LARGE|JOB_OUT_OF_SPACE)$/],
  ['twenty thousand segments of 1 MiB', '/list.m3u8', /^(VIDEO_TOO_LARGE|JOB_OUT_OF_SPACE)$/],
];
for (const [name, route, codes] of fetching) {
  test(`by URL: ${name}`, async () => {
    sent = 0;
    await explode(name, (user) => user.video(site.url + route), { codes });
    assert.ok(sent <= 4 * maxBytes + 64 * MiB, `${sent} bytes were fetched`);
  });
}

test('nothing is left of any of them', async () => {
  await waitFor(() => server.filesIn('scratch').length === 0, () => `an empty scratch folder; in it: ${server.filesIn('scratch')}`);
  await waitFor(() => largestChild(server, measure) <= idle + 200, 'children as small as before');
});
