// Tokens on REST and sockets, other people's jobs, the keys of an identity provider.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { closeSockets, connect, rest, userOf } from './clients.mjs';
import { checkProblem } from './contract.mjs';
import {
  binary, environment, run, secondsFromNow, signToken, startServer, temporaryFolder, waitFor,
} from './harness.mjs';
import { signingKey, startIssuer } from './issuer.mjs';
import { talk } from './texts.mjs';

let server;
let alice;
let job;
before(async () => {
  server = await startServer();
  alice = userOf(server, 'alice');
  job = (await alice.transcript(talk)).body.jobId;
  await alice.ended(job);
});
after(() => {
  closeSockets();
  return server?.dispose();
});

const routes = () => [
  ['POST', '/analyze/video', { configuration: { url: 'https://example.com/v' } }],
  ['POST', '/analyze/transcript', { transcript: talk }],
  ['POST', '/analyze/upload', {}],
  ['GET', '/analyze/jobs'],
  ['GET', '/analyze/history'],
  ['GET', `/analyze/job/${job}/status`],
  ['POST', `/analyze/job/${job}/cancel`, {}],
  ['POST', `/analyze/job/${job}/retry`, {}],
  ['POST', `/analyze/job/${job}/restart`, {}],
  ['DELETE', `/analyze/delete/${job}`],
  ['GET', '/notifications'],
  ['POST', '/notifications', { all: true, title: 'x', message: 'y' }],
  ['POST', '/notifications/read-all', {}],
];

const bad = [
  ['no token', () => undefined, 'TOKEN_MISSING'],
  ['a wrong token', () => 'Bearer nonsense', 'TOKEN_INVALID'],
  ['a token in another scheme', () => 'Basic YWxpY2U6c2VjcmV0', 'TOKEN_INVALID'],
  ['a foreign signature', () => `Bearer ${signToken('x'.repeat(32), { sub: 'alice', exp: secondsFromNow(60) })}`, 'TOKEN_INVALID'],
  ['an expired token', () => `Bearer ${server.token('alice', { exp: secondsFromNow(-60) })}`, 'TOKEN_EXPIRED'],
  ['a token that is not valid yet', () => `Bearer ${server.token('alice', { nbf: secondsFromNow(600) })}`, 'TOKEN_INVALID'],
  ['alg none, unsigned', () => `Bearer ${signToken('', { sub: 'alice', exp: secondsFromNow(60) }, { alg: 'none' }).replace(/[^.]*$/, '')}`, 'TOKEN_INVALID'],
  ['alg None, signed', () => `Bearer ${signToken(server.secret, { sub: 'alice', exp: secondsFromNow(60) }, { alg: 'None' })}`, 'TOKEN_INVALID'],
  ['RS256 with the HMAC secret as key', () => `Bearer ${signToken(server.secret, { sub: 'alice', exp: secondsFromNow(60) }, { alg: 'RS256', typ: 'JWT' })}`, 'TOKEN_INVALID'],
];
for (const [name, header, code] of bad) {
  test(`${name} opens no door: 401 ${code}, and nothing changes`, async () => {
    const before = await alice.jobs();
    const Authorization = header();
    for (const [method, route, json] of routes()) {
      const answer = await rest(server, method, route, { json, headers: Authorization ? { Authorization } : {} });
      checkProblem(answer, 401, code);
    }
    assert.deepEqual(await alice.jobs(), before);
  });
}

test('a refusal says how to authenticate (RFC 9110, 11.6.1)', async () => {
  const answer = await rest(server, 'GET', '/analyze/jobs');
  assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
});

