// The disk has owners: what a user may keep, what is reserved while it comes, what is refused at the head, what goes when.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { smallDisk } from '../crash/chaos.mjs';
import { closeSockets, rest, send, userOf } from './clients.mjs';
import { startServer, temporaryFolder, waitFor } from './harness.mjs';
import { talk } from './texts.mjs';

const MiB = 1 << 20;
const folder = temporaryFolder();
const servers = [];
after(async () => {
  closeSockets();
  for (const server of servers) await server.dispose();
  fs.rmSync(folder, { recursive: true, force: true });
});

async function serve(env = {}, options = {}) {
  const server = await startServer({ env: { RUSHES_MAX_BYTES_PER_USER: '20MiB', ...env }, ...options });
  servers.push(server);
  return server;
}

const metric = async (server, name) => {
  const line = (await rest(server, 'GET', '/metrics')).body.split('\n').find((one) => one.startsWith(`${name} `));
  return Number(line.slice(name.length));
};
const usageOf = async (user) => (await user.get('/analyze/usage')).body;
const bytesIn = (where) =>
  fs.readdirSync(where, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + fs.statSync(path.join(entry.parentPath ?? entry.path, entry.name)).size, 0);

// One moment for all: the options are part of what an idempotency key stands for.
const runAt = new Date(Date.now() + 300 * 86_400_000).toISOString();

/**
 * An upload of `bytes` whose job waits for a year, so that it stays. `hold`: a promise that the second half waits for.
 * `sent()`: how many bytes have left. Resolves with the answer's `{status, headers, body}`.
 */
function upload(user, server, bytes, { hold, chunked = false, headers = {} } = {}) {
  const head = Buffer.from(
    '--xx\r\nContent-Disposition: form-data; name="options"\r\n\r\n' + JSON.stringify({ runAt }) +
      '\r\n--xx\r\nContent-Disposition: form-data; name="video"; filename="talk.mp4"\r\n\r\n',
  );
  const tail = Buffer.from('\r\n--xx--\r\n');
  let sent = 0;
  async function* pieces() {
    yield head;
    for (let left = bytes; left > 0; left -= Math.min(left, 65_536)) {
      if (hold && left <= bytes / 2) await hold;
      sent += Math.min(left, 65_536);
      yield Buffer.alloc(Math.min(left, 65_536), 7);
    }
    yield tail;
  }
  const length = chunked ? {} : { 'Content-Length': head.length + bytes + tail.length };
  const answer = send(server, {
    route: '/analyze/upload',
    headers: { Authorization: `Bearer ${user.token}`, 'Content-Type': 'multipart/form-data; boundary=xx', ...length, ...headers },
    pieces: pieces(),
  }).then(({ status, headers: got, text }) => ({ status, headers: got, body: JSON.parse(text) }));
  return Object.assign(answer, { sent: () => sent });
}

/** A promise and what resolves it. */
function gate() {
  let open;
  const promise = new Promise((resolve) => (open = resolve));
  return { promise, open };
}

test('sixty uploads that are cancelled at once stay within the quota', async (t) => {
  const server = await serve();
  const alice = userOf(server, 'alice');
  let most = 0;
  for (let i = 0; i < 60; ++i) {
    const { status, body } = await upload(alice, server, 2 * MiB);
    assert.equal(status, 201, JSON.stringify(body));
    assert.equal((await alice.post(`/analyze/job/${body.jobId}/cancel`)).status, 200);
    most = Math.max(most, bytesIn(path.join(server.dataDir, 'uploads')));
  }
  t.diagnostic(`60 times 2 MiB uploaded and cancelled: at most ${(most / MiB).toFixed(1)} MiB on the disk at once, of 20 allowed`);
  assert.ok(most <= 20 * MiB);
  assert.equal(await metric(server, 'rushes_uploads_removed_total{reason="room"}'), 51);
  assert.equal(await metric(server, 'rushes_stored_bytes{kind="uploads"}'), 18 * MiB);
  const operator = userOf(server, 'operator', { role: 'admin' });
  const { storage } = (await operator.get('/admin/queue')).body;
  assert.deepEqual([storage.uploads, storage.reserved, storage.limitPerUser], [18 * MiB, 0, 20 * MiB]);
});

test('a cancelled upload says until when it can be retried, and what has gone is a 409', async () => {
  const server = await serve();
  const alice = userOf(server, 'alice');
  const ids = [];
  for (let i = 0; i < 2; ++i) {
    const { jobId } = (await upload(alice, server, 9 * MiB)).body;
    assert.equal((await alice.status(jobId)).retryUntil, undefined, 'it has not ended');
    await alice.post(`/analyze/job/${jobId}/cancel`);
    ids.push(jobId);
  }
  const { retryUntil, finishedAt } = await alice.status(ids[0]);
  assert.equal(Date.parse(retryUntil) - Date.parse(finishedAt), 3_600_000);
  assert.equal((await upload(alice, server, 9 * MiB)).status, 201, 'the first makes room');
  assert.equal((await alice.status(ids[0])).retryUntil, null);
  const retry = await alice.post(`/analyze/job/${ids[0]}/retry`);
  assert.deepEqual([retry.status, retry.body.code], [409, 'UPLOAD_GONE']);
  assert.equal((await alice.post(`/analyze/job/${ids[1]}/retry`)).status, 200);
});

