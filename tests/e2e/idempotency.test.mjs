// The same Idempotency-Key: the same request gives the same job, another one is refused, also after a restart.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, test } from 'node:test';
import { closeSockets, rest, userOf } from './clients.mjs';
import { checkProblem } from './contract.mjs';
import { startServer, waitFor } from './harness.mjs';
import { talk } from './texts.mjs';

let server;
before(async () => {
  server = await startServer({ env: { RUSHES_MAX_QUEUED_PER_USER: '100' } });
});
after(async () => {
  closeSockets();
  await server?.dispose();
});

const later = { runAt: new Date(Date.now() + 3_600_000).toISOString() };
const withKey = (key) => ({ headers: { 'Idempotency-Key': key } });
const film = (byte, size = 200_000) => Buffer.alloc(size, byte);

test('the same key with another request is refused, and nothing is lost silently', async () => {
  const user = userOf(server, 'reuse');
  const send = (body) => user.post('/analyze/transcript', body, withKey('k-1'));
  const { jobId } = (await send({ transcript: talk, options: later })).body;
  const others = [
    () => send({ transcript: `${talk} And more.`, options: later }),
    () => send({ transcript: talk, options: later, configuration: { language: 'de' } }),
    () => send({ transcript: talk, options: { ...later, priority: -1 } }),
    () => send({ transcript: talk }),
    () => user.post('/analyze/video', { configuration: { url: 'https://video.example/watch?v=1' } }, withKey('k-1')),
    () => user.upload(film('a'), { fileName: 'film.mp4', ...withKey('k-1') }),
  ];
  for (const other of others) {
    const refused = await other();
    checkProblem(refused, 422, 'IDEMPOTENCY_KEY_REUSED');
    assert.match(refused.body.message, /new key/);
  }
  assert.equal((await user.jobs()).length, 1);
  assert.equal((await send({ transcript: talk, options: later })).body.jobId, jobId);
});

test('what is compared is the request as it is read, not its bytes', async () => {
  const user = userOf(server, 'bytes');
  const post = (body) => rest(server, 'POST', '/analyze/transcript', {
    token: user.token, body, headers: { 'Content-Type': 'application/json', 'Idempotency-Key': 'k' },
  });
  const text = JSON.stringify(talk);
  const first = await post(`{"transcript":${text},"configuration":{"language":"de","tone":"dry"},"options":{"runAt":"2099-01-01T00:00:00Z"}}`.replace('2099', new Date().getUTCFullYear()));
  assert.equal(first.status, 201, JSON.stringify(first.body));
  const again = await post(` { "options" : {"priority":0, "uniqueKey":null, "runAt":"YEAR-01-01T01:00:00+01:00"},\n "configuration":{"tone":"dry","title":null,"language":"de"}, "extra": 1, "transcript": ${text} }`.replace('YEAR', new Date().getUTCFullYear()));
  assert.equal(again.status, 201, JSON.stringify(again.body));
  assert.equal(again.body.jobId, first.body.jobId);
});

test('uploads are compared by what is in the file', async () => {
  const user = userOf(server, 'files');
  const send = (bytes, more = {}) => user.upload(bytes, { fileName: 'film.mp4', ...withKey('film'), ...more });
  const first = await send(film('a'), { configuration: { title: 'Film' } });
  assert.equal(first.status, 201, JSON.stringify(first.body));
  const again = await send(film('a'), { configuration: { title: 'Film' }, fileName: 'copy of film.mp4' });
  assert.equal(again.status, 201, JSON.stringify(again.body));
  assert.equal(again.body.jobId, first.body.jobId);
  checkProblem(await send(film('b'), { configuration: { title: 'Film' } }), 422, 'IDEMPOTENCY_KEY_REUSED');
  checkProblem(await send(film('a', 100), { configuration: { title: 'Film' } }), 422, 'IDEMPOTENCY_KEY_REUSED');
  checkProblem(await send(film('a', 900_000), { configuration: { title: 'Film' } }), 422, 'IDEMPOTENCY_KEY_REUSED');
  checkProblem(await send(film('a'), { configuration: { title: 'Another' } }), 422, 'IDEMPOTENCY_KEY_REUSED');
  checkProblem(await user.transcript(talk, {}, withKey('film').headers), 422, 'IDEMPOTENCY_KEY_REUSED');
  assert.equal((await user.jobs()).length, 1);
  assert.deepEqual(new Set(server.filesIn('uploads').map((file) => file.split('/')[0])), new Set([first.body.jobId]));
});