test('someone else\'s job answers 404, exactly as one that does not exist', async () => {
  const mallory = userOf(server, 'mallory');
  const before = await alice.status(job);
  const unknown = '00000000-0000-7000-8000-000000000000';
  for (const id of [job, unknown, 'no-id-at-all']) {
    checkProblem(await mallory.get(`/analyze/job/${id}/status`), 404, 'JOB_NOT_FOUND');
    for (const action of ['cancel', 'retry', 'restart']) {
      checkProblem(await mallory.post(`/analyze/job/${id}/${action}`), 404, 'JOB_NOT_FOUND');
    }
  }
  const there = await mallory.get(`/analyze/job/${job}/status`);
  const not = await mallory.get(`/analyze/job/${unknown}/status`);
  assert.deepEqual(there.body, not.body);
  assert.equal((await mallory.delete(`/analyze/delete/${before.metadata.auditId}`)).status, 404);
  assert.deepEqual(await mallory.jobs(), []);
  assert.deepEqual((await mallory.get('/analyze/history')).body.data, []);
  assert.deepEqual(await alice.status(job), before, 'untouched');
});

test('only admins and services may notify others', async () => {
  const json = { userId: 'bob', title: 'Hello', message: 'There', type: 'tip', severity: 'info' };
  checkProblem(await alice.post('/notifications', json), 403, 'ROLE_NEEDED');
  checkProblem(await userOf(server, 'x', { role: 'user' }).post('/notifications', json), 403, 'ROLE_NEEDED');
  assert.equal((await userOf(server, 'bob').get('/notifications')).body.total, 0);
  for (const role of ['admin', 'service']) {
    assert.equal((await userOf(server, role, { role }).post('/notifications', json)).status, 201);
  }
  assert.equal((await userOf(server, 'bob').get('/notifications')).body.total, 2);
});

test('health is for everyone', async () => {
  for (const route of ['/health', '/health/liveness', '/health/readiness']) {
    const answer = await rest(server, 'GET', route);
    assert.equal(answer.status, 200, route);
    assert.equal(answer.body.status, 'ok');
  }
});

test('a development token is given in development only', async () => {
  checkProblem(await rest(server, 'GET', '/dev/token'), 404, 'NO_SUCH_PATH');
});

/** What REST and both namespaces say to a token: 'accepted' everywhere, or one and the same code. */
async function verdict(on, token) {
  const answer = await rest(on, 'GET', '/analyze/jobs', { token });
  const said = [answer.status === 200 ? 'accepted' : answer.body.code];
  for (const namespace of ['/queue', '/notifications']) {
    const client = connect(on, namespace, { auth: { token } });
    const first = await waitFor(
      () => client.seen.find(({ event }) => ['connect', 'connect_error', 'disconnect'].includes(event)),
      `an answer of ${namespace}`,
    );
    // A connection that ends before the client is in: a stock client comes back by itself.
    said.push({ connect: () => 'accepted', connect_error: (error) => error.data.code, disconnect: () => 'KEYS_UNAVAILABLE' }[first.event](first.args[0]));
    client.close();
  }
  assert.deepEqual(new Set(said).size, 1, `REST and the namespaces agree: ${said}`);
  return said[0];
}