test('at the limit of jobs the refusal comes before the body', async (t) => {
  const server = await serve({ RUSHES_MAX_QUEUED_PER_USER: '2' });
  const alice = userOf(server, 'alice');
  const first = await upload(alice, server, MiB, { headers: { 'Idempotency-Key': 'one' } });
  assert.equal((await upload(alice, server, MiB)).status, 201);
  const { promise, open } = gate();
  const third = upload(alice, server, 10 * MiB, { hold: promise });
  const refused = await third;
  open();
  t.diagnostic(`refused after ${third.sent()} of ${10 * MiB} bytes had left the client`);
  assert.deepEqual([refused.status, refused.body.code], [429, 'QUEUE_LIMIT']);
  assert.ok(Number(refused.headers['retry-after']) > 0);
  const again = await upload(alice, server, MiB, { headers: { 'Idempotency-Key': 'one' } });
  assert.deepEqual([again.status, again.body.jobId], [201, first.body.jobId], 'the same key is the same job');
  assert.deepEqual((await usageOf(alice)).jobs, { unfinished: 2, limit: 2 });
});

test('of two uploads that together exceed the quota one is refused at its head, and others are served', async () => {
  const server = await serve();
  const [alice, bob] = [userOf(server, 'alice'), userOf(server, 'bob')];
  const inbox = await alice.notifications().ready();
  const { promise, open } = gate();
  const first = upload(alice, server, 17 * MiB, { hold: promise });
  await waitFor(async () => (await usageOf(alice)).bytes.reserved > 17 * MiB, 'the reservation');
  for (const chunked of [false, true]) {
    const second = upload(alice, server, 17 * MiB, { hold: promise, chunked });
    const refused = await second;
    assert.deepEqual([refused.status, refused.body.code], [429, 'QUOTA_EXCEEDED'], refused.body.detail);
    assert.ok(Number(refused.headers['retry-after']) > 0);
    assert.match(refused.body.detail, /of your 20 MiB.*17 MiB by other uploads on their way.*Wait until/);
    assert.ok(second.sent() <= 9 * MiB);
  }
  const large = await upload(alice, server, 21 * MiB, { hold: promise });
  assert.deepEqual([large.status, large.body.code], [413, 'QUOTA_EXCEEDED'], 'waiting would not help');
  assert.equal((await upload(bob, server, 15 * MiB)).status, 201);
  assert.equal((await bob.ended((await bob.transcript(talk)).body.jobId)).status, 'completed');
  open();
  assert.equal((await first).status, 201);
  const { bytes } = await usageOf(alice);
  assert.deepEqual([bytes.uploads, bytes.reserved, bytes.limit], [17 * MiB, 0, 20 * MiB]);
  const usage = () => inbox.of('new-notification').filter(({ type }) => type === 'usage');
  await waitFor(() => usage().length === 1, 'the notification at 80 %');
  assert.equal(usage()[0].severity, 'warning');
  assert.equal((await upload(alice, server, 5 * MiB)).status, 429);
  assert.equal((await upload(alice, server, 5 * MiB)).status, 429);
  await waitFor(() => usage().length === 2, 'the notification that it is full');
  assert.equal(usage()[1].metadata.percent, 100);
  assert.equal(await metric(server, 'rushes_uploads_refused_total{reason="quota"}'), 5);
});

test('a server that is killed in the middle of an upload leaves no charge', async () => {
  const server = await serve();
  const alice = userOf(server, 'alice');
  const kept = (await upload(alice, server, 4 * MiB)).body.jobId;
  const { promise, open } = gate();
  const lost = upload(alice, server, 15 * MiB, { hold: promise }).catch((error) => error);
  await waitFor(async () => (await usageOf(alice)).bytes.reserved > 0, 'the reservation');
  await server.kill();
  open();
  await lost;
  await server.start();
  assert.deepEqual((await usageOf(alice)).bytes, { used: 4 * MiB, uploads: 4 * MiB, results: 0, reserved: 0, limit: 20 * MiB });
  assert.equal((await upload(alice, server, 15 * MiB)).status, 201);
  assert.equal((await alice.status(kept)).status, 'pending');
});

test('uploads on their way cannot all have the last room of the disk', async (t) => {
  const small = path.join(folder, 'small');
  fs.mkdirSync(small);
  const disk = smallDisk(small, 120);
  if (!disk) return t.diagnostic('this user may mount nothing: not tested');
  const server = await startServer({ dataDir: path.join(small, 'data') });
  try {
    const [alice, bob] = [userOf(server, 'alice'), userOf(server, 'bob')];
    const { promise, open } = gate();
    const first = upload(alice, server, 30 * MiB, { hold: promise });
    await waitFor(async () => (await usageOf(alice)).bytes.reserved > 0, 'the reservation');
    const second = upload(bob, server, 40 * MiB, { hold: promise });
    const refused = await second;
    assert.deepEqual([refused.status, refused.body.code], [503, 'DISK_FULL']);
    assert.ok(Number(refused.headers['retry-after']) > 0);
    assert.equal((await bob.ended((await bob.transcript(talk)).body.jobId)).status, 'completed');
    open();
    const { jobId } = (await first).body;
    assert.equal((await upload(bob, server, 40 * MiB)).status, 503, 'the first is needed');
    await alice.post(`/analyze/job/${jobId}/cancel`);
    assert.equal((await upload(bob, server, 40 * MiB)).status, 201, 'the first makes room');
    assert.equal((await alice.status(jobId)).retryUntil, null);
  } finally {
    await server.dispose();
    disk.remove();
  }
});
