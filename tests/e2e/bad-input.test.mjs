// What clients should not send: each gets a clear error, and nothing changes.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { rest, send, upload, userOf } from './clients.mjs';
import { checkProblem } from './contract.mjs';
import { startServer } from './harness.mjs';
import { longSpeech, media } from './media.mjs';
import { talk } from './texts.mjs';

let server;
let alice;
before(async () => {
  await media();
  server = await startServer({ env: { RUSHES_MAX_QUEUED_PER_USER: '3', RUSHES_WORKERS: '1', RUSHES_TRANSCRIPT_LANE: '0' } });
  alice = userOf(server, 'alice');
});
after(() => server?.dispose());

const jsonType = { 'Content-Type': 'application/json' };
const raw = (route, body, headers = jsonType) => rest(server, 'POST', route, { token: alice.token, body, headers });
const transcript = (json) => alice.post('/analyze/transcript', json);

const cases = [
  ['not JSON', () => raw('/analyze/transcript', '{"transcript": "cut of'), 400, 'NOT_JSON'],
  ['no body at all', () => raw('/analyze/transcript', ''), 400, 'NOT_JSON'],
  ['a list instead of an object', () => transcript(['transcript']), 400, 'NOT_JSON'],
  ['JSON nested a thousand deep', () => raw('/analyze/transcript', '['.repeat(1000) + ']'.repeat(1000)), 400, 'NOT_JSON'],
  ['text that is not UTF-8', () => raw('/analyze/transcript', Buffer.from([...Buffer.from('{"transcript":"'), 0xff, 0xfe, 0x22, 0x7d])), 400, 'NOT_JSON'],
  ['a wrong content type', () => raw('/analyze/transcript', '{}', { 'Content-Type': 'text/plain' }), 415, 'CONTENT_TYPE'],
  ['a form where JSON belongs', () => raw('/analyze/video', 'url=x', { 'Content-Type': 'application/x-www-form-urlencoded' }), 415, 'CONTENT_TYPE'],
  ['JSON where a form belongs', () => raw('/analyze/upload', '{}'), 415, 'CONTENT_TYPE'],
  ['no transcript', () => transcript({}), 422, 'TRANSCRIPT_EMPTY'],
  ['a transcript that is a number', () => transcript({ transcript: 7 }), 422, 'TRANSCRIPT_EMPTY'],
  ['an empty transcript', () => transcript({ transcript: '  \n\t ' }), 422, 'TRANSCRIPT_EMPTY'],
  ['a configuration that is a list', () => transcript({ transcript: talk, configuration: [] }), 422, 'CONFIGURATION_INVALID'],
  ['a language that is a number', () => transcript({ transcript: talk, configuration: { language: 7 } }), 422, 'CONFIGURATION_INVALID'],
  ['a tone of a thousand letters', () => transcript({ transcript: talk, configuration: { tone: 'x'.repeat(1000) } }), 422, 'CONFIGURATION_INVALID'],
  ['a video without a URL', () => alice.post('/analyze/video', { configuration: {} }), 422, 'URL_MISSING'],
  ['a video without a configuration', () => alice.post('/analyze/video', {}), 422, 'URL_MISSING'],
  ['a URL that is none', () => alice.video('not a url'), 422, 'URL_INVALID'],
  ['a URL of another scheme', () => alice.video('ftp://example.com/film.mp4'), 422, 'URL_SCHEME'],
  ['a file URL', () => alice.video('file:///etc/passwd'), 422, 'URL_SCHEME'],
  ['a URL with a password', () => alice.video('https://user:secret@example.com/'), 422, 'URL_INVALID'],
  ...['http://127.0.0.1/', 'http://localhost:3000/', 'http://[::1]/', 'http://10.0.0.1/', 'http://192.168.1.1/v.mp4', 'http://2130706433/', 'http://0x7f.1/',
    'http://169.254.169.254/latest/meta-data/', 'http://[::ffff:127.0.0.1]/'].map((url) =>
    [`the private address ${url}`, () => alice.video(url), 422, 'URL_PRIVATE_ADDRESS']),
  ['an empty file', () => alice.upload(Buffer.alloc(0), { fileName: 'film.mp4' }), 422, 'UPLOAD_EMPTY'],
  ['a configuration that is not JSON', () => alice.upload(Buffer.from('x'), { fileName: 'film.mp4', configuration: '{' }), 422, 'CONFIGURATION_INVALID'],
  ['a form without a file', () => raw('/analyze/upload', (() => { const form = new FormData(); form.append('other', 'x'); return form; })(), {}), 422, 'UPLOAD_MISSING'],
  ['a form that breaks off', () => raw('/analyze/upload', '--edge\r\nContent-Disposition: form-data; name="video"; filename="a.mp4"\r\n\r\nbytes', { 'Content-Type': 'multipart/form-data; boundary=edge' }), 400, 'MULTIPART_MALFORMED'],
  ['a form without a boundary', () => raw('/analyze/upload', 'x', { 'Content-Type': 'multipart/form-data' }), 400, 'MULTIPART_MALFORMED'],
  ['an Idempotency-Key of 300 letters', () => alice.transcript(talk, {}, { 'Idempotency-Key': 'k'.repeat(300) }), 422, 'IDEMPOTENCY_KEY'],
  ['an unknown job', () => alice.get('/analyze/job/00000000-0000-7000-8000-000000000000/status'), 404, 'JOB_NOT_FOUND'],
  ['an unknown analysis', () => alice.delete('/analyze/delete/00000000-0000-7000-8000-000000000000'), 404, 'ANALYSIS_NOT_FOUND'],
  ['an unknown status', () => alice.get('/analyze/jobs?status=sleeping'), 422, 'QUERY_INVALID'],
  ['an unknown type', () => alice.get('/analyze/jobs?type=podcast'), 422, 'QUERY_INVALID'],
  ['a limit of nothing', () => alice.get('/analyze/jobs?limit=0'), 422, 'QUERY_INVALID'],
  ['a cursor of our own making', () => alice.get('/analyze/jobs?cursor=%27%20OR%201'), 422, 'CURSOR_INVALID'],
  ['a page before the first', () => alice.get('/analyze/history?page=0'), 422, 'QUERY_INVALID'],
  ['a sort by something secret', () => alice.get('/analyze/history?sortBy=user'), 422, 'QUERY_INVALID'],
];
for (const [name, ask, status, code] of cases) {
  test(`${name}: ${status} ${code}, and nothing changes`, async () => {
    const before = await alice.jobs();
    checkProblem(await ask(), status, code);
    assert.deepEqual(await alice.jobs(), before);
    assert.deepEqual(server.filesIn('uploads'), [], 'nothing is left on disk');
  });
}

