// Key sets that vanish, rotate and change under one id, and a server that restarts meanwhile, with the stock client connected throughout.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { closeSockets, connect, io, rest } from './clients.mjs';
import { checkProblem } from './contract.mjs';
import { secondsFromNow, startServer, waitFor } from './harness.mjs';
import { signingKey, startIssuer } from './issuer.mjs';

after(closeSockets);

/** A server that trusts `issuer`, on the same port after each start. */
async function serverOf(issuer, env = {}) {
  const server = await startServer({ secret: '', env: { RUSHES_JWT_JWKS: issuer.url, ...env } });
  server.again = () => server.start(server.port);
  return server;
}

/** The client as pages have it: it reconnects by itself, and its token comes from a getter. */
function page(server, token) {
  return connect(server, '/queue', { auth: (give) => give({ token: token() }), reconnection: true });
}

const connects = (client) => client.of('connect').length;
const refusals = (client) => client.of('connect_error').map(({ data, message }) => data?.code ?? message).filter((code) => /TOKEN|KEYS/.test(code));
const ask = (server, token) => rest(server, 'GET', '/analyze/jobs', { token });

async function expectUnavailable(server, token) {
  const answer = await ask(server, token);
  checkProblem(answer, 503, 'KEYS_UNAVAILABLE');
  assert.match(answer.headers.get('retry-after'), /^\d+$/);
  assert.match(answer.body.detail, /try again in \d+ s/);
}

test('a server that starts while the key set cannot be had keeps everybody waiting, and lets them in by itself', async () => {
  const key = signingKey('k');
  const issuer = await startIssuer(key);
  const server = await serverOf(issuer);
  const token = key.token('alice');
  try {
    const client = await page(server, () => token).ready();
    await server.stop();
    fs.rmSync(path.join(server.dataDir, 'keys'), { recursive: true, force: true });
    issuer.failing = true;
    await server.again();
    await expectUnavailable(server, token);
    checkProblem(await ask(server, 'nonsense'), 401, 'TOKEN_INVALID');
    await waitFor(() => client.of('disconnect').length >= 1, 'the client to notice');
    await new Promise((resolve) => setTimeout(resolve, 2_500)); // it comes and goes meanwhile
    assert.ok(client.socket.active, 'it still tries');
    issuer.failing = false;
    await waitFor(() => connects(client) === 2, 'the client to be back by itself', 20_000);
    assert.deepEqual(refusals(client), []);
    assert.equal((await ask(server, token)).status, 200);
  } finally {
    await server.dispose();
    await issuer.close();
  }
});

test('the last good key set is kept on disk: a restart without the URL lets everybody in at once', async () => {
  const key = signingKey('k');
  const issuer = await startIssuer(key);
  const server = await serverOf(issuer);
  const token = key.token('alice');
  try {
    const client = await page(server, () => token).ready();
    const [kept] = server.filesIn('keys');
    assert.equal(fs.statSync(path.join(server.dataDir, 'keys', kept)).mode & 0o777, 0o600);
    await server.stop();
    issuer.failing = true;
    await server.again();
    assert.match(server.log, /jwt_jwks: .*status 500; using its keys of 20\d\d-.*keys=1/);
    await waitFor(() => connects(client) === 2, 'the client to be back');
    assert.equal((await ask(server, token)).status, 200);
    await expectUnavailable(server, signingKey('new').token('alice'));
    assert.deepEqual(refusals(client), []);
  } finally {
    await server.dispose();
    await issuer.close();
  }
});

test('while the key of a fresh token cannot be had, its socket stays; when the old token ends, it comes back by itself', async () => {
  const [old, fresh] = [signingKey('old'), signingKey('fresh')];
  const issuer = await startIssuer(old);
  const server = await serverOf(issuer, { RUSHES_JWT_SKEW: '0' });
  try {
    let token = old.token('alice', { exp: secondsFromNow(4) });
    const client = await page(server, () => token).ready();
    issuer.failing = true;
    token = fresh.token('alice');
    const answer = await client.ask('auth-refresh', { token });
    assert.equal(answer.success, false);
    assert.equal(answer.code, 'KEYS_UNAVAILABLE');
    assert.ok(client.socket.connected, 'the socket stays');
    await waitFor(() => client.of('disconnect').length === 1, 'the end of the old token');
    assert.notEqual(client.of('disconnect')[0], 'io server disconnect', 'after which the stock client does not come back');
    assert.deepEqual(client.of('auth-error'), []);
    issuer.keys = [old, fresh];
    issuer.failing = false;
    await waitFor(() => connects(client) === 2, 'the client to be back by itself', 30_000);
    assert.deepEqual(refusals(client), []);
  } finally {
    await server.dispose();
    await issuer.close();
  }
});

