// What a body or a query has that the server does not know: ignored and named, or refused where the client prefers that.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeSockets, rest, userOf } from './clients.mjs';
import { checkProblem } from './contract.mjs';
import { startServer } from './harness.mjs';
import { talk } from './texts.mjs';

let server;
let user;
let admin;
before(async () => {
  server = await startServer({ env: { RUSHES_ALLOW_PRIVATE_ADDRESSES: 'true', RUSHES_MAX_QUEUED_PER_USER: '100' } });
  user = userOf(server, 'someone');
  admin = userOf(server, 'admin', { role: 'admin' });
});
after(async () => {
  closeSockets();
  await server?.dispose();
});

const strict = { Prefer: 'handling=strict' };
const later = { runAt: new Date(Date.now() + 3_600_000).toISOString() };
const form = (fields) => {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) data.append(name, value);
  data.append('video', new Blob(['film']), 'film.mp4');
  return data;
};

// A request, the name that is not known, and the status of its answer where that is ignored.
const cases = [
  ['a submit', () => ['POST', '/analyze/transcript', { json: { transcript: talk, options: later, langauge: 'de' } }], 'langauge', 201],
  ['a configuration', () => ['POST', '/analyze/transcript', { json: { transcript: talk, options: later, configuration: { langauge: 'de' } } }], 'configuration.langauge', 201],
  ['options', () => ['POST', '/analyze/transcript', { json: { transcript: talk, options: { ...later, prio: 1 } } }], 'options.prio', 201],
  ['a video', () => ['POST', '/analyze/video', { json: { configuration: { url: 'https://video.example/' }, options: later, url: 'x' } }], 'url', 201],
  ['a bulk', () => ['POST', '/analyze/bulk', { json: [{ transcript: talk, options: later }, { transcript: talk, options: later, langauge: 'de' }] }], 'Item 1: langauge', 201],
  ['a field of a form', () => ['POST', '/analyze/upload', { body: form({ options: JSON.stringify(later), title: 'x' }) }], 'title', 201],
  ['options of a form', () => ['POST', '/analyze/upload', { body: form({ options: JSON.stringify({ ...later, prio: 1 }) }) }], 'options.prio', 201],
  ['a schedule', () => ['POST', '/analyze/schedules', { json: { cron: '@daily', job: { transcript: talk }, zone: 'UTC' } }], 'zone', 201],
  ['the job of a schedule', () => ['POST', '/analyze/schedules', { json: { cron: '@daily', job: { transcript: talk, options: { prio: 1 } } } }], 'job.options.prio', 201],
  ['a webhook', () => ['POST', '/webhooks', { json: { url: 'http://127.0.0.1:9/', types: [] } }], 'types', 201],
  ['a notification', () => ['POST', '/notifications', { as: admin, json: { userId: 'x', title: 'T', titel: 'T' } }], 'titel', 201],
  ['a redrive', () => ['POST', '/admin/dead/redrive', { as: admin, json: { code: 'NONE', cod: 'x' } }], 'cod', 200],
  ['the settings of a type', () => ['POST', '/admin/types/upload', { as: admin, json: { paused: false, pause: true } }], 'pause', 200],
  ['a list', () => ['GET', '/analyze/jobs?Limit=1'], 'Limit', 200],
  ['the history', () => ['GET', '/analyze/history?sort=title'], 'sort', 200],
  ['the inbox', () => ['GET', '/notifications?unread=true'], 'unread', 200],
  ['a body where none belongs', () => ['POST', '/notifications/read-all', { json: { before: 'today' } }], 'before', 200],
  ['a query where none belongs', () => ['POST', '/analyze/transcript?title=x', { json: { transcript: talk, options: later } }], 'title', 201],
];
for (const [name, ask, unknown, status] of cases) {
  const send = (headers) => {
    const [method, route, { as = user, ...rest_ } = {}] = ask();
    return rest(server, method, route, { token: as.token, headers, ...rest_ });
  };
  test(`${name}: what is not known is ignored and named, or refused`, async () => {
    const before_ = (await user.jobs()).length;
    const refused = await send(strict);
    checkProblem(refused, 422, 'UNKNOWN_MEMBER');
    assert.ok(refused.body.message.includes(`${unknown} is unknown; allowed: `), refused.body.message);
    assert.equal(refused.headers.get('preference-applied'), 'handling=strict');
    assert.equal((await user.jobs()).length, before_, 'nothing was done');
    const answer = await send({});
    assert.equal(answer.status, status, JSON.stringify(answer.body));
    assert.equal(answer.body.warnings.length, 1);
    const [{ code, message }] = answer.body.warnings;
    assert.equal(code, 'UNKNOWN_MEMBER');
    assert.ok(message.includes(`${unknown} is unknown; allowed: `), message);
    assert.equal(answer.headers.get('preference-applied'), null);
  });
}

