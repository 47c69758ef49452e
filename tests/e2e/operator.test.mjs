// What operators see and do, by REST and by the command line.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeSockets, userOf } from './clients.mjs';
import { checkProblem } from './contract.mjs';
import { binary, environment, run, secondsFromNow, signToken, startServer, waitFor } from './harness.mjs';
import { talk } from './texts.mjs';

let server;
let alice;
before(async () => {
  server = await startServer({ env: { RUSHES_WORKERS: '1', RUSHES_TRANSCRIPT_LANE: '0', RUSHES_ALLOW_PRIVATE_ADDRESSES: 'true', RUSHES_MAX_ATTEMPTS: '1' } });
  alice = userOf(server, 'alice');
});
after(async () => {
  closeSockets();
  await server?.dispose();
});

const token = (role) => signToken(server.secret, { sub: 'ops', role, exp: secondsFromNow(600) });
async function ask(method, path, body, role = 'admin') {
  const headers = { Authorization: `Bearer ${token(role)}` };
  if (body) headers['Content-Type'] = 'application/json';
  const answer = await fetch(server.url + path, { method, headers, body: body && JSON.stringify(body) });
  return { status: answer.status, body: await answer.json(), headers: answer.headers };
}
async function rushes(...args) {
  const end = await run(binary, args, { env: environment({ LANG: 'C.UTF-8', RUSHES_SERVER: server.url, RUSHES_TOKEN: token('admin') }) });
  assert.equal(end.code, 0, `rushes ${args.join(' ')}: ${end.stdout}${end.stderr}`);
  return end.stdout;
}

test('only operators may look at all jobs', async () => {
  for (const role of ['service', '']) {
    for (const path of ['/admin/queue', '/admin/dead', '/admin/jobs/x']) {
      const answer = await ask('GET', path, null, role);
      assert.equal(answer.status, 403);
      assert.equal(answer.body.code, 'OPERATORS_ONLY');
    }
  }
  assert.equal((await fetch(`${server.url}/admin/queue`)).status, 401);
});

test('a paused type waits, says so, and goes on', async () => {
  assert.match(await rushes('queue', 'pause', 'transcript'), /transcript are paused/);
  const { jobId } = (await alice.post('/analyze/transcript', { transcript: talk })).body;
  const queue = (await ask('GET', '/admin/queue')).body;
  assert.deepEqual(queue.types.transcript, { waiting: 1, running: 0, paused: true, maxRunning: null });
  assert.deepEqual(queue.busiest, [{ userId: 'alice', waiting: 1, running: 0 }]);
  assert.equal(queue.lastMinute.submitted, 1);
  assert.match(await rushes('queue'), /transcript +1 +0 +paused/);
  const why = await rushes('job', jobId);
  assert.match(why, /Jobs of the type transcript are paused\./);
  assert.match(why, /alice/);

  await rushes('queue', 'resume', 'transcript');
  await waitFor(async () => (await alice.status(jobId)).status === 'completed', 'the job');
  const report = JSON.parse(await rushes('job', jobId, '--json'));
  assert.equal(report.attempts.length, 1);
  assert.equal(report.attempts[0].outcome, 'completed');
  assert.deepEqual(report.stages.map(({ stage }) => stage),
    ['queued', 'processing', 'Summarizing transcript', 'Generating AI analysis', 'Saving results']);
  assert.ok(report.stages.every(({ to }) => to));
});