test('a key that rotates, or changes under its id, while the issuer was asked a moment ago: nobody is refused for good', async () => {
  const [old, fresh, replaced] = [signingKey('a'), signingKey('b'), signingKey('a')];
  const issuer = await startIssuer(old);
  const server = await serverOf(issuer);
  try {
    const token = { first: old.token('alice'), second: old.token('bob') };
    const clients = [await page(server, () => token.first).ready(), await page(server, () => token.second).ready()];
    checkProblem(await ask(server, signingKey('junk').token('mallory')), 401, 'TOKEN_INVALID');
    const asked = issuer.requests;
    issuer.keys = [fresh, replaced];
    token.first = fresh.token('alice');
    token.second = replaced.token('bob');
    for (const { socket } of clients) socket.io.engine.close();
    await expectUnavailable(server, token.first);
    await expectUnavailable(server, token.second);
    for (let i = 0; i < 20; i += 1) await ask(server, signingKey(`junk ${i}`, 'EdDSA').token('mallory'));
    assert.equal(issuer.requests, asked, 'strangers do not make it ask');
    await waitFor(() => clients.every((client) => connects(client) === 2), 'the clients to be back by themselves', 45_000);
    for (const client of clients) assert.deepEqual(refusals(client), []);
    assert.ok(issuer.requests <= asked + 2, `asked once in 30 s, not ${issuer.requests - asked} times`);
    assert.equal((await ask(server, token.first)).status, 200);
    assert.equal((await ask(server, token.second)).status, 200);
  } finally {
    await server.dispose();
    await issuer.close();
  }
});

test('a key that changes under its id is fetched at once', async () => {
  const [old, replaced] = [signingKey('a'), signingKey('a')];
  const issuer = await startIssuer(old);
  const server = await serverOf(issuer);
  try {
    assert.equal((await ask(server, old.token('alice'))).status, 200);
    issuer.keys = [replaced];
    await connect(server, '/queue', { auth: { token: replaced.token('alice') } }).ready();
    assert.equal(issuer.requests, 2);
  } finally {
    await server.dispose();
    await issuer.close();
  }
});

test('a token that ran out is refused at once, however often its client comes back', async () => {
  const server = await startServer();
  try {
    const token = server.token('alice', { exp: secondsFromNow(-3) }); // 2 s are left of the skew's 5
    const socket = io(`${server.url}/queue`, { auth: { token }, forceNew: true });
    let connected = 0;
    const errors = [];
    socket.on('connect', () => (connected += 1));
    socket.on('connect_error', (error) => errors.push(error.data?.code));
    // As Socket.IO's documentation has it.
    socket.on('disconnect', (reason) => reason === 'io server disconnect' && socket.connect());
    await waitFor(() => errors.length > 0, 'a refusal');
    assert.deepEqual(errors, ['TOKEN_EXPIRED']);
    assert.equal(connected, 1, 'not let in again');
    checkProblem(await ask(server, token), 401, 'TOKEN_EXPIRED');
    socket.disconnect();
  } finally {
    await server.dispose();
  }
});

test('a token of 16 KiB signs in, by socket and REST', async () => {
  const server = await startServer();
  try {
    const groups = Array.from({ length: 200 }, (_, i) => `6f5ad1f4-5a3d-4ec9-8b86-${String(i).padStart(12, '0')}`);
    const token = server.token('alice', { groups });
    assert.ok(token.length > 10_000, `Entra's most: ${token.length}`);
    assert.equal((await ask(server, token)).status, 200);
    const largest = server.token('alice', { groups: 'g'.repeat(12_000) });
    for (const transports of [['polling'], ['websocket']]) {
      await connect(server, '/notifications', { auth: { token: largest }, transports }).ready();
    }
  } finally {
    await server.dispose();
  }
});
