// Cancelling: running work really stops, and soon.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeSockets, userOf } from './clients.mjs';
import { begins, checkProblem, checkUpdates, milestones } from './contract.mjs';
import { boxes, isAlive, startServer, waitFor, zygote } from './harness.mjs';
import { longSpeech, startSite } from './media.mjs';
import { talk } from './texts.mjs';

let server;
let site;
before(async () => {
  await longSpeech();
  site = await startSite();
  const env = { RUSHES_WORKERS: '1', RUSHES_TRANSCRIPT_LANE: '0', RUSHES_ALLOW_PRIVATE_ADDRESSES: 'true', ...site.env };
  server = await startServer({ env });
});
after(async () => {
  closeSockets();
  await server?.dispose();
  site?.stop();
});

/** Cancels `job`, the only one that runs, and gives how long the event took and which processes of boxes it found alive. */
async function cancelled(user, queue, job) {
  const working = boxes(server);
  assert.ok(working.length >= 1, 'a box is at work');
  const parent = zygote(server);
  assert.ok(parent, 'a zygote');
  let told = null;
  queue.socket.on('queue-update', (update) => {
    if (update.jobId === job && update.eventType === 'job-cancelled') {
      told = { at: Date.now(), left: [...working.filter(isAlive), ...boxes(server)] };
    }
  });
  const asked = Date.now();
  const answer = await user.post(`/analyze/job/${job}/cancel`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.deepEqual(answer.body, { cancelled: true, message: 'Job cancelled by user' });
  await waitFor(() => told, 'job-cancelled');
  assert.equal(zygote(server), parent, 'the zygote lives on');
  return { took: told.at - asked, left: told.left };
}

test('a job in the middle of its transcription is cancelled within 2 s, and nothing of it runs on', async () => {
  const alice = userOf(server, 'alice');
  const queue = await alice.connect().ready();
  const { jobId } = (await alice.upload(await longSpeech())).body;
  await waitFor(() => queue.updates(jobId).some(({ message }) => /^Transcribing audio: 0:[1-5]/.test(message)), 'the transcription', 30_000);

  const { took, left } = await cancelled(alice, queue, jobId);
  assert.ok(took < 2000, `it took ${took} ms`);
  assert.deepEqual(left, [], 'the event says what is true already: the box and all in it are gone');

  const updates = queue.updates(jobId);
  checkUpdates(updates, 'upload');
  const end = updates.at(-1);
  assert.deepEqual([end.eventType, end.stage, end.message], ['job-cancelled', 'cancelled', 'Job cancelled by user']);
  assert.ok(end.progress >= 50 && end.progress < 60, 'where it stopped');
  const status = await alice.status(jobId);
  assert.deepEqual([status.status, status.result, status.error], ['cancelled', null, null]);
  assert.ok(status.finishedAt);
  assert.deepEqual(server.filesIn('scratch'), []);
  checkProblem(await alice.post(`/analyze/job/${jobId}/cancel`), 409, 'JOB_ENDED');

  const next = (await alice.transcript(talk)).body.jobId;
  assert.equal((await queue.until(next)).at(-1).eventType, 'job-completed', 'the next job gets a box');
  assert.equal(queue.updates(jobId).at(-1), end, 'and nothing more is told of the cancelled job');
});

test('a download is cancelled with yt-dlp and all', async () => {
  const bert = userOf(server, 'bert');
  const queue = await bert.connect().ready();
  const { jobId } = (await bert.video(`${site.url}/slow.mp4?rate=20000`)).body;
  await waitFor(() => queue.updates(jobId).some(({ message }) => /^Downloading video: /.test(message)), 'the download', 30_000);
  assert.ok(boxes(server).length >= 2, 'the first process of the box and yt-dlp');
  const { took, left } = await cancelled(bert, queue, jobId);
  assert.ok(took < 2000, `it took ${took} ms`);
  assert.deepEqual(left, []);
  assert.deepEqual(server.filesIn('scratch'), []);

  const next = (await bert.video(`${site.url}/watch?v=harbor`)).body.jobId;
  assert.equal((await queue.until(next)).at(-1).eventType, 'job-completed', 'the next job gets its boxes');
});

test('a job that waits is cancelled where it stands, and the one that runs goes on', async () => {
  const [carol, dora] = [userOf(server, 'carol'), userOf(server, 'dora')];
  const queue = await dora.connect().ready();
  const running = (await carol.upload(await longSpeech())).body.jobId;
  await waitFor(async () => (await carol.status(running)).status === 'processing', 'the start');
  const waiting = (await dora.transcript(talk)).body.jobId;
  assert.equal((await dora.post(`/analyze/job/${waiting}/cancel`)).body.cancelled, true);
  const updates = await queue.until(waiting);
  assert.deepEqual(milestones(updates), [begins[0], 'job-cancelled 0 cancelled: Job cancelled by user']);
  assert.equal((await carol.status(running)).status, 'processing');
  const again = (await dora.post(`/analyze/job/${waiting}/retry`)).body.newJobId;
  await carol.post(`/analyze/job/${running}/cancel`);
  assert.equal((await queue.until(again)).at(-1).eventType, 'job-completed', 'a cancelled job can be retried');
});

test('positions are told again when they change', async () => {
  const users = ['first', 'second', 'third'].map((name) => userOf(server, `queue-${name}`));
  const [first, second, third] = users;
  const queue = await third.connect().ready();
  const running = (await first.upload(await longSpeech())).body.jobId;
  await waitFor(async () => (await first.status(running)).status === 'processing', 'the start');
  const before_ = (await second.upload(await longSpeech())).body.jobId;
  const mine = (await third.transcript(talk)).body;
  assert.equal(mine.queuePosition, 2);
  await second.post(`/analyze/job/${before_}/cancel`);
  const moved = await waitFor(() => queue.updates(mine.jobId).find(({ metadata }) => metadata.queuePosition === 1), 'the new position');
  assert.equal(moved.eventType, 'job-queued');
  assert.match(moved.message, /^Job queued at position 1/);
  assert.equal((await third.status(mine.jobId)).queuePosition, 1);
  await first.post(`/analyze/job/${running}/cancel`);
  await queue.until(mine.jobId);
});