test('while the first is still received the key is in use, and free again when it broke off', async () => {
  const user = userOf(server, 'slow');
  const begin = () => {
    const request = http.request(`${server.url}/analyze/upload`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${user.token}`, 'Content-Type': 'multipart/form-data; boundary=edge', 'Content-Length': 1_000_000, 'Idempotency-Key': 'slow' },
    });
    request.on('error', () => {});
    request.write('--edge\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\nbytes');
    return request;
  };
  const first = begin();
  await waitFor(() => server.filesIn('uploads').some((file) => file.endsWith('incoming')), 'the first bytes');
  for (const other of [() => user.upload(film('a'), { fileName: 'a.mp4', ...withKey('slow') }), () => user.transcript(talk, {}, withKey('slow').headers),
    () => user.post('/analyze/bulk', [{ transcript: talk }, { transcript: talk, idempotencyKey: 'slow' }])]) {
    const busy = await other();
    checkProblem(busy, 409, 'IDEMPOTENCY_KEY_IN_USE');
    assert.match(busy.headers.get('retry-after'), /^[1-9]\d*$/);
  }
  assert.equal((await user.transcript(talk, {}, withKey('other').headers)).status, 201);
  assert.equal((await userOf(server, 'slow-other').transcript(talk, {}, withKey('slow').headers)).status, 201, 'keys are each user\'s own');
  first.destroy();
  const after_ = await waitFor(async () => {
    const answer = await user.transcript(talk, {}, withKey('slow').headers);
    return answer.status !== 409 && answer;
  }, 'the free key');
  assert.equal(after_.status, 201);
});

test('of many, one with a reused key refuses all, by its index', async () => {
  const user = userOf(server, 'many');
  const item = (text, key) => ({ transcript: text, idempotencyKey: key, options: later });
  assert.equal((await user.post('/analyze/bulk', [item(talk, 'a')])).status, 201);
  for (const items of [[item(talk, 'b'), item(`${talk} more`, 'a')], [item(talk, 'c'), item(`${talk} more`, 'c')]]) {
    const refused = await user.post('/analyze/bulk', items);
    checkProblem(refused, 422, 'IDEMPOTENCY_KEY_REUSED');
    assert.equal(refused.body.index, 1);
    assert.match(refused.body.message, /^Item 1: /);
  }
  assert.equal((await user.jobs()).length, 1);
  assert.equal((await user.post('/analyze/bulk', [item(talk, 'a'), item(talk, 'b'), item(talk, 'b')])).status, 201);
  assert.equal((await user.jobs()).length, 2);
});

test('over the rate a repetition is answered, and another request is told from it', async () => {
  const limited = await startServer({ env: { RUSHES_SUBMITS_PER_MINUTE: '1' } });
  try {
    const user = userOf(limited, 'rate');
    const send = (bytes, key) => user.upload(bytes, { fileName: 'film.mp4', ...withKey(key) });
    const first = await send(film('a'), 'k');
    assert.equal(first.status, 201);
    assert.equal((await send(film('a'), 'k')).body.jobId, first.body.jobId);
    checkProblem(await send(film('b'), 'k'), 422, 'IDEMPOTENCY_KEY_REUSED');
    checkProblem(await send(film('b'), 'l'), 429, 'RATE_LIMITED');
    checkProblem(await user.transcript(talk, {}, withKey('k').headers), 422, 'IDEMPOTENCY_KEY_REUSED');
  } finally {
    await limited.dispose();
  }
});

test('keys and what they came with outlive a crash', async () => {
  const user = userOf(server, 'crash');
  const send = (text) => user.post('/analyze/transcript', { transcript: text, options: later }, withKey('k'));
  const { jobId } = (await send(talk)).body;
  await server.kill();
  await server.start(server.port);
  assert.equal((await send(talk)).body.jobId, jobId);
  checkProblem(await send(`${talk} more`), 422, 'IDEMPOTENCY_KEY_REUSED');
});
