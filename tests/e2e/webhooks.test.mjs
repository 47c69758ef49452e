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
      const said = answer(message);
      response.writeHead(said.status ?? said, said.headers).end('thanks');
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

/** As the libraries of Standard Webhooks verify: one of the signatures, which blanks separate, is the secret's. */
function isSigned(secret, { headers, body }) {
  const text = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`;
  const key = Buffer.from(secret.replace('whsec_', ''), 'base64');
  return headers['webhook-signature'].split(' ').includes(`v1,${createHmac('sha256', key).update(text).digest('base64')}`);
}

function verify(secret, message) {
  const { headers, body } = message;
  assert.ok(isSigned(secret, message), headers['webhook-signature']);
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
  const hooks = [];
  for (let i = 0; i < 10; ++i) hooks.push((await fay.post('/webhooks', { url: `http://127.0.0.1:${deaf.address().port}/${i}` })).body);
  const later = { runAt: new Date(Date.now() + 3_600_000).toISOString() };
  for (let i = 0; i < 10; ++i) {
    const { jobId } = (await fay.post('/analyze/transcript', { transcript: talk, options: later })).body;
    await fay.post(`/analyze/job/${jobId}/cancel`);
  }
  await waitFor(async () => (await fay.get(`/webhooks/${hooks[9].id}/deliveries`)).body.deliveries.length === 10, 'what is due to the dead');
  const gus = userOf(server, 'gus');
  const { body: hook } = await gus.post('/webhooks', { url: urlOf('guss') });
  for (let i = 0; i < 3; ++i) await gus.post(`/webhooks/${hook.id}/test`);
  await waitFor(() => receivedAt('guss').length === 3, 'the webhooks of the other', 5_000);
  deaf.closeAllConnections();
  deaf.close();
});

test('a replaced secret signs beside the new one, and a secret may be brought along', async () => {
  const ida = userOf(server, 'ida');
  const own = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const { body: hook } = await ida.post('/webhooks', { url: urlOf('rotated'), secret: own, description: 'the CI\u202E' });
  assert.deepEqual([hook.secret, hook.description, hook.enabled], [own, 'the CI', true]);
  for (const secret of ['secret', 'whsec_short', `whsec_${Buffer.alloc(65).toString('base64')}`]) {
    checkProblem(await ida.post('/webhooks', { url: urlOf('x'), secret }), 422, 'SECRET_INVALID');
  }
  const { status, body: rotated } = await ida.post(`/webhooks/${hook.id}/rotate`);
  assert.equal(status, 200);
  assert.match(rotated.secret, /^whsec_[A-Za-z0-9+/]{32}$/);
  assert.ok(Math.abs(Date.parse(rotated.previousSecretUntil) - Date.now() - 86_400_000) < 60_000);
  await ida.post(`/webhooks/${hook.id}/test`);
  await waitFor(() => receivedAt('rotated').length === 1, 'the message');
  const [message] = receivedAt('rotated');
  assert.ok(isSigned(own, message) && isSigned(rotated.secret, message));
  assert.match(message.headers['webhook-signature'], /^v1,\S+ v1,\S+$/);
  const third = (await ida.post(`/webhooks/${hook.id}/rotate`, { secret: `whsec_${Buffer.alloc(24, 9).toString('base64')}` })).body;
  await ida.post(`/webhooks/${hook.id}/test`);
  await waitFor(() => receivedAt('rotated').length === 2, 'the next message');
  const [, next] = receivedAt('rotated');
  assert.deepEqual([own, rotated.secret, third.secret].map((secret) => isSigned(secret, next)), [false, true, true]);
  checkProblem(await userOf(server, 'not ida').post(`/webhooks/${hook.id}/rotate`), 404, 'WEBHOOK_NOT_FOUND');
  assert.ok((await ida.get('/webhooks')).body.webhooks.every((one) => one.secret === undefined));
});

