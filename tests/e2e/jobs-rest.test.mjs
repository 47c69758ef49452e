// Jobs over REST: list, retry, restart, history, delete, the same submit twice.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeSockets, userOf } from './clients.mjs';
import { checkProblem, completed, milestones } from './contract.mjs';
import { startServer } from './harness.mjs';
import { media } from './media.mjs';
import { talk } from './texts.mjs';

let server;
before(async () => {
  await media();
  server = await startServer();
});
after(async () => {
  closeSockets();
  await server?.dispose();
});

async function done(user, title, text = talk) {
  const { jobId } = (await user.transcript(text, { title })).body;
  return user.ended(jobId);
}

const failing = (user) => user.upload(Buffer.from(talk), { fileName: 'talk.mp4' });

test('the list is newest first, in pages that miss and repeat nothing', async () => {
  const user = userOf(server, 'lister');
  const made = [];
  for (let i = 0; i < 7; ++i) made.unshift((await user.transcript(talk, { title: `Talk ${i}` })).body.jobId);
  for (const job of made) await user.ended(job);
  const found = [];
  let cursor = '';
  let pages = 0;
  do {
    const page = (await user.get(`/analyze/jobs?limit=3${cursor && `&cursor=${encodeURIComponent(cursor)}`}`)).body;
    assert.ok(page.jobs.length <= 3);
    found.push(...page.jobs);
    cursor = page.nextCursor;
    ++pages;
    // What comes in between does not shift the pages.
    if (pages === 1) await user.transcript(talk);
  } while (cursor);
  assert.deepEqual(found.map((job) => job.jobId), made);
  assert.equal(pages, 3);
  const [one] = found;
  assert.equal(one.type, 'transcript');
  assert.equal(one.status, 'completed');
  assert.equal(one.metadata.videoTitle, 'Talk 6');
  assert.ok(!('result' in one) && !JSON.stringify(one).includes('spirit level'), 'a list is light');
});

test('the list can be asked by status and type', async () => {
  const user = userOf(server, 'filterer');
  const good = (await done(user, 'Good')).jobId;
  const bad = (await failing(user)).body.jobId;
  await user.ended(bad);
  const ids = async (query) => (await user.get(`/analyze/jobs?${query}`)).body.jobs.map((job) => job.jobId);
  assert.deepEqual(await ids('status=failed'), [bad]);
  assert.deepEqual(await ids('status=completed'), [good]);
  assert.deepEqual(await ids('type=upload'), [bad]);
  assert.deepEqual(await ids('status=completed&type=upload'), []);
  assert.deepEqual(await ids(''), [bad, good]);
});

test('retry makes a new job of a failed one, and of nothing else', async () => {
  const user = userOf(server, 'retrier');
  const queue = await user.connect().ready();
  const job = (await failing(user)).body.jobId;
  await queue.until(job);
  const answer = await user.post(`/analyze/job/${job}/retry`);
  assert.ok([200, 201].includes(answer.status));
  assert.equal(answer.body.success, true);
  assert.ok(answer.body.message);
  const again = answer.body.newJobId;
  assert.notEqual(again, job);
  const updates = await queue.until(again);
  assert.equal(updates[0].metadata.retryOf, job);
  assert.equal(updates.at(-1).eventType, 'job-failed', 'the same file fails the same way: it was still there');
  assert.equal(updates.at(-1).metadata.errorCode, 'MEDIA_UNREADABLE');
  assert.equal((await user.status(job)).status, 'failed', 'the old job stays what it was');

  const good = (await done(user, 'Good')).jobId;
  checkProblem(await user.post(`/analyze/job/${good}/retry`), 409, 'JOB_NOT_FAILED');
  checkProblem(await user.post(`/analyze/job/${good}/cancel`), 409, 'JOB_ENDED');
});

test('restart runs the same job again', async () => {
  const user = userOf(server, 'restarter');
  const first = await done(user, 'Twice');
  const queue = await user.connect().ready();
  const answer = await user.post(`/analyze/job/${first.jobId}/restart`);
  assert.equal(answer.status, 200, JSON.stringify(answer.body));
  assert.deepEqual([answer.body.success, answer.body.jobId], [true, first.jobId]);
  const updates = await queue.until(first.jobId);
  assert.deepEqual(milestones(updates), completed('transcript'));
  assert.ok(updates.every((update) => update.metadata.restarted === true));
  const second = await user.status(first.jobId);
  assert.equal(second.status, 'completed');
  assert.deepEqual(second.result.analysis, first.result.analysis, 'the same input gives the same analysis');
  assert.equal((await user.jobs()).length, 1);
});

