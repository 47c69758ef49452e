// Workers are shared: one user's long jobs leave one for others, and transcripts have a slot of their own.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeSockets, userOf } from './clients.mjs';
import { startServer, waitFor } from './harness.mjs';
import { longSpeech, media } from './media.mjs';
import { talk } from './texts.mjs';

const servers = [];
before(async () => {
  await media();
  await longSpeech();
});
after(async () => {
  closeSockets();
  for (const server of servers) await server.dispose();
});

async function serve() {
  const server = await startServer();
  servers.push(server);
  return server;
}

/** Submits `count` recordings of nine minutes; resolves once `running` of them run, with their ids, those first. */
async function keepBusy(user, count, running) {
  const file = await longSpeech();
  const ids = [];
  for (let i = 0; i < count; ++i) ids.push((await user.upload(file)).body.jobId);
  const states = () => Promise.all(ids.map(async (id) => (await user.status(id)).status));
  await waitFor(async () => (await states()).filter((state) => state === 'processing').length === running, `${running} jobs to run`);
  return { ids, states };
}

/** Milliseconds from the submit to `job-started`. */
async function start(client, submit) {
  const begun = performance.now();
  const { jobId } = (await submit()).body;
  await client.until(jobId, 'job-started');
  return { jobId, ms: Math.round(performance.now() - begun) };
}

test('three long jobs of one user leave a worker to who was here within the hour', async (t) => {
  const server = await serve();
  const [alice, bob] = [userOf(server, 'alice'), userOf(server, 'bob')];
  const client = await bob.connect().ready();
  await bob.ended((await bob.transcript(talk)).body.jobId);
  const { ids, states } = await keepBusy(alice, 3, 2);

  const { sound } = await media();
  const upload = await start(client, () => bob.upload(sound));
  const transcript = await start(client, () => bob.transcript(talk));
  t.diagnostic(`two long jobs run: another user's upload starts after ${upload.ms} ms, a transcript after ${transcript.ms} ms`);
  assert.ok(upload.ms < 3_000 && transcript.ms < 3_000);
  for (const { jobId } of [upload, transcript]) assert.equal((await bob.ended(jobId)).status, 'completed');
  assert.deepEqual(await states(), ['processing', 'processing', 'pending'], 'the worker is still left to others');

  const operator = userOf(server, 'operator', { role: 'admin' });
  const report = (await operator.get(`/admin/jobs/${ids[2]}`)).body;
  assert.equal(report.reason, 'Its user has 2 jobs running, the most that one user may have at once now.');
  for (const id of ids) await alice.post(`/analyze/job/${id}/cancel`);
});

test('who is alone has all workers, and a transcript of another user starts at once all the same', async (t) => {
  const server = await serve();
  const [alice, bob] = [userOf(server, 'alice'), userOf(server, 'bob')];
  const client = await bob.connect().ready();
  const { ids, states } = await keepBusy(alice, 4, 3);

  const transcript = await start(client, () => bob.transcript(talk));
  t.diagnostic(`all workers are busy: another user's transcript starts after ${transcript.ms} ms`);
  assert.ok(transcript.ms < 3_000);
  assert.equal((await bob.ended(transcript.jobId)).status, 'completed');

  const { sound } = await media();
  const { jobId } = (await bob.upload(sound)).body;
  await alice.post(`/analyze/job/${ids[0]}/cancel`);
  assert.equal((await bob.ended(jobId)).status, 'completed', 'the next free worker is for who has none');
  assert.deepEqual((await states()).slice(1), ['processing', 'processing', 'pending']);
  for (const id of ids) await alice.post(`/analyze/job/${id}/cancel`);
});
