// Webhooks: signed, filtered, tried again, and none lost with a crash.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { closeSockets, userOf } from './clients.mjs';
import { checkProblem } from './contract.mjs';
import { startServer, waitFor } from './harness.mjs';
import { talk } from './texts.mjs';

let server;
let receiver;
const received = [];
let answer = () => 204;
before(async () => {
  receiver = http.createServer((request, response) => {
    let body = '';
    request.on('data', (text) => (body += text));
    request.on('end', () => {
      const message = { path: request.url, headers: request.headers, body };
      received.push(message);
      response.writeHead(answer(message)).end('thanks');
    });
  });
  await new Promise((resolve) => { receiver.listen(0, '127.0.0.1', resolve); });
  server = await startServer({ env: { RUSHES_ALLOW_PRIVATE_ADDRESSES: 'true' } });
});
after(async () => {
  closeSockets();
  await server?.dispose();
  receiver.close();
});

const urlOf = (name) => `http://127.0.0.1:${receiver.address().port}/${name}`;
const receivedAt = (name) => received.filter(({ path }) => path === `/${name}`);

/** As the libraries of Standard Webhooks verify. */
function verify(secret, { headers, body }) {
  const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  assert.equal(headers['webhook-signature'], `v1,${createHmac('sha256', key).update(text).digest('base64')}`);
  assert.ok(Math.abs(Date.now() / 1000 - Number(headers['webhook-timestamp'])) < 60);
  return JSON.parse(body);
}

test('the end of a job is told, signed, to those who asked for it', async () => {
  const alice = userOf(server, 'alice');
  const bob = userOf(server, 'bob');
  const { status, body: hook } = await alice.post('/webhooks', { url: urlOf('all') });
  assert.equal(status, 201);
  assert.match(hook.secret, /^whsec_[A-Za-z0-9+/]{32}$/);
  await alice.post('/webhooks', { url: urlOf('failures'), events: ['job.failed'] });
  await bob.post('/webhooks', { url: urlOf('bobs') });
  const { jobId } = (await alice.post('/analyze/transcript', { transcript: talk })).body;
  await waitFor(() => receivedAt('all').length > 0, 'the webhook');

  const message = verify(hook.secret, receivedAt('all')[0]);
  assert.equal(message.type, 'job.completed');
  assert.equal(message.data.jobId, jobId);
  assert.equal(message.data.eventType, 'job-completed');
  assert.ok(message.data.result.analysis);
  const kept = await waitFor(async () => {
    const { deliveries } = (await alice.get(`/webhooks/${hook.id}/deliveries`)).body;
    return deliveries[0].state !== 'pending' && deliveries;
  }, 'the record of it');
  assert.deepEqual(kept.map(({ type, state, attempts, lastAnswer }) => [type, state, attempts, lastAnswer]), [['job.completed', 'delivered', 1, '204']]);
  assert.deepEqual([receivedAt('failures').length, receivedAt('bobs').length], [0, 0]);

  const listed = (await alice.get('/webhooks')).body.webhooks;
  assert.equal(listed.length, 2);
  assert.ok(listed.every((one) => one.secret === undefined), 'a secret is shown once');
  checkProblem(await bob.post(`/webhooks/${hook.id}/test`), 404, 'WEBHOOK_NOT_FOUND');
});

test('what does not arrive is tried again, also after a crash, under the same id', async () => {
  const carol = userOf(server, 'carol');
  const { body: hook } = await carol.post('/webhooks', { url: urlOf('flaky') });
  answer = ({ path }) => (path === '/flaky' ? 503 : 204);
  assert.equal((await carol.post(`/webhooks/${hook.id}/test`)).status, 202);
  await waitFor(() => receivedAt('flaky').length === 1, 'the first attempt');
  await waitFor(async () => (await carol.get(`/webhooks/${hook.id}/deliveries`)).body.deliveries[0].attempts === 1, 'its record');
  await server.kill();
  await server.start(server.port);
  answer = () => 200;
  await waitFor(() => receivedAt('flaky').length === 2, 'the second attempt', 20_000);
  const [first, second] = receivedAt('flaky');
  assert.equal(first.headers['webhook-id'], second.headers['webhook-id']);
  assert.equal(verify(hook.secret, second).type, 'webhook.test');
});

test('one that says it is gone is left alone', async () => {
  const dora = userOf(server, 'dora');
  const { body: hook } = await dora.post('/webhooks', { url: urlOf('gone') });
  answer = () => 410;
  await dora.post(`/webhooks/${hook.id}/test`);
  await waitFor(async () => (await dora.get('/webhooks')).body.webhooks[0].disabledAt, 'the end of it');
  answer = () => 204;
});

test("one user's dead endpoints hold up nobody else's", async () => {
  const deaf = http.createServer(() => {}); // answers nothing
  await new Promise((resolve) => { deaf.listen(0, '127.0.0.1', resolve); });
  const fay = userOf(server, 'fay');
  for (let i = 0; i < 10; ++i) {
    const { body } = await fay.post('/webhooks', { url: `http://127.0.0.1:${deaf.address().port}/${i}` });
    for (let j = 0; j < 10; ++j) assert.equal((await fay.post(`/webhooks/${body.id}/test`)).status, 202);
  }
  const gus = userOf(server, 'gus');
  const { body: hook } = await gus.post('/webhooks', { url: urlOf('guss') });
  for (let i = 0; i < 3; ++i) await gus.post(`/webhooks/${hook.id}/test`);
  await waitFor(() => receivedAt('guss').length === 3, 'the webhooks of the other', 5_000);
  deaf.closeAllConnections();
  deaf.close();
});

test('ten webhooks of a user are enough, and no wait helps', async () => {
  const hal = userOf(server, 'hal');
  for (let i = 0; i < 10; ++i) assert.equal((await hal.post('/webhooks', { url: urlOf('hal') })).status, 201);
  const refused = await hal.post('/webhooks', { url: urlOf('hal') });
  checkProblem(refused, 409, 'WEBHOOK_LIMIT');
  assert.equal(refused.headers.get('retry-after'), null);
});

test('only what may be reached is accepted', async () => {
  const strict = await startServer();
  const erin = userOf(strict, 'erin');
  for (const url of ['http://127.0.0.1:9/x', 'http://169.254.169.254/latest', 'ftp://example.org/', 'nonsense']) {
    const refused = await erin.post('/webhooks', { url });
    assert.equal(refused.status, 422, url);
  }
  checkProblem(await erin.post('/webhooks', { url: 'https://example.org/x', events: ['job.begun'] }), 422, 'EVENTS_INVALID');
  checkProblem(await erin.post('/webhooks', {}), 422, 'URL_MISSING');
  await strict.dispose();
});
