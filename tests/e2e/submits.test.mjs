// Many jobs in one request, options of a job, and the rate limit.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeSockets, rest, send, userOf } from './clients.mjs';
import { checkProblem } from './contract.mjs';
import { secondsFromNow, startServer, waitFor } from './harness.mjs';
import { talk } from './texts.mjs';

let server;
before(async () => {
  server = await startServer({ env: { RUSHES_MAX_QUEUED_PER_USER: '10000', RUSHES_MAX_PRIORITY: '5', RUSHES_WORKERS: '1', RUSHES_TRANSCRIPT_LANE: '0' } });
});
after(async () => {
  closeSockets();
  await server?.dispose();
});

const later = { runAt: new Date(Date.now() + 3_600_000).toISOString() };
const lines = (items) => items.map((item) => JSON.stringify(item)).join('\n');
const bulkLines = (user, body, on = server) =>
  rest(on, 'POST', '/analyze/bulk', { token: user.token, body, headers: { 'Content-Type': 'application/x-ndjson' } });

test('many are submitted in one request, in order, and end as if one by one', async () => {
  const user = userOf(server, 'bulk');
  const queue = await user.connect().ready();
  const items = [
    { type: 'transcript', transcript: talk, configuration: { title: 'First' } },
    { transcript: talk, configuration: { title: 'Second' }, options: { priority: 1 } },
    { type: 'video', configuration: { url: 'https://video.example/watch?v=1' }, options: later },
  ];
  const answer = await user.post('/analyze/bulk', items);
  assert.equal(answer.status, 201, JSON.stringify(answer.body));
  assert.equal(answer.body.jobs.length, 3);
  const [first, second, third] = answer.body.jobs.map((job) => job.jobId);
  assert.match(answer.body.jobs[2].message, /^Job scheduled for /);
  assert.equal(answer.body.jobs[2].queuePosition, null);
  await queue.until(second);
  await queue.until(first);
  assert.deepEqual((await user.jobs()).map((job) => job.jobId), [third, second, first]);
  assert.equal((await user.status(first)).metadata.videoTitle, 'First');
  assert.equal((await user.status(second)).priority, 1);
  const waiting = await user.status(third);
  assert.equal(waiting.status, 'pending');
  assert.equal(waiting.runAt, later.runAt);
});

test('one bad item refuses all, by its index', async () => {
  const user = userOf(server, 'all-or-none');
  const items = [{ transcript: talk }, { transcript: '' }, { transcript: talk }];
  for (const answer of [await user.post('/analyze/bulk', items), await bulkLines(user, lines(items))]) {
    checkProblem(answer, 422, 'TRANSCRIPT_EMPTY');
    assert.equal(answer.body.index, 1);
    assert.match(answer.body.detail, /^Item 1: /);
  }
  checkProblem(await user.post('/analyze/bulk', []), 422, 'BULK_EMPTY');
  checkProblem(await rest(server, 'POST', '/analyze/bulk', { token: user.token, body: '[]', headers: { 'Content-Type': 'text/plain' } }), 415, 'CONTENT_TYPE');
  checkProblem(await rest(server, 'POST', '/analyze/bulk', { json: items }), 401, 'TOKEN_MISSING');
  assert.deepEqual(await user.jobs(), []);
});

test('ten thousand in one request, and not one more', async () => {
  const user = userOf(server, 'ten-thousand');
  const items = Array.from({ length: 10_000 }, (_, i) => ({ transcript: `Words of number ${i}.`, options: later }));
  const answer = await bulkLines(user, lines(items));
  assert.equal(answer.status, 201);
  assert.equal(new Set(answer.body.jobs.map((job) => job.jobId)).size, 10_000);
  const refused = await bulkLines(user, lines([...items, items[0]]));
  checkProblem(refused, 413, 'BULK_TOO_LARGE');
  assert.match(refused.body.detail, /10001.*10000/);
  const full = await user.post('/analyze/bulk', [items[0], items[1]]);
  checkProblem(full, 429, 'QUEUE_LIMIT');
  assert.match(full.body.detail, /10000 unfinished/);
  assert.equal((await user.jobs()).length, 200);
});