test('one that said it is gone is switched on again, and what it missed is sent again', async () => {
  const jan = userOf(server, 'jan');
  const inbox = await jan.notifications().ready();
  const { body: hook } = await jan.post('/webhooks', { url: urlOf('back') });
  answer = ({ path }) => (path === '/back' ? 410 : 204);
  const missed = (await jan.post(`/webhooks/${hook.id}/test`)).body;
  const off = await waitFor(async () => {
    const one = (await jan.get('/webhooks')).body.webhooks[0];
    return one.disabledAt && one;
  }, 'the end of it');
  assert.deepEqual([off.enabled, off.disabledReason], [false, 'gone']);
  const told = await inbox.next('new-notification');
  assert.deepEqual([told.type, told.severity, told.metadata.webhookId], ['system', 'warning', hook.id]);
  assert.match(told.message, /\/back.*410/);
  checkProblem(await jan.post(`/webhooks/${hook.id}/test`), 409, 'WEBHOOK_DISABLED');
  checkProblem(await jan.post(`/webhooks/${hook.id}/deliveries/${missed.id}/resend`), 409, 'WEBHOOK_DISABLED');

  answer = () => 204;
  const changed = await jan.patch(`/webhooks/${hook.id}`, { enabled: true, url: urlOf('moved'), events: ['job.failed'], description: 'moved' });
  assert.equal(changed.status, 200);
  const { url, events, description, enabled, disabledAt } = changed.body;
  assert.deepEqual([url, events, description, enabled, disabledAt], [urlOf('moved'), ['job.failed'], 'moved', true, null]);
  const again = await jan.post(`/webhooks/${hook.id}/deliveries/${missed.id}/resend`);
  assert.deepEqual([again.status, again.body.id, again.body.state], [202, missed.id, 'pending']);
  await waitFor(() => receivedAt('moved').length === 1, 'what was missed');
  assert.equal(receivedAt('moved')[0].headers['webhook-id'], missed.id);
  verify(hook.secret, receivedAt('moved')[0]);
  checkProblem(await jan.post(`/webhooks/${hook.id}/deliveries/msg_none/resend`), 404, 'DELIVERY_NOT_FOUND');
  checkProblem(await jan.patch(`/webhooks/${hook.id}`, { url: 'nonsense' }), 422, 'URL_INVALID');
  checkProblem(await jan.patch(`/webhooks/${hook.id}`, { enabled: 'yes' }), 422, 'WEBHOOK_INVALID');
  const asked = (await jan.patch(`/webhooks/${hook.id}`, { enabled: false })).body;
  assert.deepEqual([asked.enabled, asked.disabledReason], [false, 'asked']);
});

test('Retry-After is kept', async () => {
  const kay = userOf(server, 'kay');
  const { body: hook } = await kay.post('/webhooks', { url: urlOf('busy') });
  answer = ({ path }) => (path === '/busy' ? { status: 429, headers: { 'Retry-After': '3600' } } : 204);
  await kay.post(`/webhooks/${hook.id}/test`);
  const tried = await waitFor(async () => {
    const [one] = (await kay.get(`/webhooks/${hook.id}/deliveries`)).body.deliveries;
    return one.attempts === 1 && one;
  }, 'the first attempt');
  assert.ok(Date.parse(tried.nextAt) > Date.now() + 3_500_000, tried.nextAt);
  answer = () => 204;
  await kay.post(`/webhooks/${hook.id}/test`);
  assert.equal(receivedAt('busy').length, 1, 'the next message waits too');
  await kay.patch(`/webhooks/${hook.id}`, { enabled: true });
  await kay.post(`/webhooks/${hook.id}/deliveries/${tried.id}/resend`);
  await waitFor(() => receivedAt('busy').length === 3, 'what waited');
});

test('tests and resends are ten a minute of a user', async () => {
  const lou = userOf(server, 'lou');
  const { body: hook } = await lou.post('/webhooks', { url: urlOf('tested') });
  for (let i = 0; i < 10; ++i) assert.equal((await lou.post(`/webhooks/${hook.id}/test`)).status, 202);
  const refused = await lou.post(`/webhooks/${hook.id}/test`);
  checkProblem(refused, 429, 'RATE_LIMITED');
  assert.ok(Number(refused.headers.get('retry-after')) <= 6);
  const [{ id }] = (await lou.get(`/webhooks/${hook.id}/deliveries`)).body.deliveries;
  checkProblem(await lou.post(`/webhooks/${hook.id}/deliveries/${id}/resend`), 429, 'RATE_LIMITED');
  const mo = userOf(server, 'mo');
  const { body: other } = await mo.post('/webhooks', { url: urlOf('tested') });
  assert.equal((await mo.post(`/webhooks/${other.id}/test`)).status, 202);
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