test('the error names the value that is wrong and what is allowed', async () => {
  const { body } = await alice.get('/analyze/jobs?limit=many');
  assert.match(body.message, /limit=many .* 1 to 200/);
  assert.match((await alice.get('/analyze/jobs?status=sleeping')).body.message, /sleeping.*pending/);
  assert.match((await alice.video('http://127.0.0.1/')).body.message, /127\.0\.0\.1/);
});

test('an unknown path: 404; a known one with another method: 405 or 404, never a page', async () => {
  assert.equal((await rest(server, 'POST', '/analyze/nothing', { token: alice.token, json: {} })).status, 404);
  assert.ok([404, 405].includes((await rest(server, 'PUT', '/analyze/jobs', { token: alice.token, json: {} })).status));
});

for (const [name, length] of [['with', true], ['without']]) {
  test(`a transcript of 50 MB ${name} a Content-Length: 413, and nothing changes`, async () => {
    const body = JSON.stringify({ transcript: 'All work and no play. '.repeat(2_400_000) });
    assert.ok(body.length > 50e6);
    const pieces = Array.from({ length: Math.ceil(body.length / 65_536) }, (_, i) => body.slice(i * 65_536, (i + 1) * 65_536));
    const headers = { ...jsonType, Authorization: `Bearer ${alice.token}`, ...(length ? { 'Content-Length': body.length } : {}) };
    const answer = await send(server, { route: '/analyze/transcript', headers, pieces });
    assert.equal(answer.status, 413, answer.text);
    assert.match(answer.headers['content-type'], /^application\/problem\+json/);
    const problem = JSON.parse(answer.text);
    assert.match(problem.code, /TOO_LARGE$/);
    assert.match(problem.message, /\d/, `how large it may be: ${problem.message}`);
    assert.deepEqual(await alice.jobs(), []);
  });
}