test('the same keys in one request are one job', async () => {
  const user = userOf(server, 'keyed');
  const item = { transcript: talk, idempotencyKey: 'a', options: later };
  const unique = { transcript: talk, options: { ...later, uniqueKey: 'u' } };
  const { body } = await user.post('/analyze/bulk', [item, unique, item, unique]);
  const ids = body.jobs.map((job) => job.jobId);
  assert.deepEqual(ids, [ids[0], ids[1], ids[0], ids[1]]);
  assert.equal((await user.jobs()).length, 2);
  const single = { transcript: talk, options: later };
  assert.equal((await user.post('/analyze/transcript', single, { headers: { 'Idempotency-Key': 'a' } })).body.jobId, ids[0], 'also by the header');
});

test('a unique key is free again when its job has ended', async () => {
  const user = userOf(server, 'unique');
  const submit = async () => (await user.post('/analyze/transcript', { transcript: talk, options: { ...later, uniqueKey: 'nightly' } })).body.jobId;
  const first = await submit();
  assert.equal(await submit(), first);
  assert.equal((await user.status(first)).uniqueKey, 'nightly');
  await user.post(`/analyze/job/${first}/cancel`);
  const second = await submit();
  assert.notEqual(second, first);
  for (const again of ['restart', 'retry']) {
    const refused = await user.post(`/analyze/job/${first}/${again}`);
    checkProblem(refused, 409, 'UNIQUE_KEY_TAKEN');
    assert.ok(refused.body.detail.includes(second));
  }
});

test('a job for later starts at its time, not before', async () => {
  const user = userOf(server, 'later');
  const queue = await user.connect().ready();
  const runAt = new Date(Date.now() + 1_500).toISOString();
  const { body } = await user.post('/analyze/transcript', { transcript: talk, options: { runAt } });
  assert.equal(body.message, `Job scheduled for ${runAt}`);
  const updates = await queue.until(body.jobId);
  const started = updates.find((update) => update.eventType === 'job-started');
  assert.ok(started.metadata.timestamp >= runAt, `${started.metadata.timestamp} before ${runAt}`);
  assert.equal(updates.at(-1).eventType, 'job-completed');
  assert.equal((await user.status(body.jobId)).runAt, undefined);
});

test('the higher priority goes first, and none is above what the server allows', async () => {
  const user = userOf(server, 'prior');
  const queue = await user.connect().ready();
  const item = (priority) => ({ transcript: talk, options: { priority } });
  const { body } = await user.post('/analyze/bulk', [item(-10), item(0), item(5)]);
  const ids = body.jobs.map((job) => job.jobId);
  for (const id of ids) await queue.until(id);
  const starts = queue.of('queue-update').filter((update) => update.eventType === 'job-started');
  assert.deepEqual(starts.map((update) => update.jobId), [ids[2], ids[1], ids[0]]);
  const refused = await user.post('/analyze/transcript', item(6));
  checkProblem(refused, 422, 'OPTIONS_INVALID');
  assert.match(refused.body.detail, /from -10 to 5/);
});

test('an upload has options too', async () => {
  const user = userOf(server, 'upload-options');
  const send = (options) => {
    const form = new FormData();
    form.append('options', options);
    form.append('video', new Blob(['film']), 'film.mp4');
    return rest(server, 'POST', '/analyze/upload', { token: user.token, body: form });
  };
  const first = await send(JSON.stringify({ ...later, uniqueKey: 'film' }));
  assert.equal(first.status, 201, JSON.stringify(first.body));
  assert.equal((await user.status(first.body.jobId)).runAt, later.runAt);
  assert.equal((await send(JSON.stringify({ uniqueKey: 'film' }))).body.jobId, first.body.jobId);
  checkProblem(await send('{"priority":'), 422, 'OPTIONS_INVALID');
  assert.deepEqual(server.filesIn('uploads').filter((file) => !file.startsWith(first.body.jobId)), []);
});