test('history has pages, a search and an order', async () => {
  const user = userOf(server, 'historian');
  for (const title of ['Cherry wood', 'Apple wood', 'Birch 100% pure', 'Élm wood']) await done(user, title);
  const ask = async (query) => (await user.get(`/analyze/history?${query}`)).body;
  const titles = async (query) => (await ask(query)).data.map((entry) => entry.title);
  assert.deepEqual(await titles(''), ['Élm wood', 'Birch 100% pure', 'Apple wood', 'Cherry wood'], 'newest first');
  assert.deepEqual(await titles('sortBy=createdAt&sortOrder=asc'), ['Cherry wood', 'Apple wood', 'Birch 100% pure', 'Élm wood']);
  assert.deepEqual((await titles('sortBy=title&sortOrder=asc')).slice(0, 3), ['Apple wood', 'Birch 100% pure', 'Cherry wood']);
  assert.deepEqual(await titles('search=WOOD&sortBy=createdAt&sortOrder=asc'), ['Cherry wood', 'Apple wood', 'Élm wood']);
  assert.deepEqual(await titles('search=100%25'), ['Birch 100% pure'], 'a percent sign is only a percent sign');
  assert.deepEqual(await titles('search=%C3%A9lm'), ['Élm wood'], 'without case in every script');
  const page = await ask('page=2&limit=3');
  assert.deepEqual(page.pagination, { page: 2, limit: 3, total: 4, totalPages: 2, hasNext: false, hasPrev: true });
  assert.equal(page.data.length, 1);
  const [entry] = page.data;
  assert.ok(entry.auditId && entry.jobId && entry.summary && entry.analysis.titleRewrite.titles.length === 7);
});

test('delete takes the analysis and all its files', async () => {
  const { film } = await media();
  const user = userOf(server, 'deleter');
  const kept = await done(user, 'Kept');
  const { jobId } = (await user.upload(film)).body;
  const status = await user.ended(jobId);
  const { auditId } = status.metadata;
  const urls = [status.result.thumbnails[0].url, status.result.transcript.vttUrl];
  for (const url of urls) assert.equal((await fetch(new URL(url, server.url))).status, 200);
  const mine = () => [...server.filesIn('files'), ...server.filesIn('uploads')].filter((file) => file.includes(auditId) || file.includes(jobId));
  assert.ok(mine().length > 5);

  const answer = await user.delete(`/analyze/delete/${auditId}`);
  assert.equal(answer.status, 200);
  assert.deepEqual([answer.body.success, answer.body.deletedId], [true, auditId]);
  assert.ok(answer.body.message);
  assert.deepEqual(mine(), [], 'nothing is left on disk');
  for (const url of urls) assert.equal((await fetch(new URL(url, server.url))).status, 404);
  checkProblem(await user.delete(`/analyze/delete/${auditId}`), 404, 'ANALYSIS_NOT_FOUND');
  assert.deepEqual((await user.get('/analyze/history')).body.data.map((entry) => entry.title), ['Kept']);
  const after_ = await user.status(jobId);
  assert.equal(after_.result, null);
  assert.equal((await user.status(kept.jobId)).result.video.title, 'Kept');
});

test('the same Idempotency-Key of the same user gives the same job, even at once', async () => {
  const user = userOf(server, 'twice');
  const key = { 'Idempotency-Key': 'order-66' };
  const answers = await Promise.all(Array.from({ length: 5 }, () => user.transcript(talk, { title: 'Once' }, key)));
  // Who comes while the first is still stored is told to come again.
  for (const busy of answers.filter((answer) => answer.status !== 201)) checkProblem(busy, 409, 'IDEMPOTENCY_KEY_IN_USE');
  answers.push(await user.transcript(talk, { title: 'Once' }, key));
  const jobs = new Set(answers.filter((answer) => answer.status === 201).map((answer) => answer.body.jobId));
  assert.equal(jobs.size, 1);
  assert.equal((await user.jobs()).length, 1);
  assert.notEqual((await user.transcript(talk, {}, { 'Idempotency-Key': 'order-67' })).body.jobId, [...jobs][0]);
  const other = userOf(server, 'twice-another');
  assert.notEqual((await other.transcript(talk, {}, key)).body.jobId, [...jobs][0], 'another user\'s key is another key');
  const { sound } = await media();
  const uploads = [await user.upload(sound, { headers: { 'Idempotency-Key': 'film' } }), await user.upload(sound, { headers: { 'Idempotency-Key': 'film' } })];
  assert.equal(uploads[0].body.jobId, uploads[1].body.jobId);
  assert.equal(server.filesIn('uploads').filter((file) => file.startsWith(uploads[0].body.jobId)).length, 1);
});
