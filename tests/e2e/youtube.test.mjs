// URL jobs: real yt-dlp against a real web site on this machine.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, before, test } from 'node:test';
import { closeSockets, userOf } from './clients.mjs';
import { begins, checkResult, checkTranscript, checkUpdates, completed, milestones } from './contract.mjs';
import { startServer } from './harness.mjs';
import { startSite } from './media.mjs';

let server;
let site;
before(async () => {
  site = await startSite();
  server = await startServer({ env: { RUSHES_ALLOW_PRIVATE_ADDRESSES: 'true', ...site.env } });
});
after(async () => {
  closeSockets();
  await server?.dispose();
  site?.stop();
});

/** Submits `url` as a user of its own; gives all its updates. */
async function fate(url, name) {
  const user = userOf(server, name);
  const queue = await user.connect().ready();
  const answer = await user.video(url);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  const updates = await queue.until(answer.body.jobId, undefined, 120_000);
  checkUpdates(updates, 'youtube');
  return updates;
}

test('every step of a video with subtitles is told, and what the site knows of it comes out', async () => {
  const url = `${site.url}/watch?v=harbor`;
  const updates = await fate(url, 'alice');
  assert.deepEqual(milestones(updates), completed('youtube'));
  const { result, metadata } = updates.at(-1);
  assert.equal(metadata.videoUrl, url);
  assert.equal(metadata.videoTitle, 'The harbor and its ships');
  checkResult(result);
  const { video, transcript, thumbnails } = result;
  assert.equal(video.title, 'The harbor and its ships');
  assert.match(video.description, /Grüße aus dem Hafen/);
  assert.deepEqual([video.views, video.likes, video.comments], [123_456, 789, 42]);
  assert.deepEqual(video.tags, ['harbor', 'ships', 'fish market']);
  assert.match(video.publishedAt, /^2024-05-06/);
  checkTranscript(transcript, [/Welcome to this short film about the harbor and its ships\./, /lighthouse/]);
  assert.equal(transcript.language.slice(0, 2), 'en');
  assert.ok(!result.engine.transcription, 'the subtitles were read, nothing was listened to');
  assert.ok(thumbnails.length >= 3);
  for (const { url: picture } of thumbnails) assert.equal((await fetch(new URL(picture, server.url))).status, 200);
});

test('a video without captions is listened to', async () => {
  const updates = await fate(`${site.url}/watch?v=silent`, 'bert');
  assert.deepEqual(milestones(updates), completed('youtube'));
  const { result } = updates.at(-1);
  checkResult(result);
  checkTranscript(result.transcript, [/harbor/i]);
  assert.ok(result.engine.transcription);
  const details = updates.filter((update) => update.stage === 'Fetching video data').map((update) => update.message);
  assert.ok(details.some((message) => /^Transcribing audio: \d+:\d\d of /.test(message)), details.join('\n'));
});

test('manual subtitles come before automatic ones, automatic ones before listening', async () => {
  const updates = await fate(`${site.url}/watch?v=auto`, 'carol');
  const { result } = updates.at(-1);
  checkTranscript(result.transcript, [/welcome to this short film/]);
  assert.ok(!result.engine.transcription);
});

test('any page with a video that yt-dlp can read works', async () => {
  const updates = await fate(`${site.url}/film.html`, 'dora');
  const end = updates.at(-1);
  assert.equal(end.eventType, 'job-completed', end.error);
  checkResult(end.result);
});

const deadPort = () =>
  new Promise((resolve) => {
    const listener = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = listener.address();
      listener.close(() => resolve(port));
    });
  });

const failures = [
  ['a page that is gone (404)', () => `${site.url}/watch?v=nope`, 'URL_DEAD'],
  ['a file that is gone (404)', () => `${site.url}/missing.mp4`, 'URL_DEAD'],
  ['a server that refuses the connection', async () => `http://127.0.0.1:${await deadPort()}/film.mp4`, 'URL_DEAD'],
  ['a host that does not exist', () => 'http://no-such-host.invalid/film.mp4', 'URL_DEAD'],
  ['a private video', () => `${site.url}/watch?v=private`, 'VIDEO_UNAVAILABLE'],
  ['a live stream', () => `${site.url}/watch?v=live`, 'LIVE_NOT_SUPPORTED'],
  ['a page without a video', () => `${site.url}/nothing.html`, 'URL_UNSUPPORTED'],
];
for (const [name, url, code] of failures) {
  test(`${name} ends in job-failed with a reason that a person understands`, async () => {
    const updates = await fate(await url(), `fails: ${name}`);
    const end = updates.at(-1);
    assert.equal(end.eventType, 'job-failed');
    assert.equal(end.metadata.errorCode, code, end.error);
    assert.match(end.error, /^\S.{15,}[.!]$/, 'a sentence');
    assert.doesNotMatch(end.error, /Traceback|ERROR:|yt.dlp|\/tmp|proxy/i, 'nothing of our inside');
    assert.deepEqual(milestones(updates), [
      ...begins,
      'job-progress 20 Fetching video data: Fetching video data',
      'job-failed 20 failed: Job processing failed',
    ]);
  });
}

test('what never can be meant is refused at once, also where private addresses are allowed', async () => {
  const user = userOf(server, 'eve');
  for (const [url, code] of [
    ['http://169.254.169.254/latest/meta-data/', 'URL_PRIVATE_ADDRESS'],
    ['file:///etc/passwd', 'URL_SCHEME'],
  ]) {
    const answer = await user.video(url);
    assert.equal(answer.status, 422, url);
    assert.equal(answer.body.code, code);
  }
  // A redirect to such an address is followed by no one.
  const updates = await fate(`${site.url}/metadata`, 'eve-redirected');
  assert.equal(updates.at(-1).metadata.errorCode, 'URL_PRIVATE_ADDRESS');
  assert.deepEqual(await user.jobs(), []);
});
