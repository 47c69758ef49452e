// Connection state recovery, with the unmodified client: after a cut, after a restart, and when it may not be.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, test } from 'node:test';
import { closeSockets, userOf } from './clients.mjs';
import { signToken, secondsFromNow, startServer, waitFor } from './harness.mjs';
import { talk } from './texts.mjs';

const disposed = [];
const serve = async (options) => {
  const server = await startServer(options);
  disposed.push(server);
  return server;
};
after(async () => {
  closeSockets();
  for (const server of disposed) await server.dispose();
});

const comesBack = { reconnection: true, reconnectionDelay: 50, reconnectionDelayMax: 200 };
const transports = { websocket: { transports: ['websocket'] }, polling: { transports: ['polling'] }, default: {} };

/** Cuts the connection as a dead network does: the client knows nothing of it, nothing is said. */
const cut = (client) => client.socket.io.engine.close();
const stayAway = (client) => client.socket.io.reconnection(false);
const comeBack = (client) => {
  client.socket.io.reconnection(true);
  client.socket.connect();
};
const times = (client, event) => client.seen.filter((one) => one.event === event).length;
const connected = (client, count) => waitFor(() => times(client, 'connect') === count && client.socket.connected, `connection ${count}`);
const sequence = (client) => client.of('queue-update').map(({ metadata }) => metadata.seq);

/** From the first to the last number, each once and in order. */
function assertWhole(numbers, first, last) {
  assert.deepEqual(numbers, Array.from({ length: last - first + 1 }, (_, i) => first + i));
}

/** The number of the user's last event. */
async function lastNumber(user) {
  const other = await user.connect().ready();
  const { jobId } = (await user.transcript(talk)).body;
  const updates = await other.until(jobId);
  return updates.at(-1).metadata.seq;
}

for (const [name, options] of Object.entries(transports)) {
  test(`after a cut the client is the socket that it was and gets what it missed (${name})`, async () => {
    const server = await serve();
    const alice = userOf(server, 'alice');
    const client = await alice.connect({ ...comesBack, ...options }).ready();
    const { jobId } = (await alice.transcript(talk)).body;
    await client.until(jobId);
    const id = client.socket.id;
    assert.equal(client.socket.recovered, false);

    stayAway(client);
    cut(client);
    await client.next('disconnect');
    const last = await lastNumber(alice);
    comeBack(client);
    await connected(client, 2);
    assert.equal(client.socket.recovered, true);
    assert.equal(client.socket.id, id);
    await waitFor(() => sequence(client).at(-1) === last, 'the last event');

    // And what comes now comes once.
    const next = (await alice.transcript(talk)).body.jobId;
    const updates = await client.until(next);
    assertWhole(sequence(client), 1, updates.at(-1).metadata.seq);
  });
}

test('a client that got no event yet misses none', async () => {
  const server = await serve();
  const alice = userOf(server, 'alice');
  await lastNumber(alice); // an older event, which is not the new client's
  const first = await lastNumber(alice);
  const client = await alice.connect({ ...comesBack, ...transports.websocket }).ready();
  stayAway(client);
  cut(client);
  await client.next('disconnect');
  const last = await lastNumber(alice);
  comeBack(client);
  await connected(client, 2);
  assert.equal(client.socket.recovered, true);
  await waitFor(() => sequence(client).at(-1) === last, 'the last event');
  assertWhole(sequence(client), first + 1, last);
});

test('a client whose last event was a position that is gone meanwhile gets what it missed', async () => {
  const server = await serve();
  const alice = userOf(server, 'alice');
  const operator = userOf(server, 'operator', { role: 'admin' });
  assert.equal((await operator.post('/admin/types/transcript', { paused: true })).status, 200);
  const client = await alice.connect({ ...comesBack, ...transports.websocket }).ready();
  const first = (await alice.transcript(talk)).body.jobId;
  const second = (await alice.transcript(talk)).body.jobId;
  await alice.post(`/analyze/job/${first}/cancel`);
  await waitFor(() => client.updates(second).some((update) => update.metadata.positionChanged), 'another position');
  stayAway(client);
  cut(client);
  await client.next('disconnect');
  await alice.post(`/analyze/job/${second}/cancel`);
  await server.stop();
  const database = path.join(server.dataDir, 'rushes.db');
  const moved = `payload LIKE '%"positionChanged":true%'`;
  execFileSync('sqlite3', [database, 'UPDATE events SET at = at - 7200000']);
  await server.start(server.port);
  const count = () => execFileSync('sqlite3', ['-readonly', database, `SELECT count(*) FROM events WHERE ${moved}`]).toString().trim();
  await waitFor(() => count() === '0', 'the end of old positions');

  comeBack(client);
  await connected(client, 2);
  assert.equal(client.socket.recovered, true);
  assert.equal((await client.until(second)).at(-1).eventType, 'job-cancelled');
});