test('failed jobs are listed with their reason and redriven', async () => {
  const url = 'http://127.0.0.1:9/gone';
  const { jobId } = (await alice.post('/analyze/video', { configuration: { url } })).body;
  await waitFor(async () => (await alice.status(jobId)).status === 'failed', 'the failure', 60_000);
  const { attempts } = (await alice.get(`/analyze/job/${jobId}/attempts`)).body;
  const last = attempts.at(-1);
  assert.equal(last.outcome, 'failed');
  assert.ok(last.error.code && last.error.message);
  assert.equal(last.error.log, undefined, 'what a worker wrote is for operators');

  const dead = (await ask('GET', `/admin/dead?code=${last.error.code}`)).body.jobs;
  assert.deepEqual(dead.map((job) => [job.jobId, job.userId]), [[jobId, 'alice']]);
  assert.deepEqual((await ask('GET', '/admin/dead?code=OTHER')).body.jobs, []);
  assert.ok((await rushes('queue', 'dead')).includes(jobId));

  const vague = await ask('POST', '/admin/dead/redrive', {});
  checkProblem(vague, 422, 'BODY_INVALID');
  await rushes('queue', 'pause', 'youtube');
  assert.match(await rushes('queue', 'redrive', '--code', last.error.code), /1 job waits again/);
  const again = await alice.status(jobId);
  assert.equal(again.status, 'pending');
  assert.equal(again.metadata.restarted, true);
  assert.match(await rushes('queue', 'redrive', '--all'), /No failed jobs/);
});

test('a job that cannot be redriven says why', async () => {
  const fails = async (words, ...args) => {
    const env = environment({ LANG: 'C.UTF-8', RUSHES_SERVER: server.url, RUSHES_TOKEN: token('admin') });
    const end = await run(binary, ['queue', 'redrive', ...args], { env });
    assert.notEqual(end.code, 0, end.stdout);
    assert.match(end.stderr, words);
  };
  await fails(/JOB, --code, --user, --type or --all/);
  await fails(/There is no such job/, '01234567-0123-7123-8123-0123456789ab');

  const submit = async (url) => (await alice.post('/analyze/video', { configuration: { url }, options: { uniqueKey: 'one' } })).body.jobId;
  await rushes('queue', 'resume', 'youtube');
  const first = await submit('http://127.0.0.1:9/first');
  await waitFor(async () => (await alice.status(first)).status === 'failed', 'the failure', 60_000);
  await rushes('queue', 'pause', 'youtube');
  const second = await submit('http://127.0.0.1:9/second');
  await fails(new RegExp(`unfinished job ${second} has the same uniqueKey`), first);
  await fails(/this one is pending/, second);
  await alice.post(`/analyze/job/${second}/cancel`);
  assert.match(await rushes('queue', 'redrive', first), /1 job waits again/);
  await alice.post(`/analyze/job/${first}/cancel`);
});

test('what is not understood is refused by name', async () => {
  checkProblem(await ask('POST', '/admin/types/podcast', { paused: true }), 404, 'TYPE_UNKNOWN');
  const refused = async (path, body, words) => {
    const answer = await ask('POST', path, body);
    checkProblem(answer, 422, 'BODY_INVALID');
    assert.match(answer.body.detail, words);
  };
  await refused('/admin/types/upload', { paused: 'yes' }, /^paused "yes" is not allowed; write true or false\.$/);
  await refused('/admin/types/upload', { maxRunning: 0 }, /^maxRunning 0 .* 1 to 100000/);
  await refused('/admin/dead/redrive', { all: true, userId: 5 }, /^userId 5 is not allowed/);
  await refused('/admin/dead/redrive', { all: true, userId: '' }, /^userId "" is not allowed/);
  await refused('/admin/dead/redrive', { all: true, code: null }, /^code null is not allowed/);
  await refused('/admin/dead/redrive', { code: 'NOPE', limit: 'x' }, /^limit "x" .* 1 to 1000000/);
  await refused('/admin/dead/redrive', { all: 'yes' }, /^all "yes" is not allowed/);
  await refused('/admin/dead/redrive', { all: true, type: 'podcast' }, /^type "podcast" .* youtube, upload or transcript/);
  assert.deepEqual((await ask('POST', '/admin/types/upload', { maxRunning: 2 })).body, { type: 'upload', paused: false, maxRunning: 2 });
  assert.equal((await ask('GET', '/admin/jobs/nothing')).status, 404);
});
