// The socket itself: transports, namespaces, tokens, and what comes when.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeSockets, connect, userOf } from './clients.mjs';
import { completed, milestones } from './contract.mjs';
import { secondsFromNow, signToken, startServer, waitFor } from './harness.mjs';
import { talk } from './texts.mjs';

let server;
before(async () => {
  server = await startServer();
});
after(async () => {
  closeSockets();
  await server?.dispose();
});

const transports = [
  ['the default options: polling, then the upgrade', {}, 'websocket'],
  ['WebSocket alone', { transports: ['websocket'] }, 'websocket'],
  ['polling alone', { transports: ['polling'] }, 'polling'],
];
for (const [name, options, finally_] of transports) {
  test(`every event arrives over ${name}`, async () => {
    const user = userOf(server, `transport-${name}`);
    const queue = user.connect(options);
    const first = new Promise((resolve) => queue.socket.io.on('open', () => resolve(queue.socket.io.engine.transport.name)));
    await queue.ready();
    assert.equal(await first, options.transports?.[0] ?? 'polling');
    await waitFor(() => queue.socket.io.engine.transport.name === finally_, `the transport ${finally_}`);
    const { jobId } = (await user.transcript(talk)).body;
    assert.deepEqual(milestones(await queue.until(jobId)), completed('transcript'));
  });
}

test('an event that is sent during the upgrade is neither lost nor doubled', async () => {
  const user = userOf(server, 'upgrader');
  const queue = user.connect();
  queue.socket.on('connect', () => user.transcript(talk));
  await queue.ready();
  const job = await waitFor(() => queue.of('queue-update')[0]?.jobId, 'the first update');
  assert.deepEqual(milestones(await queue.until(job)), completed('transcript'));
});

test('subscribe-queue answers with `subscribed` and acknowledges with the unfinished jobs', async () => {
  const user = userOf(server, 'subscriber');
  const queue = await user.connect().ready();
  assert.deepEqual(await queue.ask('subscribe-queue'), { success: true, jobs: [] });
  assert.deepEqual(await queue.next('subscribed'), { success: true });
  const { jobId } = (await user.transcript(talk)).body;
  await queue.until(jobId);
  assert.deepEqual((await queue.ask('subscribe-queue', {})).jobs, [], 'an ended job is not in it');
});

test('the namespaces work without each other, and over one connection', async () => {
  const user = userOf(server, 'two-namespaces');
  const queue = await user.connect().ready();
  const notifications = await user.notifications({ forceNew: false }).ready();
  const { jobId } = (await user.transcript(talk)).body;
  await queue.until(jobId);
  await waitFor(() => notifications.of('new-notification').length >= 2, 'the notifications of a job');
  assert.deepEqual(queue.of('new-notification'), []);
  assert.deepEqual(notifications.of('queue-update'), []);
});

test('an unknown namespace is refused', async () => {
  const user = userOf(server, 'lost');
  const error = await connect(server, '/elsewhere', { auth: { token: user.token } }).next('connect_error');
  assert.equal(error.message, 'Invalid namespace');
});

