// Upload jobs: real speech over real pictures, and files that are none.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { closeSockets, userOf } from './clients.mjs';
import { begins, checkResult, checkTranscript, checkUpdates, completed, milestones } from './contract.mjs';
import { startServer } from './harness.mjs';
import { brokenFilm, media } from './media.mjs';
import { talk } from './texts.mjs';

let server;
before(async () => {
  await media();
  server = await startServer();
});
after(async () => {
  closeSockets();
  await server?.dispose();
});

test('every step of an upload is told, and the film comes out analysed', async () => {
  const { film } = await media();
  const alice = userOf(server, 'alice');
  const queue = await alice.connect().ready();
  const submitted = await alice.upload(film, { fileName: 'A day at the harbor.mp4', configuration: { language: 'en' } });
  assert.equal(submitted.status, 201, JSON.stringify(submitted.body));
  assert.equal(submitted.body.message, 'Job queued at position 1');
  const updates = await queue.until(submitted.body.jobId);

  assert.deepEqual(milestones(updates), completed('upload'));
  checkUpdates(updates, 'upload');
  const details = updates.filter((update) => update.stage === 'Transcribing audio').slice(1);
  assert.ok(details.length >= 1, 'the transcription says how far it is');
  for (const { message, progress } of details) {
    assert.match(message, /^Transcribing audio: \d+:\d\d of 0:1[78]$/);
    assert.ok(progress >= 50 && progress < 60);
  }

  const { result, metadata } = updates.at(-1);
  assert.equal(metadata.videoTitle, 'A day at the harbor');
  checkResult(result);
  // PocketSphinx hears most of it; these words it hears every time.
  checkTranscript(result.transcript, [/harbor/i, /morning/i]);
  assert.equal(result.transcript.language.slice(0, 2), 'en');
  assert.ok(result.engine.transcription);
  assert.match(result.video.duration, /17|18/);

  assert.ok(result.thumbnails.length >= 3, 'real frames');
  for (const thumbnail of result.thumbnails) {
    assert.ok(thumbnail.time >= 0 && thumbnail.time <= 18);
    assert.equal(thumbnail.width, 640);
    assert.equal(thumbnail.height, 360);
    const picture = await fetch(new URL(thumbnail.url, server.url));
    assert.equal(picture.status, 200);
    assert.match(picture.headers.get('content-type'), /^image\/(jpeg|webp)$/);
    assert.ok((await picture.arrayBuffer()).byteLength > 1000);
  }
  for (const url of [result.transcript.vttUrl, result.transcript.srtUrl]) {
    assert.equal((await fetch(new URL(url, server.url))).status, 200, url);
  }
});

test('a recording without pictures works too, without thumbnails', async () => {
  const { sound } = await media();
  const bert = userOf(server, 'bert');
  const { jobId } = (await bert.upload(sound)).body;
  const status = await bert.ended(jobId);
  assert.equal(status.status, 'completed', status.error);
  checkResult(status.result);
  checkTranscript(status.result.transcript, [/harbor/i]);
  assert.deepEqual(status.result.thumbnails ?? [], []);
  assert.equal(status.data.fileName, 'audio.m4a');
});

const failures = [
  ['a text file named .mp4', async () => Buffer.from(`${talk}\n`.repeat(50)), 'talk.mp4', 'MEDIA_UNREADABLE'],
  ['a film that breaks off', brokenFilm, 'broken.mp4', 'MEDIA_UNREADABLE'],
  ['bytes that mean nothing', async () => Buffer.alloc(100_000, 7), 'noise.mp4', 'MEDIA_UNREADABLE'],
];
for (const [name, bytes, fileName, code] of failures) {
  test(`${name} ends in job-failed with a reason that a person understands`, async () => {
    const user = userOf(server, `fails-${fileName}`);
    const queue = await user.connect().ready();
    const answer = await user.upload(await bytes(), { fileName });
    // The form is in order; that the file is none shows when it is opened, in the worker's box.
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    const { jobId } = answer.body;
    const updates = await queue.until(jobId);
    checkUpdates(updates, 'upload');
    const end = updates.at(-1);
    assert.deepEqual(milestones(updates), [
      ...begins,
      'job-progress 30 Preparing upload: Preparing upload',
      'job-failed 30 failed: Job processing failed',
    ]);
    assert.equal(end.metadata.errorCode, code);
    assert.match(end.error, /^[A-Z].{15,}[.!]$/, 'a sentence');
    assert.doesNotMatch(end.error, /\/tmp|source|av_|errno|Errc|exception/i, 'nothing of our inside');
    assert.equal(end.metadata.attempt, 1, 'trying again would not help');
    const status = await user.status(jobId);
    assert.equal(status.status, 'failed');
    assert.equal(status.error, end.error);
    assert.equal(status.metadata.errorCode, code);
  });
}

test('a failed upload takes nothing with it: the next job of the same user succeeds', async () => {
  const user = userOf(server, 'fails-talk.mp4');
  const { jobId } = (await user.transcript(talk)).body;
  assert.equal((await user.ended(jobId)).status, 'completed');
});

test('of the files of a result none is a link to another', async () => {
  const keyOf = (last) => `00000000-0000-7000-8000-00000000000${last}-key`;
  const folder = path.join(server.dataDir, 'files', keyOf(1));
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, 'plain.jpg'), 'picture');
  fs.symlinkSync('/etc/hostname', path.join(folder, 'link.jpg'));
  fs.mkdirSync(path.join(folder, 'folder.jpg'));
  fs.symlinkSync(folder, path.join(server.dataDir, 'files', keyOf(2)));
  const get = async (key, name) => {
    const answer = await fetch(`${server.url}/files/${key}/${name}`);
    return [answer.status, answer.status === 200 ? await answer.text() : ''];
  };
  assert.deepEqual(await get(keyOf(1), 'plain.jpg'), [200, 'picture']);
  for (const [key, name] of [[keyOf(1), 'link.jpg'], [keyOf(1), 'folder.jpg'], [keyOf(1), 'absent.jpg'], [keyOf(2), 'plain.jpg']]) {
    assert.equal((await get(key, name))[0], 404, `${key}/${name}`);
  }
});
