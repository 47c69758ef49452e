// After a crash a job goes on behind the stages that it has finished.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeSockets, userOf } from './clients.mjs';
import { checkUpdates } from './contract.mjs';
import { boxes, isAlive, startServer, waitFor, zygote } from './harness.mjs';
import { speech, speechFilm } from './media.mjs';

// A minute, so that its transcription is told of while it goes on.
const minuteOfSpeech = () => speech(4);
// With pictures, so that there is work left when the speech is transcribed.
const minuteOfFilm = () => speechFilm(4);

let server;
before(async () => {
  await minuteOfSpeech();
  await minuteOfFilm();
  server = await startServer({ env: { RUSHES_WORKERS: '1', RUSHES_TRANSCRIPT_LANE: '0', RUSHES_LEASE: '5' } });
});
after(async () => {
  closeSockets();
  await server?.dispose();
});

test('what was transcribed before a box died is not transcribed again', async () => {
  const alice = userOf(server, 'alice');
  const queue = await alice.connect().ready();
  let killed = false;
  queue.socket.on('queue-update', ({ stage }) => {
    if (killed || stage !== 'Generating AI content') return;
    const working = boxes(server);
    killed = working.length > 0;
    for (const pid of working) process.kill(pid, 'SIGKILL');
  });
  const { jobId } = (await alice.upload(await minuteOfFilm())).body;
  await waitFor(() => queue.updates(jobId).some(({ eventType }) => eventType === 'job-completed'), 'the end', 120_000);

  const updates = queue.updates(jobId);
  checkUpdates(updates, 'upload');
  assert.ok(killed);
  const second = updates.findLastIndex(({ eventType }) => eventType === 'job-started');
  assert.equal(updates[second].metadata.attempt, 2);
  const transcribing = ({ message }) => /^Transcribing audio: \d/.test(message);
  assert.ok(updates.slice(0, second).some(transcribing));
  assert.ok(!updates.slice(second).some(transcribing), 'the second attempt has the transcript');
  const { result } = await alice.status(jobId);
  assert.ok(result.transcript.segments.length > 0);
});

test('a box that stands still loses its job, and is gone', async () => {
  const bob = userOf(server, 'bob');
  const queue = await bob.connect().ready();
  const parent = zygote(server);
  let frozen = [];
  queue.socket.on('queue-update', ({ message }) => {
    if (frozen.length > 0 || !/^Transcribing audio: \d/.test(message)) return;
    frozen = boxes(server);
    for (const pid of frozen) process.kill(pid, 'SIGSTOP');
  });
  const { jobId } = (await bob.upload(await minuteOfSpeech())).body;
  const updates = await queue.until(jobId, undefined, 120_000);
  assert.ok(frozen.length > 0);
  assert.deepEqual(frozen.filter(isAlive), []);
  assert.equal(zygote(server), parent, 'the zygote lives on');
  assert.equal(updates.at(-1).eventType, 'job-completed');
  const { attempts } = (await bob.get(`/analyze/job/${jobId}/attempts`)).body;
  assert.deepEqual(attempts.map(({ outcome, error }) => [outcome, error?.code]), [['failed', 'WORKER_LOST'], ['completed', undefined]]);
});