describe('with the keys of an identity provider at a URL', () => {
  const iss = 'https://issuer.example/';
  const claims = { iss, aud: 'rushes' };
  const first = signingKey('first');
  const second = signingKey('second');
  let issuer;
  let own;
  before(async () => {
    issuer = await startIssuer(first);
    own = await startServer({
      secret: '',
      env: { RUSHES_JWT_JWKS: issuer.url, RUSHES_JWT_ISSUER: iss, RUSHES_JWT_AUDIENCE: 'rushes,others' },
    });
  });
  after(async () => {
    closeSockets();
    await own?.dispose();
    await issuer?.close();
  });

  test('its tokens are accepted on REST and sockets, and work', async () => {
    const token = first.token('alice', claims);
    assert.equal(await verdict(own, token), 'accepted');
    assert.equal(await verdict(own, first.token('alice', { ...claims, aud: ['x', 'others'] })), 'accepted');
    const socket = await connect(own, '/queue', { auth: { token } }).ready();
    const { body } = await rest(own, 'POST', '/analyze/transcript', { token, json: { transcript: talk } });
    await socket.until(body.jobId, 'job-completed');
  });

  test('those of others are not', async () => {
    const stranger = signingKey('first');
    const pem = first.pem;
    const confused = [{ alg: 'HS256', kid: 'first' }, { sub: 'alice', exp: secondsFromNow(60), ...claims }]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    const refused = {
      'another key under the same id': stranger.token('alice', claims),
      'its own key in the header': stranger.token('alice', claims, { kid: 'x', jwk: stranger.jwk, jku: issuer.url }),
      'the public key as a secret': `${confused}.${createHmac('sha256', pem).update(confused).digest('base64url')}`,
      'no issuer': first.token('alice', { aud: 'rushes' }),
      'another issuer': first.token('alice', { ...claims, iss: 'https://evil.example/' }),
      'another audience': first.token('alice', { ...claims, aud: 'shop' }),
      'a critical extension': first.token('alice', claims, { crit: ['exp'] }),
      'the secret that a server without keys would make': signToken('', { sub: 'alice', exp: secondsFromNow(60), ...claims }),
    };
    for (const [name, token] of Object.entries(refused)) {
      // The issuer was asked for the first of them, and is not again within 30 s: it may know the key of the second.
      const expected = name === 'its own key in the header' ? 'KEYS_UNAVAILABLE' : 'TOKEN_INVALID';
      assert.equal(await verdict(own, token), expected, name);
    }
    assert.equal(await verdict(own, first.token('alice', { ...claims, exp: secondsFromNow(-60) })), 'TOKEN_EXPIRED');
    assert.ok(!fs.existsSync(path.join(own.dataDir, 'secret')), 'no secret was made beside');
  });

  test('keys change while it runs: the first socket with the new one connects at once', async () => {
    // A server of its own: strangers' ids may make one ask once in 30 s only.
    const calm = await startServer({ secret: '', env: { RUSHES_JWT_JWKS: issuer.url } });
    try {
      const old = await connect(calm, '/queue', { auth: { token: first.token('alice') } }).ready();
      issuer.keys = [second];
      const asked = issuer.requests;
      const news = [1, 2, 3].map(() => connect(calm, '/queue', { auth: { token: second.token('alice') } }));
      await Promise.all(news.map((client) => client.ready()));
      assert.equal(issuer.requests, asked + 1, 'one question for all');
      assert.equal(await verdict(calm, second.token('alice')), 'accepted');
      assert.equal(await verdict(calm, first.token('alice')), 'KEYS_UNAVAILABLE', 'withdrawn, as far as is known');
      assert.deepEqual(
        await old.ask('auth-refresh', { token: second.token('alice') }).then(({ success }) => success),
        true,
        'who is connected stays, with a token of the new key',
      );
      issuer.failing = true;
      assert.equal(await verdict(calm, signingKey('third').token('alice')), 'KEYS_UNAVAILABLE');
      assert.equal(await verdict(calm, second.token('alice')), 'accepted', 'the last good keys are kept');
    } finally {
      issuer.failing = false;
      await calm.dispose();
    }
  });

  test('a socket that leaves while the key of its fresh token is asked for is forgotten', async () => {
    issuer.keys = [first];
    const calm = await startServer({ secret: '', env: { RUSHES_JWT_JWKS: issuer.url } });
    const watched = async () => Number((await rest(calm, 'GET', '/metrics')).body.match(/^rushes_tokens_watched (\d+)$/m)[1]);
    try {
      const socket = await connect(calm, '/queue', { auth: { token: first.token('alice') } }).ready();
      await waitFor(async () => (await watched()) === 1, () => 'its token to be watched');
      issuer.keys = [first, second];
      const asked = issuer.requests;
      let answer;
      issuer.held = new Promise((resolve) => (answer = resolve));
      socket.socket.emit('auth-refresh', { token: second.token('alice') });
      await waitFor(() => issuer.requests === asked + 1, () => 'the key to be asked for');
      socket.close();
      await waitFor(async () => (await watched()) === 0, () => 'the socket to be gone');
      answer();
      await waitFor(async () => (await verdict(calm, second.token('alice'))) === 'accepted', () => 'the key to be known');
      closeSockets();
      await waitFor(async () => (await watched()) === 0, async () => `nothing to be watched, not ${await watched()}`);
    } finally {
      issuer.held = null;
      await calm.dispose();
    }
  });
});

