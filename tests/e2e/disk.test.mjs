// A disk that is full, read-only or broken: said so, by REST and /health; what reads goes on; over by itself.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { smallDisk } from '../crash/chaos.mjs';
import { closeSockets, rest, send, userOf } from './clients.mjs';
import { startServer, temporaryFolder, waitFor } from './harness.mjs';
import { talk } from './texts.mjs';

const folder = temporaryFolder();
const faults = path.join(folder, 'faults');
const servers = [];
after(async () => {
  closeSockets();
  for (const server of servers) await server.dispose();
  fs.rmSync(folder, { recursive: true, force: true });
});

async function serve() {
  fs.writeFileSync(faults, 'heal');
  const server = await startServer({ env: { FAULTS: faults, RUSHES_LEASE: '2' } });
  servers.push(server);
  return server;
}
const healthOf = async (server) => (await rest(server, 'GET', '/health')).body;

for (const [error, reason] of [['full', 'DISK_FULL'], ['read_only', 'DISK_READ_ONLY'], ['io', 'DISK_FAILED']]) {
  test(`${reason}: 503 with the reason, reading goes on, and it is over by itself`, async () => {
    const server = await serve();
    const alice = userOf(server, 'alice');
    const { jobId } = (await alice.transcript(talk)).body;
    await alice.ended(jobId);
    const before = await alice.connect().ready();
    assert.equal((await healthOf(server)).status, 'ok');

    fs.writeFileSync(faults, `all ${error}`);
    const refused = await waitFor(async () => {
      const answer = await alice.transcript(talk);
      return answer.status === 503 && answer;
    }, 'a refusal');
    assert.match(refused.headers.get('content-type'), /problem\+json/);
    assert.equal(refused.body.code, reason);
    assert.ok(Number(refused.headers.get('retry-after')) > 0);
    const upload = await alice.upload(Buffer.from('not a video'), { fileName: 'talk.mp4' });
    assert.deepEqual([upload.status, upload.body.code], [503, reason]);
    assert.deepEqual(server.filesIn('uploads'), [], 'nothing is left of it');
    const restart = await alice.post(`/analyze/job/${jobId}/restart`);
    assert.deepEqual([restart.status, restart.body.code], [503, reason]);

    const health = await rest(server, 'GET', '/health');
    assert.deepEqual([health.status, health.body.status, health.body.reason], [200, 'degraded', reason]);
    assert.match((await rest(server, 'GET', '/metrics')).body, new RegExp(`rushes_store_refuses\\{reason="${reason}"\\} 1`));
    assert.equal((await alice.status(jobId)).status, 'completed');
    assert.equal((await alice.get('/analyze/history')).body.data.length, 1);
    const during = await alice.connect().ready();
    assert.equal((await during.ask('subscribe-queue')).success, true);

    fs.writeFileSync(faults, 'heal');
    await waitFor(async () => (await healthOf(server)).status === 'ok', 'health, though nobody writes');
    const again = (await alice.transcript(talk)).body.jobId;
    for (const client of [before, during]) {
      const updates = await client.until(again);
      assert.equal(updates.at(-1).eventType, 'job-completed');
    }
  });
}

test('work that ends while the disk is full, for longer than a lease, is not done again', async () => {
  const server = await serve();
  const alice = userOf(server, 'alice');
  const client = await alice.connect().ready();
  const { jobId } = (await alice.transcript(talk.repeat(40))).body;
  await client.until(jobId, 'job-started');
  fs.writeFileSync(faults, 'all full');
  await new Promise((resolve) => setTimeout(resolve, 6_000)); // three leases
  const running = await alice.status(jobId);
  fs.writeFileSync(faults, 'heal');
  const updates = await client.until(jobId);
  assert.equal(updates.at(-1).eventType, 'job-completed');
  if (running.status === 'processing') assert.equal(updates.filter((update) => update.eventType === 'job-started').length, 1);
});