test('where all is known there are no warnings, strict or not', async () => {
  for (const headers of [strict, {}]) {
    const answer = await user.post('/analyze/transcript', { transcript: talk, options: later, configuration: { language: 'en' } }, { headers });
    assert.equal(answer.status, 201);
    assert.equal(answer.body.warnings, undefined);
    assert.equal(answer.headers.get('preference-applied'), headers.Prefer ? 'handling=strict' : null);
    assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  }
});

test('a known member with a bad value is refused, strict or not', async () => {
  const bad = [
    [() => user.post('/analyze/transcript', { transcript: 7 }), 'TRANSCRIPT_EMPTY'],
    [() => user.post('/analyze/transcript', { transcript: talk, configuration: { title: 7 } }), 'CONFIGURATION_INVALID'],
    [() => user.post('/analyze/video', { configuration: { url: 7 } }), 'CONFIGURATION_INVALID'],
    [() => user.post('/analyze/transcript', { transcript: talk, options: { uniqueKey: 7 } }), 'OPTIONS_INVALID'],
    [() => user.post('/webhooks', { url: 7 }), 'WEBHOOK_INVALID'],
    [() => user.post('/webhooks', { url: 'http://127.0.0.1:9/', description: 7 }), 'WEBHOOK_INVALID'],
    [() => user.post('/webhooks', { url: 'http://127.0.0.1:99999/' }), 'URL_INVALID'],
    [() => user.post('/analyze/schedules', { cron: '@daily', job: { transcript: talk }, paused: 'no' }), 'SCHEDULE_INVALID'],
    [() => admin.post('/notifications', { userId: 7, title: 'T' }), 'NOTIFICATION_INVALID'],
    [() => admin.post('/notifications', { userId: 'x', title: 'T', message: 7 }), 'NOTIFICATION_INVALID'],
    [() => admin.post('/notifications', { userId: 'x', title: 'T', severity: 7 }), 'NOTIFICATION_INVALID'],
    [() => admin.post('/notifications', { userId: 'x', title: 'T', metadata: 7 }), 'NOTIFICATION_INVALID'],
    [() => admin.post('/notifications', { all: 'yes', title: 'T' }), 'NOTIFICATION_INVALID'],
    [() => user.get('/notifications?read=maybe'), 'QUERY_INVALID'],
    [() => user.get('/notifications?limit=x'), 'QUERY_INVALID'],
    [() => user.get('/analyze/history?sortOrder=up'), 'QUERY_INVALID'],
  ];
  for (const [ask, code] of bad) checkProblem(await ask(), 422, code);
});

test('the actions on a job take no body', async () => {
  const { jobId } = (await user.post('/analyze/transcript', { transcript: talk, options: later })).body;
  checkProblem(await user.post(`/analyze/job/${jobId}/cancel`, { reason: 'x' }, { headers: strict }), 422, 'UNKNOWN_MEMBER');
  assert.equal((await user.status(jobId)).status, 'pending');
  const cancelled = await user.post(`/analyze/job/${jobId}/cancel`, { reason: 'x' });
  assert.equal(cancelled.status, 200);
  assert.equal(cancelled.body.warnings[0].message, 'reason is unknown; allowed: none.');
  assert.equal((await user.post(`/analyze/job/${jobId}/restart`, {}, { headers: strict })).status, 200, 'an empty one says nothing');
});

test('titles and names of files are shown as they are', async () => {
  const { jobId } = (await user.post('/analyze/transcript', { transcript: talk, options: later, configuration: { title: 'a\u0000b\u202Ec\nd' } })).body;
  assert.equal((await user.status(jobId)).metadata.videoTitle, 'abc d');
  const upload = await rest(server, 'POST', '/analyze/upload', { token: user.token, body: (() => {
    const data = new FormData();
    data.append('options', JSON.stringify(later));
    data.append('video', new Blob(['film']), 'holiday\u202Egpj.mp4');
    return data;
  })() });
  const status = await user.status(upload.body.jobId);
  assert.equal(status.metadata.videoTitle, 'holidaygpj');
  assert.equal(status.data.fileName, 'holidaygpj.mp4');
});
