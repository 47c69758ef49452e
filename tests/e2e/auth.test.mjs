// Tokens on REST, other people's jobs.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { rest, userOf } from './clients.mjs';
import { checkProblem } from './contract.mjs';
import { secondsFromNow, signToken, startServer } from './harness.mjs';
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
after(() => server?.dispose());

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
  checkProblem(await rest(server, 'GET', '/dev/token'), 404, 'NO_ROUTE');
});