test('on a disk that is full jobs wait and are worked off once there is room', async (t) => {
  const small = path.join(folder, 'small');
  fs.mkdirSync(small);
  const disk = smallDisk(small, 96);
  if (!disk) return t.diagnostic('this user may mount nothing: not tested');
  const server = await startServer({ dataDir: path.join(small, 'data'), env: { FAULTS: path.join(folder, 'none') } });
  try {
    const operator = userOf(server, 'operator', { role: 'admin' });
    const pause = async (paused) => assert.equal((await operator.post('/admin/types/transcript', { paused })).status, 200);
    const alice = userOf(server, 'alice');
    await pause(true);
    const waiting = [];
    for (let i = 0; i < 3; ++i) waiting.push((await alice.transcript(talk)).body.jobId);
    disk.fill();
    assert.equal((await healthOf(server)).reason, 'DISK_FULL');
    await pause(false);
    await waitFor(() => server.log.includes('nothing is begun'), 'the scheduler to look for room');
    for (const job of waiting) assert.equal((await alice.status(job)).status, 'pending');
    disk.clear();
    for (const job of waiting) assert.equal((await alice.ended(job)).status, 'completed');
    assert.equal((await healthOf(server)).status, 'ok');
  } finally {
    await server.dispose();
    disk.remove();
  }
});

test('an upload that the disk took without saying so in time stands, with its file', async () => {
  const own = path.join(folder, 'late'); // the other servers look at theirs
  fs.writeFileSync(own, 'heal');
  const server = await startServer({ env: { FAULTS: own } });
  servers.push(server);
  const tell = async (line) => {
    fs.writeFileSync(own, line);
    await waitFor(() => fs.readFileSync(`${own}.obeyed`, 'utf8') === line, `the disk to obey: ${line}`);
  };
  const changesThatWait = async () => Number((await rest(server, 'GET', '/metrics')).body.match(/^rushes_store_waiting_changes (\d+)/m)[1]);
  const alice = userOf(server, 'alice');
  const client = await alice.connect().ready();
  // Its head is looked at while the disk is well; the rest comes when the writer waits.
  const form = ['--xx\r\nContent-Disposition: form-data; name="video"; filename="talk.mp4"\r\n\r\n', 'not a video', '\r\n--xx--\r\n'];
  let goOn;
  const held = new Promise((resolve) => (goOn = resolve));
  async function* pieces() {
    yield form[0];
    await held;
    yield form[1] + form[2];
  }
  const headers = { Authorization: `Bearer ${alice.token}`, 'Content-Type': 'multipart/form-data; boundary=xx', 'Content-Length': form.join('').length };
  const upload = send(server, { route: '/analyze/upload', headers, pieces: pieces() }).then(({ status, text }) => ({ status, body: JSON.parse(text) }));
  await waitFor(async () => (await alice.get('/analyze/usage')).body.bytes.reserved > 0, 'the upload to begin');
  await tell('hold');
  const first = alice.transcript(talk);
  await waitFor(() => fs.existsSync(`${own}.held`), 'the writer to wait for its sync');
  goOn();
  const late = [upload, alice.transcript(talk), alice.transcript(talk)];
  await waitFor(async () => (await changesThatWait()) >= late.length, 'the others to wait for the writer');
  await tell('late io');
  assert.equal((await first).status, 201);
  const answers = await Promise.all(late);
  assert.deepEqual(answers.map((answer) => [answer.status, answer.body.code]), answers.map(() => [503, 'DISK_FAILED']));
  assert.equal(server.filesIn('uploads').length, 1, 'its job may stand');

  await tell('heal');
  const failed = await waitFor(
    () => client.of('queue-update').find((update) => update.eventType === 'job-failed'),
    'the upload to be worked off',
  );
  assert.equal(failed.metadata.errorCode, 'MEDIA_UNREADABLE', 'with the file that came');
});
