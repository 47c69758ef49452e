// Recurring jobs: when they come, that each due time is one job whatever happens, and who may see them.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { closeSockets, userOf } from './clients.mjs';
import { checkProblem } from './contract.mjs';
import { startServer, waitFor } from './harness.mjs';
import { talk } from './texts.mjs';

let server;
before(async () => {
  server = await startServer({ env: { RUSHES_MAX_SCHEDULES_PER_USER: '3' } });
});
after(async () => {
  closeSockets();
  await server?.dispose();
});

const daily = { cron: '30 6 * * MON-FRI', timeZone: 'Europe/Berlin', job: { transcript: talk, configuration: { language: 'en' } } };

/** With the server down: as if the schedule had been due since then. */
function makeDue(id, at) {
  execFileSync('sqlite3', [path.join(server.dataDir, 'rushes.db'), `UPDATE schedules SET next_at = ${at} WHERE id = '${id}'`]);
}

async function add(user, schedule) {
  const { status, body } = await user.post('/analyze/schedules', schedule);
  assert.equal(status, 201, JSON.stringify(body));
  return body;
}
const show = async (user, id) => (await user.get(`/analyze/schedules/${id}`)).body;

test('a schedule shows when it comes, is changed, paused, and removed', async () => {
  const ann = userOf(server, 'ann');
  const made = await add(ann, { ...daily, name: 'morning' });
  assert.equal(made.name, 'morning');
  assert.equal(made.paused, false);
  assert.equal(made.lastRun, null);
  assert.ok(made.nextRuns.length >= 3);
  for (const run of made.nextRuns) {
    const berlin = new Intl.DateTimeFormat('en-GB', {
      timeZone: 'Europe/Berlin', weekday: 'short', hour: '2-digit', minute: '2-digit',
    }).format(new Date(run));
    assert.match(berlin, /^(Mon|Tue|Wed|Thu|Fri),? 06:30$/);
  }
  assert.deepEqual(await show(ann, made.id), made);
  assert.deepEqual((await ann.get('/analyze/schedules')).body.schedules, [made]);

  const paused = (await ann.patch(`/analyze/schedules/${made.id}`, { paused: true })).body;
  assert.equal(paused.paused, true);
  assert.deepEqual(paused.nextRuns, []);
  const changed = (await ann.patch(`/analyze/schedules/${made.id}`, { paused: false, cron: '@hourly' })).body;
  assert.equal(changed.cron, '@hourly');
  assert.match(changed.nextRuns[0], /:00:00\.000Z$/);

  assert.equal((await ann.delete(`/analyze/schedules/${made.id}`)).status, 200);
  checkProblem(await ann.get(`/analyze/schedules/${made.id}`), 404, 'SCHEDULE_NOT_FOUND');
});

test('what cannot be is refused by name, and nobody sees what is another user\'s', async () => {
  const bob = userOf(server, 'bob');
  for (const [wrong, words] of [
    [{ ...daily, cron: '61 * * * *' }, /61/],
    [{ ...daily, cron: '0 0 30 2 *' }, /day/i],
    [{ ...daily, timeZone: 'Europe/Atlantis' }, /Atlantis/],
    [{ cron: '@daily' }, /job/],
    [{ ...daily, job: {} }, /transcript|url/],
  ]) {
    const answer = await bob.post('/analyze/schedules', wrong);
    assert.ok([400, 422].includes(answer.status), JSON.stringify(answer.body));
    assert.match(JSON.stringify(answer.body), words);
  }
  assert.deepEqual((await bob.get('/analyze/schedules')).body.schedules, []);
  const made = await add(bob, daily);
  const eve = userOf(server, 'eve');
  checkProblem(await eve.get(`/analyze/schedules/${made.id}`), 404, 'SCHEDULE_NOT_FOUND');
  checkProblem(await eve.post(`/analyze/schedules/${made.id}/run`), 404, 'SCHEDULE_NOT_FOUND');
  checkProblem(await eve.delete(`/analyze/schedules/${made.id}`), 404, 'SCHEDULE_NOT_FOUND');
  await add(bob, daily);
  await add(bob, daily);
  const fourth = await bob.post('/analyze/schedules', daily);
  assert.ok(fourth.status >= 400);
  assert.match(fourth.body.error ?? fourth.body.message, /3/);
});

test('it runs now when asked to', async () => {
  const cid = userOf(server, 'cid');
  const made = await add(cid, daily);
  const { status, body } = await cid.post(`/analyze/schedules/${made.id}/run`);
  assert.equal(status, 201);
  assert.equal((await cid.ended(body.jobId)).status, 'completed');
});

test('a due time is one job, though the server is killed over it again and again', async () => {
  const dan = userOf(server, 'dan');
  const made = await add(dan, { ...daily, cron: '@hourly' });
  await server.kill();
  // Some that were missed are one run.
  makeDue(made.id, Date.now() - 3 * 3_600_000);
  for (let life = 0; life < 6; ++life) {
    await server.start(server.port);
    await new Promise((resolve) => { setTimeout(resolve, 15 * life); });
    await server.kill();
  }
  await server.start(server.port);
  await waitFor(async () => (await show(dan, made.id)).lastRun, 'the run');
  const { lastRun, nextRuns } = await show(dan, made.id);
  assert.equal(lastRun.outcome, 'submitted');
  assert.ok(Date.parse(nextRuns[0]) > Date.now());
  const jobs = await dan.jobs();
  assert.deepEqual(jobs.map(({ id, jobId }) => id ?? jobId), [lastRun.jobId]);
  assert.equal((await dan.ended(lastRun.jobId)).status, 'completed');
});
