// API keys, tickets, signing out everywhere, and what a user is told of their credentials.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { closeSockets, connect, rest, userOf } from './clients.mjs';
import { checkProblem } from './contract.mjs';
import { binary, environment, run, secondsFromNow, signToken, startServer, waitFor } from './harness.mjs';
import { talk, talkAsSrt } from './texts.mjs';

const executablePath = process.env.E2E_CHROMIUM ?? '/usr/bin/chromium';
const kHour = 3_600_000;

let server;
let operator;
before(async () => {
  server = await startServer({ env: { RUSHES_MAX_QUEUED_PER_USER: '200' } });
  operator = userOf(server, 'operator', { role: 'admin' });
});
after(async () => {
  closeSockets();
  await server?.dispose();
});

const pause = (paused) => operator.post('/admin/types/transcript', { paused });
const makeKey = async (user, scopes, more = {}) => {
  const answer = await user.post('/auth/keys', { name: 'a script', scopes, ...more });
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  return answer.body;
};
/** The requests of an API key, or of any other token. */
const withToken = (token) => (method, route, json) => rest(server, method, route, { token, json });
const ticketFor = async (user, path) => {
  const answer = await user.post('/auth/ticket', { path });
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  return answer.body;
};
/** A job that waits for as long as the test has transcripts paused. */
const waitingJob = async (user) => (await user.transcript(talk)).body.jobId;
/** An event stream: `text` so far, `ended`. */
async function stream(route, { token, on = server } = {}) {
  const headers = { Accept: 'text/event-stream', ...(token ? { Authorization: `Bearer ${token}` } : {}) };
  const answer = await fetch(on.url + route, { headers });
  const seen = { status: answer.status, text: '', ended: false };
  const read = async () => {
    for await (const bytes of answer.body) seen.text += Buffer.from(bytes).toString();
  };
  read().then(() => (seen.ended = true), () => (seen.ended = true));
  return seen;
}
/** A request from another address of this machine, as another program. */
function requestFrom(localAddress, { token, route = '/analyze/jobs', agent = 'test' }) {
  return new Promise((resolve, reject) => {
    const headers = { Authorization: `Bearer ${token}`, 'User-Agent': agent };
    http.get({ host: '127.0.0.1', port: server.port, path: route, localAddress, headers, agent: false }, (answer) => {
      answer.resume();
      answer.on('end', () => resolve(answer.statusCode));
    }).on('error', reject);
  });
}
const alerts = async (user) => (await user.get('/notifications?type=security')).body.notifications;