test('what is refused, or was there before, does not count against the rate', async () => {
  const limited = await startServer({ env: { RUSHES_SUBMITS_PER_MINUTE: '4', RUSHES_MAX_QUEUED_PER_USER: '3' } });
  try {
    const user = userOf(limited, 'careful');
    const item = (key) => ({ transcript: talk, idempotencyKey: key, options: later });
    const submit = (key) => user.post('/analyze/transcript', { transcript: talk, options: later }, { headers: { 'Idempotency-Key': key } });
    checkProblem(await user.post('/analyze/bulk', ['b', 'c', 'd', 'x'].map(item)), 413, 'BULK_TOO_LARGE');
    const a = (await user.post('/analyze/bulk', [item('a')])).body.jobs[0].jobId;
    checkProblem(await user.post('/analyze/bulk', ['b', 'c', 'd'].map(item)), 429, 'QUEUE_LIMIT');
    const two = await user.post('/analyze/bulk', ['b', 'c'].map(item));
    assert.equal(two.status, 201, 'the three were given back');
    for (let i = 0; i < 5; ++i) assert.equal((await submit('a')).body.jobId, a);
    checkProblem(await submit('d'), 429, 'QUEUE_LIMIT');
    checkProblem(await user.post(`/analyze/job/${a}/retry`), 409, 'JOB_NOT_FAILED');
    await user.post(`/analyze/job/${a}/cancel`);
    assert.equal((await submit('e')).status, 201, 'the fourth of the minute');

    checkProblem(await submit('f'), 429, 'RATE_LIMITED');
    checkProblem(await user.post(`/analyze/job/${a}/retry`), 429, 'RATE_LIMITED');
    assert.equal((await submit('a')).body.jobId, a, 'a key whose job is there adds none');
    checkProblem(await user.post('/analyze/bulk', ['b', 'c'].map(item)), 429, 'RATE_LIMITED');
    const upload = await user.upload(Buffer.from('film'), { fileName: 'film.mp4', headers: { 'Idempotency-Key': 'a' } });
    checkProblem(upload, 422, 'IDEMPOTENCY_KEY_REUSED');
  } finally {
    await limited.dispose();
  }
});

test('who submits too fast is told when to come again', async () => {
  const limited = await startServer({ env: { RUSHES_SUBMITS_PER_MINUTE: '6', RUSHES_MAX_BULK_BYTES: '100KiB' } });
  try {
    const user = userOf(limited, 'hasty', { exp: secondsFromNow(600) });
    const item = { transcript: talk, options: later };
    assert.equal((await user.post('/analyze/bulk', Array(4).fill(item))).status, 201);
    checkProblem(await user.post('/analyze/bulk', Array(3).fill(item)), 429, 'RATE_LIMITED');
    for (let i = 0; i < 2; ++i) assert.equal((await user.post('/analyze/transcript', item)).status, 201);
    const refused = await user.post('/analyze/transcript', item);
    checkProblem(refused, 429, 'RATE_LIMITED');
    const wait = Number(refused.headers.get('retry-after'));
    assert.ok(wait >= 1 && wait <= 10, `${wait} s`);
    checkProblem(await user.post('/analyze/job/unknown/retry'), 404, 'JOB_NOT_FOUND');
    checkProblem(await user.post('/analyze/bulk', Array(7).fill(item)), 413, 'BULK_TOO_LARGE');
    checkProblem(await bulkLines(user, `{"transcript": "${'x'.repeat(200_000)}"}`, limited), 413, 'BODY_TOO_LARGE');
    const pieces = Array(4).fill('x'.repeat(50_000));
    const headers = { Authorization: `Bearer ${user.token}`, 'Content-Type': 'application/x-ndjson' };
    const chunked = await send(limited, { route: '/analyze/bulk', headers, pieces });
    assert.equal(chunked.status, 413);
    assert.match(JSON.parse(chunked.text).detail, /larger than 100 KiB/);
    assert.equal((await userOf(limited, 'another').post('/analyze/transcript', item)).status, 201);
    const metrics = (await rest(limited, 'GET', '/metrics')).body;
    assert.match(metrics, /rushes_limit_hits_total\{limit="submits of a user"\} 2\n/);
    await waitFor(async () => (await user.post('/analyze/transcript', item)).status === 201, 'the next token', 15_000);
  } finally {
    await limited.dispose();
  }
});