test('a secret, a PEM file and a JWKS file work beside each other, and the files may change', async () => {
  const folder = temporaryFolder();
  const pem = signingKey('pem', 'ES256');
  const [before, later] = [signingKey('before', 'EdDSA'), signingKey('later', 'RS256')];
  const publish = (...keys) => {
    fs.writeFileSync(path.join(folder, 'new'), JSON.stringify({ keys: keys.map((key) => key.jwk) }));
    fs.renameSync(path.join(folder, 'new'), path.join(folder, 'jwks.json'));
  };
  fs.writeFileSync(path.join(folder, 'key.pem'), pem.pem);
  publish(before);
  const own = await startServer({
    env: { RUSHES_JWT_PUBLIC_KEY: path.join(folder, 'key.pem'), RUSHES_JWT_JWKS: path.join(folder, 'jwks.json') },
  });
  try {
    for (const token of [own.token('alice'), pem.token('alice'), before.token('alice')]) {
      assert.equal(await verdict(own, token), 'accepted');
    }
    publish(later);
    assert.equal(await verdict(own, later.token('alice')), 'accepted', 'an unknown id makes it look at once');
    assert.equal(await verdict(own, before.token('alice')), 'TOKEN_INVALID');
    publish(before);
    await waitFor(async () => (await rest(own, 'GET', '/analyze/jobs', { token: later.token('alice') })).status === 401,
      'the change to be seen by itself', 20_000);
  } finally {
    await own.dispose();
    fs.rmSync(folder, { recursive: true });
  }
});

test('keys that cannot work end the start, with the setting and what is allowed', async () => {
  const folder = temporaryFolder();
  const issuer = await startIssuer();
  fs.writeFileSync(path.join(folder, 'private.pem'), '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n');
  const bad = [
    [{ RUSHES_JWT_PUBLIC_KEY: path.join(folder, 'absent.pem') }, /jwt_public_key: '.*absent\.pem'.*No such file.*allowed: a PEM file/],
    [{ RUSHES_JWT_PUBLIC_KEY: path.join(folder, 'private.pem') }, /jwt_public_key: .*private key; give its public one/],
    [{ RUSHES_JWT_JWKS: issuer.url }, /jwt_jwks: .*no key that can be used.*allowed: a JWKS/],
    [{ RUSHES_JWT_JWKS: 'ftp://127.0.0.1/jwks.json' }, /RUSHES_JWT_JWKS: jwt_jwks: .*neither with http/],
    [{ RUSHES_JWT_ISSUER: '' }, /jwt_issuer: '' is empty/],
    [{ RUSHES_JWT_SKEW: '301' }, /jwt_skew: '301' is not allowed; allowed: 0 to 300/],
  ];
  for (const [env, words] of bad) {
    const { code, stderr } = await run(binary, ['serve', '--port', '0', '--data-dir', folder], { env: environment(env) });
    assert.equal(code, 1, stderr);
    assert.match(stderr, words);
  }
  await issuer.close();
  fs.rmSync(folder, { recursive: true });
});

test('the command line signs what the configured issuer and audience ask for', async () => {
  const env = { RUSHES_JWT_ISSUER: 'https://issuer.example/', RUSHES_JWT_AUDIENCE: 'rushes' };
  const own = await startServer({ env });
  try {
    const { stdout } = await run(binary, ['token', '--sub', 'alice'], { env: environment({ ...env, JWT_SECRET: own.secret }) });
    assert.equal(await verdict(own, stdout.trim()), 'accepted');
    assert.equal(await verdict(own, own.token('alice')), 'TOKEN_INVALID');
  } finally {
    await own.dispose();
  }
});