test('a server that was killed and started anew gives what was missed', async () => {
  const server = await serve();
  const alice = userOf(server, 'alice');
  const client = await alice.connect({ ...comesBack, ...transports.websocket }).ready();
  const { jobId } = (await alice.transcript(talk)).body;
  await client.until(jobId);
  const id = client.socket.id;
  // Killed in the middle of a job.
  const cutJob = (await alice.transcript(talk)).body.jobId;
  await waitFor(() => client.updates(cutJob).length > 0, 'its first event');
  stayAway(client);
  await server.kill();
  await client.next('disconnect');
  await server.start(server.port);
  await alice.ended(cutJob);
  comeBack(client);
  await connected(client, 2);
  assert.equal(client.socket.recovered, true);
  assert.equal(client.socket.id, id);
  const updates = await client.until(cutJob);
  assert.equal(updates.at(-1).eventType, 'job-completed');
  // The crash may have taken progress with it that was told, whose numbers are not given again; nothing else.
  const numbers = sequence(client);
  assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
  assertWhole(numbers.slice(0, 3), 1, 3);
  const milestones = updates.filter(({ eventType }) => eventType !== 'job-progress').map(({ eventType }) => eventType);
  assert.deepEqual(milestones.slice(0, 1), ['job-queued']);
  assert.ok(milestones.slice(1, -1).every((type) => type === 'job-started'), milestones.join());
});

test('jobs that run while clients come and go: every event once and in order', async () => {
  const server = await serve({ env: { RUSHES_MAX_QUEUED_PER_USER: '200' } });
  const alice = userOf(server, 'alice');
  const clients = [];
  for (const options of Object.values(transports)) clients.push(await alice.connect({ ...comesBack, ...options }).ready());
  let going = true;
  const cutting = (async () => {
    for (let i = 0; going; ++i) {
      const client = clients[i % clients.length];
      const before = times(client, 'connect');
      if (client.socket.connected) cut(client);
      await waitFor(() => times(client, 'connect') > before, 'a reconnection');
      assert.equal(client.socket.recovered, true);
    }
  })();
  const jobs = [];
  for (let i = 0; i < 30; ++i) jobs.push((await alice.transcript(talk)).body.jobId);
  for (const job of jobs) await alice.ended(job);
  going = false;
  await cutting;
  const last = await lastNumber(alice);
  for (const client of clients) await waitFor(() => sequence(client).at(-1) === last, 'the last event');
  const [onWebSocket, ...others] = clients;
  assertWhole(sequence(onWebSocket), 1, last);
  // One that polls may be spared some progress while much waits for its next poll; nothing else, and nothing twice.
  const milestones = (client) => client.of('queue-update').filter(({ eventType }) => eventType !== 'job-progress');
  for (const client of others) {
    assert.deepEqual(milestones(client), milestones(onWebSocket));
    const numbers = sequence(client);
    assert.deepEqual(numbers, [...new Set(numbers)].sort((a, b) => a - b));
  }
});

test('who comes back with an expired token, another user, or a made up session is no one known', async () => {
  const server = await serve();
  const alice = userOf(server, 'alice');
  const bob = userOf(server, 'bob');
  const client = await alice.connect({ ...comesBack, ...transports.websocket }).ready();
  await client.until((await alice.transcript(talk)).body.jobId);

  stayAway(client);
  cut(client);
  await client.next('disconnect');
  client.socket.auth = { token: signToken(server.secret, { sub: 'alice', exp: secondsFromNow(-60) }) };
  comeBack(client);
  const refusal = await client.next('connect_error');
  assert.equal(refusal.data.code, 'TOKEN_EXPIRED', 'the token is looked at before the session');

  // The same page, signed in as somebody else: the session of the first stays the first's.
  const before = sequence(client).length;
  client.socket.auth = { token: bob.token };
  comeBack(client);
  await connected(client, 2);
  assert.equal(client.socket.recovered, false);
  await client.until((await bob.transcript(talk)).body.jobId);
  assert.ok(sequence(client).length > before);
  // Its own session holds, though it remembers an event of the other user's from before.
  const numbers = sequence(client).slice(before);
  assertWhole(numbers, 1, numbers.at(-1));

  for (const auth of [
    { pid: 'A'.repeat(52), offset: 'x' },
    { pid: '', offset: '' },
    { pid: 7, offset: 7 },
    { pid: 'x'.repeat(5000), offset: '9'.repeat(5000) },
  ]) {
    const other = await alice.connect({ auth: { token: alice.token, ...auth } }).ready();
    assert.equal(other.socket.recovered, false);
  }
});

test('an offset that the log does not know gets a new session', async () => {
  const server = await serve();
  const alice = userOf(server, 'alice');
  const client = await alice.connect({ ...comesBack, ...transports.websocket }).ready();
  await client.until((await alice.transcript(talk)).body.jobId);
  const { id: session, _pid: pid, _lastOffset: offset } = client.socket;
  stayAway(client);
  cut(client);
  await client.next('disconnect');
  assert.match(offset, /^[\w.]{8}-\d+-\d+$/);
  const [log, seq, id] = offset.split('-');
  for (const [wrong, recovered] of [
    [offset, true],
    [`${log}-${Number(seq) + 5}-${Number(id) + 5}`, false],
    [`${log}-${seq}-${Number(id) + 1}`, false],
    [`${log}-${seq}-`, true], // no offset at all: from the session's start
  ]) {
    const other = alice.connect({ auth: { token: alice.token, pid, offset: wrong } });
    await other.ready();
    assert.equal(other.socket.id === session, recovered, wrong);
    other.close();
  }
});