test('a transcript that is a little too long: 413, with the limit', async () => {
  const answer = await transcript({ transcript: 'x'.repeat(5 * 1024 * 1024 + 1) });
  checkProblem(answer, 413, 'TRANSCRIPT_TOO_LARGE');
  assert.match(answer.body.message, /5(\.0)? MiB/);
});

test('more unfinished jobs than allowed: 429 QUEUE_LIMIT with Retry-After, and the file is gone', async () => {
  const bert = userOf(server, 'bert');
  const speech = await longSpeech();
  const jobs = [];
  for (let i = 0; i < 3; ++i) jobs.push((await bert.upload(speech)).body.jobId);
  const [first, ...waiting] = await bert.jobs().then((all) => all.map((one) => one.jobId).reverse());
  assert.deepEqual([first, ...waiting], jobs);
  const refused = await bert.upload(speech);
  checkProblem(refused, 429, 'QUEUE_LIMIT');
  assert.match(refused.body.message, /3 unfinished/);
  checkProblem(await bert.transcript(talk), 429, 'QUEUE_LIMIT');
  assert.equal((await bert.jobs()).length, 3);
  assert.equal(server.filesIn('uploads').length, 3, 'the refused file is not kept');
  assert.equal((await userOf(server, 'carol').transcript(talk)).status, 201, 'the limit is each user\'s own');
  for (const job of jobs) assert.equal((await bert.post(`/analyze/job/${job}/cancel`)).body.cancelled, true);
  assert.equal((await bert.transcript(talk)).status, 201, 'cancelled jobs make room');
});

test('names of files are names only', async () => {
  const dora = userOf(server, 'dora');
  const { sound } = await media();
  const { readFileSync } = await import('node:fs');
  const answer = await upload(server, dora.token, readFileSync(sound), { fileName: '../../../../tmp/rushes<script>"\'.m4a' });
  assert.equal(answer.status, 201);
  assert.deepEqual(server.filesIn('uploads').filter((file) => !/^[\w-]+\/source$/.test(file)), []);
  await dora.post(`/analyze/job/${answer.body.jobId}/cancel`);
});

test('a body that is no JSON says what is wrong with it', async () => {
  const detail = async (body) => (await raw('/analyze/transcript', body)).body.detail;
  assert.equal(await detail('['.repeat(200)), 'The body is not JSON: nested deeper than 128 levels at byte 128.');
  assert.match(await detail(Buffer.from('{"transcript":"\xff"}', 'latin1')), /^The body is not JSON: bytes that are not UTF-8 at byte 1\d\.$/);
  assert.match(await detail('{"transcript":"x"'), /^The body is not JSON: it ends too early at byte 17\.$/);
});

test('a text that was cut within an emoji is taken, with U+FFFD where the half stood', async () => {
  const user = userOf(server, 'cut');
  const cut = `${talk} The end 🎬`.slice(0, -1);
  assert.match(JSON.stringify({ cut }), /\\ud83c"/);
  const { status, body } = await user.post('/analyze/transcript', { transcript: cut, configuration: { title: 'A film 🎬'.slice(0, -1), ['x\udfac']: 1 } });
  assert.equal(status, 201, JSON.stringify(body));
  const end = await user.ended(body.jobId);
  assert.equal(end.status, 'completed');
  assert.equal(end.data.configuration?.title ?? end.data.title, 'A film \ufffd');
});