test('the namespace / lets nobody in, with a token or without, and says where to go', async () => {
  const user = userOf(server, 'rootless');
  for (const options of [{}, { auth: { token: user.token } }, { transports: ['polling'] }]) {
    const client = connect(server, '/', options);
    const error = await client.next('connect_error');
    assert.equal(error.message, 'Connect to /queue or /notifications.');
    assert.deepEqual(error.data, { code: 'NAMESPACE_UNKNOWN' });
    assert.deepEqual(client.of('connect'), []);
    client.close();
  }
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const connects = metrics.split('\n').filter((line) => /^rushes_socket_connects_total\{.*namespace="\/"/.test(line));
  assert.ok(connects.every((line) => line.endsWith(' 0')), connects.join('\n'));
  // Over the connection that it refused, a real namespace can still be joined.
  const refused = connect(server, '/', {});
  await refused.next('connect_error');
  const queue = refused.socket.io.socket('/queue', { auth: { token: user.token } });
  await waitFor(() => queue.connected, 'the connection to /queue');
  queue.disconnect();
});

test('a token in the query or in another header is not read, and the refusal says where it belongs', async () => {
  const { token } = userOf(server, 'misplaced');
  const places = [
    [{ query: { token } }, /query/],
    [{ extraHeaders: { token } }, /header `token`/],
    [{}, /auth/],
  ];
  for (const [options, words] of places) {
    const error = await connect(server, '/queue', options).next('connect_error');
    assert.equal(error.data.code, 'TOKEN_MISSING');
    assert.match(error.message, words);
    assert.match(error.message, /auth/);
    assert.ok(!error.message.includes(token));
  }
  const right = connect(server, '/queue', { auth: { token }, query: { token: 'ignored' } });
  await right.ready();
});

test('the client that Node\'s server would serve is a 404 that says where to get it', async () => {
  for (const name of ['socket.io.js', 'socket.io.min.js', 'socket.io.esm.min.js']) {
    const answer = await fetch(`${server.url}/socket.io/${name}`);
    assert.equal(answer.status, 404);
    const problem = await answer.json();
    assert.equal(problem.code, 'CLIENT_NOT_SERVED');
    assert.match(problem.detail, /npm.*cdn\.socket\.io/);
  }
});

test('an event with half of a surrogate pair in it is taken', async () => {
  const user = userOf(server, 'halves');
  const queue = await user.connect({ transports: ['websocket'] }).ready();
  assert.equal((await queue.ask('subscribe-queue', 'a film 🎬'.slice(0, 8))).success, true);
  assert.equal(queue.socket.connected, true);
});

const now = () => secondsFromNow(0);
const hour = () => secondsFromNow(3600);
const refusals = [
  ['no token', () => undefined, 'TOKEN_MISSING'],
  ['an empty token', () => '', 'TOKEN_MISSING'],
  ['something that is no token', () => 'not-a-token', 'TOKEN_INVALID'],
  ['a token signed with another secret', () => signToken('another secret', { sub: 'x', exp: hour() }), 'TOKEN_INVALID'],
  ['an expired token', () => server.token('x', { exp: now() - 60 }), 'TOKEN_EXPIRED'],
  ['alg none', () => `${signToken('', { sub: 'x', exp: hour() }, { alg: 'none' }).replace(/[^.]*$/, '')}`, 'TOKEN_INVALID'],
  ['RS256 signed with our secret', () => signToken(server.secret, { sub: 'x', exp: hour() }, { alg: 'RS256' }), 'TOKEN_INVALID'],
  ['a token without a user', () => signToken(server.secret, { exp: hour() }), 'TOKEN_INVALID'],
];
for (const namespace of ['/queue', '/notifications']) {
  for (const [name, token, code] of refusals) {
    test(`${namespace} refuses ${name}: connect_error ${code}`, async () => {
      const given = token();
      const client = connect(server, namespace, { auth: given === undefined ? {} : { token: given } });
      const error = await client.next('connect_error');
      assert.equal(error.data?.code, code);
      assert.ok(error.message.length > 10, error.message);
      assert.equal(client.socket.connected, false);
      assert.deepEqual(client.of('connect'), []);
    });
  }
}

test('a token is also taken with `Bearer `, and from the Authorization header; auth.token goes first', async () => {
  const user = userOf(server, 'bearer');
  const headers = { Authorization: `Bearer ${user.token}` };
  await connect(server, '/queue', { auth: { token: `Bearer ${user.token}` } }).ready();
  await connect(server, '/queue', { extraHeaders: headers }).ready();
  const wrongFirst = connect(server, '/queue', { auth: { token: 'wrong' }, extraHeaders: headers });
  assert.equal((await wrongFirst.next('connect_error')).data.code, 'TOKEN_INVALID');
});

test('the user is the claim sub, else userId, else id', async () => {
  for (const claims of [{ sub: 'claimant', userId: 'no', id: 'no' }, { userId: 'claimant', id: 'no' }, { id: 'claimant' }]) {
    const token = signToken(server.secret, { ...claims, exp: hour() });
    const queue = await connect(server, '/queue', { auth: { token } }).ready();
    const { jobId } = (await userOf(server, 'claimant').transcript(talk)).body;
    await queue.until(jobId);
  }
});

test('a socket whose token expires is told, then disconnected', async () => {
  const skew = 5; // a token ends so long after its exp, everywhere
  const ends = secondsFromNow(2);
  const user = userOf(server, 'short', { exp: ends - skew });
  const queue = await user.connect().ready();
  const error = await queue.next('auth-error');
  assert.equal(error.code, 'TOKEN_EXPIRED');
  const reason = await queue.next('disconnect');
  assert.equal(reason, 'io server disconnect');
  const order = queue.seen.map((one) => one.event);
  assert.ok(order.indexOf('auth-error') < order.indexOf('disconnect'));
  assert.ok(Date.now() / 1000 >= ends, 'not before its time');
});

test('auth-refresh with a fresh token keeps the socket; another user\'s or a bad one does not count', async () => {
  const user = userOf(server, 'refresher', { exp: secondsFromNow(-2) });
  const [kept, lost] = await Promise.all([user.connect().ready(), user.connect().ready()]);
  const fresh = server.token('refresher');
  assert.equal((await kept.ask('auth-refresh', { token: fresh })).success, true);
  for (const token of ['nonsense', server.token('someone-else')]) {
    const refused = await lost.ask('auth-refresh', { token });
    assert.equal(refused.success, false);
    assert.equal(refused.code, 'TOKEN_INVALID');
  }
  await lost.next('disconnect', 15_000);
  assert.equal(kept.socket.connected, true);
  const { jobId } = (await userOf(server, 'refresher').transcript(talk)).body;
  assert.deepEqual(milestones(await kept.until(jobId)), completed('transcript'));
});

test('what no client should send harms no one', async () => {
  const user = userOf(server, 'fuzzer');
  const [rude, bystander] = await Promise.all([user.connect({ transports: ['websocket'] }).ready(), user.connect().ready()]);
  rude.socket.emit('subscribe-queue', Buffer.alloc(10), { nested: [Buffer.alloc(3)] });
  rude.socket.emit('no-such-event', 1, 2);
  rude.socket.emit('auth-refresh', ['not', 'a', 'token']);
  rude.socket.emit('auth-refresh');
  assert.equal((await rude.ask('subscribe-queue', null, 5, 'x')).success, true, 'odd arguments are no reason to hang up');
  // More than the handshake's maxPayload: that is one.
  rude.socket.emit('subscribe-queue', 'x'.repeat(3_000_000));
  await rude.next('disconnect');
  const Engine = bystander.socket.io.engine.constructor;
  for (const rubbish of ['9', '4', '40', '2/queue,["x"', '2["', '51-["x"]', '0/queue,{"token":', '\u0000']) {
    const raw = new Engine(server.url, { path: '/socket.io/', transports: ['websocket'] });
    await waitFor(() => raw.readyState === 'open', 'a bare connection');
    raw.write(rubbish);
    raw.close();
  }
  const { jobId } = (await user.transcript(talk)).body;
  assert.deepEqual(milestones(await bystander.until(jobId)), completed('transcript'));
});