describe('API keys', () => {
  test('work wherever a token does, within their scopes', async () => {
    const alice = userOf(server, 'keys');
    const made = await makeKey(alice, ['read', 'submit']);
    assert.match(made.key, /^rushes_[0-9a-f]{16}_[0-9a-f]{64}$/);
    assert.deepEqual(made.scopes, ['read', 'submit']);
    assert.deepEqual([made.name, made.lastUsedAt, made.expiresAt], ['a script', null, null]);

    assert.equal((await makeKey(alice, ['read'], { name: 'two\0 \u202elines' })).name, 'two lines');

    const ask = withToken(made.key);
    const { jobId } = (await ask('POST', '/analyze/transcript', { transcript: talk })).body;
    assert.equal((await ask('GET', `/analyze/job/${jobId}/status`)).status, 200);
    assert.deepEqual((await alice.jobs()).map((job) => job.jobId), [jobId], 'the jobs are its user\'s');
    for (const [method, route, json] of [['POST', '/webhooks', { url: 'https://example.com' }], ['POST', '/auth/keys', {}],
      ['DELETE', `/auth/keys/${made.id}`], ['POST', '/auth/sign-out-everywhere', {}]]) {
      const answer = await ask(method, route, json);
      checkProblem(answer, 403, 'SCOPE_MISSING');
      assert.match(answer.body.message, /'manage'/);
    }
    const queue = await connect(server, '/queue', { auth: { token: made.key } }).ready();
    assert.equal((await queue.ask('subscribe-queue')).success, true);

    const submitOnly = await makeKey(alice, ['submit']);
    checkProblem(await withToken(submitOnly.key)('GET', '/analyze/jobs'), 403, 'SCOPE_MISSING');
    const refused = await connect(server, '/queue', { auth: { token: submitOnly.key } }).next('connect_error');
    assert.equal(refused.data.code, 'SCOPE_MISSING');
  });

  test('are listed without their text, with their last use, to their user alone', async () => {
    const alice = userOf(server, 'lister');
    const mallory = userOf(server, 'mallory');
    const made = await makeKey(alice, ['read']);
    await withToken(made.key)('GET', '/analyze/jobs');
    const { keys } = (await alice.get('/auth/keys')).body;
    assert.equal(keys.length, 1);
    assert.equal(keys[0].id, made.id);
    assert.ok(!('key' in keys[0]));
    assert.ok(Date.parse(keys[0].lastUsedAt) > Date.now() - 60_000);
    assert.deepEqual((await mallory.get('/auth/keys')).body.keys, []);
    checkProblem(await mallory.delete(`/auth/keys/${made.id}`), 404, 'KEY_NOT_FOUND');
    checkProblem(await mallory.get('/auth/keys?userId=lister'), 403, 'ROLE_NEEDED');
    assert.equal((await operator.get('/auth/keys?userId=lister')).body.keys.length, 1);
    const database = [server.dataDir + '/rushes.db', server.dataDir + '/rushes.db-wal'];
    for (const file of database) {
      assert.ok(!fs.readFileSync(file).includes(made.key.slice(24)), `the secret is not in ${file}`);
    }
    assert.ok(!server.log.includes(made.key));
  });

  test('a revoked one ends at once, with its sockets and streams, and no others', async () => {
    const alice = userOf(server, 'revoker');
    await pause(true);
    const job = await waitingJob(alice);
    const gone = await makeKey(alice, ['read']);
    const stays = await makeKey(alice, ['read']);
    const sockets = await Promise.all(
      [gone.key, stays.key, alice.token].map((token) => connect(server, '/queue', { auth: { token } }).ready()));
    const events = await stream(`/analyze/job/${job}/events`, { token: gone.key });
    const others = await stream(`/analyze/job/${job}/events`, { token: stays.key });
    await waitFor(() => events.text && others.text, 'the streams');

    assert.equal((await alice.delete(`/auth/keys/${gone.id}`)).status, 200);
    assert.equal((await sockets[0].next('auth-error')).code, 'TOKEN_INVALID');
    assert.equal(await sockets[0].next('disconnect'), 'io server disconnect');
    await waitFor(() => events.ended, 'the stream\'s end', 2_000);
    assert.match(events.text, /event: auth-error\ndata: \{"code":"TOKEN_INVALID"/);
    checkProblem(await withToken(gone.key)('GET', '/analyze/jobs'), 401, 'TOKEN_INVALID');
    assert.equal((await withToken(stays.key)('GET', '/analyze/jobs')).status, 200);
    assert.deepEqual(sockets.map(({ socket }) => socket.connected), [false, true, true]);
    assert.ok(!others.ended);
    await pause(false);
  });

  test('a socket ends with the credential of its last auth-refresh, not with the one before', async () => {
    const alice = userOf(server, 'refresher');
    const first = await makeKey(alice, ['read']);
    const second = await makeKey(alice, ['read', 'submit']);
    const submitOnly = await makeKey(alice, ['submit']);
    const client = await connect(server, '/notifications', { auth: { token: first.key } }).ready();
    assert.equal((await client.ask('auth-refresh', { token: submitOnly.key })).code, 'SCOPE_MISSING');
    assert.equal((await client.ask('auth-refresh', { token: second.key })).success, true);
    await alice.delete(`/auth/keys/${first.id}`);
    assert.equal((await client.ask('auth-refresh', { token: second.key })).success, true, 'still there');
    await alice.delete(`/auth/keys/${second.id}`);
    assert.equal((await client.next('auth-error')).code, 'TOKEN_INVALID');
    assert.equal(await client.next('disconnect'), 'io server disconnect');

    const back = await connect(server, '/notifications', { auth: { token: alice.token } }).ready();
    const other = await makeKey(alice, ['read']);
    assert.equal((await back.ask('auth-refresh', { token: other.key })).success, true);
    assert.equal((await back.ask('auth-refresh', { token: alice.token })).success, true);
    await alice.post('/auth/sign-out-everywhere');
    assert.equal((await back.next('auth-error')).code, 'TOKEN_INVALID');
  });

  test('what cannot be is refused with a reason', async () => {
    const alice = userOf(server, 'refused');
    const ask = (body) => alice.post('/auth/keys', { name: 'x', scopes: ['read'], ...body });
    checkProblem(await ask({ name: '' }), 422, 'NAME_INVALID');
    checkProblem(await ask({ scopes: [] }), 422, 'SCOPES_INVALID');
    checkProblem(await ask({ scopes: ['admin'] }), 422, 'SCOPES_INVALID');
    checkProblem(await ask({ expiresAt: '2020-01-01T00:00:00Z' }), 422, 'EXPIRY_INVALID');
    checkProblem(await ask({ role: 'admin' }), 403, 'ROLE_NEEDED');
    checkProblem(await ask({ userId: 'another' }), 403, 'ROLE_NEEDED');
    const manager = await makeKey(alice, ['manage'], { expiresAt: new Date(Date.now() + kHour).toISOString() });
    checkProblem(await withToken(manager.key)('POST', '/auth/keys', { name: 'x', scopes: ['read'] }), 403, 'SCOPE_MISSING');
    const child = (await withToken(manager.key)('POST', '/auth/keys', { name: 'x', scopes: ['manage'] })).body;
    assert.equal(child.expiresAt, manager.expiresAt, 'a key makes none that lives longer');
    for (let i = (await alice.get('/auth/keys')).body.keys.length; i < 50; ++i) await makeKey(alice, ['read']);
    checkProblem(await ask({}), 409, 'KEY_LIMIT');
  });

  test('expire, and are made for others and with a role by an admin alone', async () => {
    const made = await makeKey(operator, ['read'], { userId: 'machine', role: 'admin', expiresAt: new Date(Date.now() + 700).toISOString() });
    const ask = withToken(made.key);
    assert.equal((await ask('GET', '/admin/queue')).status, 200);
    checkProblem(await ask('POST', '/admin/types/transcript', { paused: true }), 403, 'SCOPE_MISSING');
    const socket = await connect(server, '/queue', { auth: { token: made.key } }).ready();
    assert.equal((await socket.next('auth-error')).code, 'TOKEN_EXPIRED');
    checkProblem(await ask('GET', '/analyze/jobs'), 401, 'TOKEN_EXPIRED');
  });

  test('rushes key creates, lists and revokes; RUSHES_TOKEN takes one', async () => {
    const rushes = async (args, env = {}) => {
      const end = await run(binary, args, { env: environment({ RUSHES_SERVER: server.url, JWT_SECRET: server.secret, ...env }) });
      return { ...end, stdout: end.stdout.trim() };
    };
    const key = await rushes(['key', 'create', '--scope', 'submit,read', '--name', 'nightly', '--user', 'cli-user', '--ttl', '1d']);
    assert.equal(key.code, 0, key.stderr);
    assert.match(key.stdout, /^rushes_[0-9a-f]{16}_[0-9a-f]{64}$/);
    const jobs = await rushes(['jobs', '--json'], { RUSHES_TOKEN: key.stdout });
    assert.equal(jobs.code, 0, jobs.stderr);
    const list = await rushes(['key', 'list', '--user', 'cli-user']);
    const id = key.stdout.split('_')[1];
    assert.match(list.stdout, new RegExp(`^${id}  read,submit .*just now.*nightly$`, 'm'));
    assert.equal((await rushes(['key', 'revoke', id, '--user', 'cli-user'])).stdout, `Revoked ${id}.`);
    const refused = await rushes(['jobs', '--json'], { RUSHES_TOKEN: key.stdout });
    assert.equal(refused.code, 1);
    assert.equal(JSON.parse(refused.stdout).error.code, 'TOKEN_INVALID');
    assert.equal((await rushes(['key', 'create', '--scope', 'all'])).code, 2);
  });
});

describe('tickets', () => {
  test('a browser\'s own EventSource follows a job by one', async () => {
    const alice = userOf(server, 'viewer');
    await pause(true);
    const job = await waitingJob(alice);
    const path = `/analyze/job/${job}/events`;
    const { ticket } = await ticketFor(alice, `${server.url}${path}?after=0`);
    const browser = await chromium.launch({ executablePath, args: process.getuid() === 0 ? ['--no-sandbox'] : [] });
    try {
      const page = await browser.newPage();
      await page.goto(`${server.url}/health`);
      await page.evaluate((url) => {
        window.seen = [];
        window.source = new EventSource(url);
        for (const type of ['job-queued', 'job-started', 'job-completed']) window.source.addEventListener(type, () => window.seen.push(type));
      }, `${path}?ticket=${ticket}`);
      await page.waitForFunction(() => window.seen.includes('job-queued'));
      await pause(false);
      await page.waitForFunction(() => window.seen.includes('job-completed'), null, { timeout: 30_000 });
    } finally {
      await browser.close();
    }
    checkProblem(await rest(server, 'GET', `${path}?ticket=${ticket}`), 401, 'TOKEN_INVALID');
    assert.ok(!server.log.includes(ticket), 'it is in no log');
  });

  test('a stream\'s is used once, for its path, by GET, within a minute', async () => {
    const alice = userOf(server, 'streamer');
    const job = await waitingJob(alice);
    await alice.ended(job);
    const path = `/analyze/job/${job}/events`;
    const { ticket, expiresAt } = await ticketFor(alice, path);
    const life = Date.parse(expiresAt) - Date.now();
    assert.ok(life > 55_000 && life <= 60_000, `${life} ms`);
    for (const [method, route] of [['GET', '/analyze/jobs'], ['GET', `/analyze/job/${job}/status`], ['GET', '/auth/keys']]) {
      checkProblem(await rest(server, method, `${route}?ticket=${ticket}`), 401, 'TOKEN_INVALID');
    }
    checkProblem(await rest(server, 'POST', `/auth/ticket?ticket=${ticket}`, { json: { path } }), 401, 'TOKEN_MISSING');
    checkProblem(await rest(server, 'POST', `/analyze/job/${job}/cancel?ticket=${ticket}`, { json: {} }), 401, 'TOKEN_MISSING');
    assert.equal((await rest(server, 'GET', `${path}?ticket=${ticket}`)).status, 200);
    checkProblem(await rest(server, 'GET', `${path}?ticket=${ticket}`), 401, 'TOKEN_INVALID');
    const mallory = userOf(server, 'mallory');
    const foreign = await ticketFor(mallory, path);
    checkProblem(await rest(server, 'GET', `${path}?ticket=${foreign.ticket}`), 404, 'JOB_NOT_FOUND');
  });

  test('a file\'s gives any number of ranges, also after a restart', async () => {
    const own = await startServer();
    try {
      const alice = userOf(own, 'alice');
      const { jobId } = (await alice.transcript(talkAsSrt)).body;
      const { result } = await alice.ended(jobId);
      const file = new URL(result.transcript.vttUrl, own.url);
      const { ticket, expiresAt } = (await alice.post('/auth/ticket', { path: result.transcript.vttUrl })).body;
      const life = Date.parse(expiresAt) - Date.now();
      assert.ok(life > 6 * kHour - 60_000 && life <= 6 * kHour, `${life} ms`);
      const whole = await (await fetch(file)).text();
      const read = async (range) => {
        const answer = await fetch(`${own.url}${file.pathname}?ticket=${ticket}`, { headers: { Range: range } });
        return [answer.status, answer.headers.get('content-range'), await answer.text()];
      };
      assert.deepEqual(await read('bytes=0-5'), [206, `bytes 0-5/${whole.length}`, 'WEBVTT']);
      assert.deepEqual(await read('bytes=6-'), [206, `bytes 6-${whole.length - 1}/${whole.length}`, whole.slice(6)]);
      await own.stop();
      await own.start(own.port);
      assert.equal((await read('bytes=0-5'))[0], 206);
      assert.equal((await fetch(`${file}?ticket=${ticket}x`)).status, 401);
    } finally {
      await own.dispose();
    }
  });

  test('are for streams and files alone', async () => {
    const alice = userOf(server, 'alice');
    for (const path of ['', '/analyze/jobs', '/auth/keys', '/files/../secret', undefined, 7]) {
      checkProblem(await alice.post('/auth/ticket', { path }), 422, 'PATH_INVALID');
    }
    checkProblem(await rest(server, 'POST', '/auth/ticket', { json: { path: '/files/k/a.jpg' } }), 401, 'TOKEN_MISSING');
    const submitOnly = await makeKey(alice, ['submit']);
    checkProblem(await withToken(submitOnly.key)('POST', '/auth/ticket', { path: '/files/k/a.jpg' }), 403, 'SCOPE_MISSING');
  });
});

describe('a request that is read wrong', () => {
  test('changes nothing: members of another type are a 422 that names them', async () => {
    const { body: before } = await operator.get('/auth/keys');
    for (const [route, json] of [
      ['/auth/keys', { name: 'x', scopes: ['read'], userId: 5 }], ['/auth/keys', { name: 'x', scopes: ['read'], role: ['admin'] }],
      ['/auth/keys', { name: 5, scopes: ['read'] }],
      ['/auth/sign-out-everywhere', { userId: 5 }], ['/auth/sign-out-everywhere', { keys: 'yes' }],
    ]) {
      const answer = await operator.post(route, json);
      checkProblem(answer, 422, 'BODY_INVALID');
      assert.match(answer.body.message, /"?5"?|\["admin"\]|"yes"/, JSON.stringify(json));
    }
    assert.deepEqual((await operator.get('/auth/keys')).body, before);
  });

  test('signs nobody out whose body does not say that it is JSON', async () => {
    const admin = userOf(server, 'clumsy', { role: 'admin' });
    const answer = await fetch(`${server.url}/auth/sign-out-everywhere`, {
      method: 'POST', headers: { Authorization: `Bearer ${admin.token}` }, body: Buffer.from('{"userId":"bob"}'),
    });
    assert.equal(answer.status, 415, await answer.text());
    assert.equal((await admin.get('/analyze/jobs')).status, 200, 'and not who asked either');
  });
});

describe('signing out everywhere', () => {
  test('refuses the user\'s tokens from before, ends sockets and streams; a token made right after works, also after a restart', async () => {
    const own = await startServer();
    try {
      const alice = userOf(own, 'alice');
      const bob = userOf(own, 'bob');
      const admin = userOf(own, 'admin', { role: 'admin' });
      await admin.post('/admin/types/transcript', { paused: true });
      const job = (await alice.transcript(talk)).body.jobId;
      const key = (await alice.post('/auth/keys', { name: 'x', scopes: ['read'] })).body;
      const { ticket } = (await alice.post('/auth/ticket', { path: `/analyze/job/${job}/events` })).body;
      const open = (namespace, token) => connect(own, namespace, { auth: { token } }).ready();
      const mine = await Promise.all([open('/queue', alice.token), open('/notifications', alice.token)]);
      const others = await Promise.all([open('/queue', bob.token), open('/queue', key.key)]);
      const events = await stream(`/analyze/job/${job}/events`, { token: alice.token, on: own });

      const answer = await alice.post('/auth/sign-out-everywhere', {});
      assert.equal(answer.status, 200, JSON.stringify(answer.body));
      const fresh = userOf(own, 'alice');
      assert.equal((await fresh.get('/analyze/jobs')).status, 200, 'a token that was made right after');
      const refused = await alice.get('/analyze/jobs');
      checkProblem(refused, 401, 'TOKEN_INVALID');
      assert.match(refused.body.message, /signed out everywhere/);
      for (const client of mine) {
        assert.equal((await client.next('auth-error')).code, 'TOKEN_INVALID');
        assert.equal(await client.next('disconnect'), 'io server disconnect');
      }
      await waitFor(() => events.ended, 'the stream\'s end', 2_000);
      assert.match(events.text, /TOKEN_INVALID/);
      checkProblem(await rest(own, 'GET', `/analyze/job/${job}/events?ticket=${ticket}`), 401, 'TOKEN_INVALID');
      const again = await connect(own, '/queue', { auth: { token: alice.token } }).next('connect_error');
      assert.equal(again.data.code, 'TOKEN_INVALID');
      assert.deepEqual(others.map(({ socket }) => socket.connected), [true, true], 'other users, and API keys');

      await own.stop();
      await own.start(own.port);
      checkProblem(await alice.get('/analyze/jobs'), 401, 'TOKEN_INVALID');
      assert.equal((await fresh.get('/analyze/jobs')).status, 200);
      assert.equal((await rest(own, 'GET', '/analyze/jobs', { token: key.key })).status, 200);

      checkProblem(await bob.post('/auth/sign-out-everywhere', { userId: 'alice' }), 403, 'ROLE_NEEDED');
      assert.equal((await admin.post('/auth/sign-out-everywhere', { userId: 'alice', keys: true })).status, 200);
      checkProblem(await fresh.get('/analyze/jobs'), 401, 'TOKEN_INVALID');
      checkProblem(await rest(own, 'GET', '/analyze/jobs', { token: key.key }), 401, 'TOKEN_INVALID');
      const undated = signToken(own.secret, { sub: 'alice', exp: secondsFromNow(3600) });
      checkProblem(await rest(own, 'GET', '/analyze/jobs', { token: undated }), 401, 'TOKEN_INVALID');
      assert.equal((await bob.get('/analyze/jobs')).status, 200);
    } finally {
      await own.dispose();
    }
  });
});

describe('security notifications', () => {
  const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0';

  test('tell of a network and a browser that are both new, once a day, and never of the first sign-in', async () => {
    const alice = userOf(server, 'traveller');
    const socket = await connect(server, '/notifications', { auth: { token: alice.token } }).ready();
    assert.equal(await requestFrom('127.0.0.1', { token: alice.token, agent: firefox }), 200);
    assert.equal(await requestFrom('127.0.7.1', { token: alice.token, agent: firefox }), 200, 'a known browser');
    assert.equal(await requestFrom('127.0.0.2', { token: alice.token, agent: 'curl/8' }), 200, 'a known network');
    assert.equal(await requestFrom('127.0.8.1', { token: alice.token, agent: 'X Chrome/126.0 Safari/537.36' }), 200);
    const told = await socket.next('new-notification');
    assert.deepEqual([told.type, told.severity, told.metadata], ['security', 'warning', { network: '127.0.8.0/24', browser: 'Chrome' }]);
    assert.equal(await requestFrom('127.0.9.1', { token: alice.token, agent: 'X Edg/126.0' }), 200);
    const other = userOf(server, 'homebody');
    assert.equal(await requestFrom('127.0.9.1', { token: other.token, agent: 'X Edg/126.0' }), 200);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal((await alerts(alice)).length, 1);
    assert.deepEqual(await alerts(other), []);
  });

  test('tell of many bad tokens, once a day, and nobody is told who was never here', async () => {
    const alice = userOf(server, 'target');
    await alice.jobs();
    const forged = signToken('a stranger\'s secret, long enough', { sub: 'target', exp: secondsFromNow(600) });
    for (let i = 0; i < 19; ++i) assert.equal(await requestFrom('127.0.5.1', { token: forged }), 401);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(await alerts(alice), []);
    for (let i = 0; i < 25; ++i) await requestFrom('127.0.5.2', { token: forged });
    await waitFor(async () => (await alerts(alice)).length === 1, 'the notification');
    assert.equal((await alerts(alice))[0].metadata.network, '127.0.5.0/24');
    for (let i = 0; i < 25; ++i) await requestFrom('127.0.6.1', { token: forged });
    const invented = signToken('x'.repeat(32), { sub: 'nobody', exp: secondsFromNow(600) });
    for (let i = 0; i < 25; ++i) await requestFrom('127.0.5.1', { token: invented });
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.equal((await alerts(alice)).length, 1);
    assert.deepEqual(await alerts(userOf(server, 'nobody')), []);
  });

  test('a stale tab at home alarms nobody', async () => {
    const alice = userOf(server, 'stale');
    await alice.jobs();
    const expired = server.token('stale', { exp: secondsFromNow(-60) });
    for (let i = 0; i < 25; ++i) assert.equal(await requestFrom('127.0.0.1', { token: expired }), 401);
    await new Promise((resolve) => setTimeout(resolve, 200));
    assert.deepEqual(await alerts(alice), []);
    for (let i = 0; i < 25; ++i) await requestFrom('127.0.5.1', { token: expired });
    await waitFor(async () => (await alerts(alice)).length === 1, 'the notification of a token used elsewhere');
  });
});
