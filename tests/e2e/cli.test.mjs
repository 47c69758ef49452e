// The command line against a running server, as people and scripts use it.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { userOf } from './clients.mjs';
import { checkResult, completed, milestones } from './contract.mjs';
import { binary, environment, run, startServer, temporaryFolder, waitFor } from './harness.mjs';
import { longSpeech, media } from './media.mjs';
import { talk } from './texts.mjs';

let server;
let alice;
let folder;
let talkFile;
before(async () => {
  await longSpeech();
  server = await startServer();
  alice = userOf(server, 'alice');
  folder = temporaryFolder();
  talkFile = path.join(folder, 'An oak bookshelf.txt');
  fs.writeFileSync(talkFile, talk);
});
after(async () => {
  await server?.dispose();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** Runs a command as alice. */
const rushes = (...args) => run(binary, args, { env: environment({ LANG: 'C.UTF-8', RUSHES_SERVER: server.url, RUSHES_TOKEN: alice.token }) });
const lines = (text) => text.trim().split('\n').map((line) => JSON.parse(line));

async function succeeds(...args) {
  const end = await rushes(...args);
  assert.equal(end.code, 0, `rushes ${args.join(' ')}: ${end.code} ${end.signal ?? ''}\n${end.stdout}${end.stderr}`);
  return end.stdout;
}

test('--help names every command, and every command has --help', async () => {
  const help = await succeeds('--help');
  for (const command of ['serve', 'submit', 'watch', 'jobs', 'show', 'cancel', 'retry', 'restart', 'token', 'db', 'doctor']) {
    assert.match(help, new RegExp(`^ +${command}\\b`, 'm'), command);
    assert.match(await succeeds(command, '--help'), /Usage|Options/i);
  }
  assert.match(await succeeds('--version'), /\d+\.\d+\.\d+/);
});

test('a token made on the server\'s machine opens the server', async () => {
  const env = environment({ JWT_SECRET: server.secret });
  const made = await run(binary, ['token', '--sub', 'bert', '--ttl', '15m'], { env });
  assert.equal(made.code, 0, made.stderr);
  const answer = await fetch(`${server.url}/analyze/jobs`, { headers: { Authorization: `Bearer ${made.stdout.trim()}` } });
  assert.equal(answer.status, 200);
  const admin = JSON.parse((await run(binary, ['token', '--sub', 'ops', '--role', 'admin', '--json'], { env })).stdout);
  const claims = JSON.parse(Buffer.from(admin.token.split('.')[1], 'base64url'));
  assert.deepEqual([claims.sub, claims.role, claims.exp - claims.iat], ['ops', 'admin', 3600]);
  assert.equal((await run(binary, ['token', '--ttl', 'soon'], { env })).code, 2);
});

test('submit --watch --json: the answer, then every update to the end', async () => {
  const [answer, ...updates] = lines(await succeeds('submit', talkFile, '--watch', '--json'));
  assert.ok(answer.jobId);
  assert.deepEqual(milestones(updates), completed('transcript'));
  checkResult(updates.at(-1).result);
});

test('submit for people: the id at once; --show prints the analysis', async () => {
  assert.match(await succeeds('submit', talkFile), /^Job [0-9a-f-]{36}$/m);
  const shown = await succeeds('submit', talkFile, '--title', 'An oak bookshelf', '--show');
  for (const part of ['An oak bookshelf', 'Summary', 'Titles', 'Chapters', 'oak']) assert.ok(shown.includes(part), part);
  assert.doesNotMatch(shown, /\u001b/, 'no colours in a pipe');
});

test('submit takes a film and standard input', async () => {
  const { film } = await media();
  const updates = lines(await succeeds('submit', film, '--watch', '--json')).slice(1);
  assert.deepEqual(milestones(updates), completed('upload'));
  const end = await run(binary, ['submit', '-', '--watch', '--json'], {
    env: environment({ RUSHES_SERVER: server.url, RUSHES_TOKEN: alice.token }),
    input: talk,
  });
  assert.equal(end.code, 0, end.stderr);
  assert.equal(lines(end.stdout).at(-1).eventType, 'job-completed');
});

test('a job that fails gives exit code 1 and the reason', async () => {
  const file = path.join(folder, 'broken.mp4');
  fs.writeFileSync(file, talk);
  const end = await rushes('submit', file, '--watch');
  assert.equal(end.code, 1);
  assert.match(end.stdout + end.stderr, /not a video or audio file/);
});

test('jobs lists, show shows, and an id may be shortened', async () => {
  const { jobs } = JSON.parse(await succeeds('jobs', '--json', '--limit', '100'));
  assert.deepEqual(jobs.map((job) => job.jobId), (await alice.jobs()).map((job) => job.jobId));
  const completedJobs = JSON.parse(await succeeds('jobs', '--json', '--status', 'completed', '--type', 'upload')).jobs;
  assert.equal(completedJobs.length, 1);
  const [{ jobId }] = completedJobs;
  assert.match(await succeeds('jobs'), /completed|✔|100/);
  const shown = JSON.parse(await succeeds('show', jobId.slice(-8), '--json'));
  checkResult(shown.result);
  assert.match(await succeeds('show', jobId), /Summary/);
});

test('watch follows a running job; cancel ends it', async () => {
  const { jobId } = (await alice.upload(await longSpeech())).body;
  await waitFor(async () => (await alice.status(jobId)).status === 'processing', 'the start');
  const watching = rushes('watch', jobId, '--json');
  const cancelled = JSON.parse(await succeeds('cancel', jobId, '--json'));
  assert.equal(cancelled.cancelled, true);
  const end = await watching;
  assert.equal(end.code, 1, 'the watched job was cancelled');
  assert.equal(lines(end.stdout).at(-1).eventType, 'job-cancelled');
  const again = await rushes('cancel', jobId);
  assert.equal(again.code, 1);
  assert.match(again.stderr, /^rushes: The job has ended already: it is cancelled\./);
});

test('retry and restart go on with the job', async () => {
  const failed = JSON.parse(await succeeds('jobs', '--json', '--status', 'failed')).jobs[0].jobId;
  const retried = await rushes('retry', failed, '--watch', '--json');
  assert.equal(retried.code, 1, 'it fails again');
  assert.equal(lines(retried.stdout)[0].success, true);
  const done = JSON.parse(await succeeds('jobs', '--json', '--status', 'completed', '--type', 'transcript')).jobs[0].jobId;
  const updates = lines(await succeeds('restart', done, '--watch', '--json')).slice(1);
  assert.equal(updates.at(-1).eventType, 'job-completed');
});

test('what goes wrong is said on one line, with an exit code that tells whose fault it is', async () => {
  const wrong = async (...args) => {
    const end = await rushes(...args);
    return [end.code, (end.stderr || end.stdout).trim()];
  };
  assert.deepEqual((await wrong('dance'))[0], 2);
  assert.deepEqual((await wrong('submit'))[0], 2);
  assert.deepEqual((await wrong('submit', '/no/such/file.mp4'))[0], 2);
  const [code, text] = await wrong('show', 'ffffffff');
  assert.equal(code, 1);
  assert.match(text, /^rushes: No job of yours/);
  const closed = await run(binary, ['jobs', '--server', 'http://127.0.0.1:1', '--token', alice.token]);
  assert.equal(closed.code, 1);
  assert.match(closed.stderr, /127\.0\.0\.1:1/);
  const expired = await run(binary, ['jobs', '--server', server.url, '--token', server.token('x', { exp: 1 })]);
  assert.equal(expired.code, 1);
  assert.match(expired.stderr, /expired/);
});

test('on the server\'s own machine no token is needed', async () => {
  const own = await startServer({ secret: '' });
  try {
    const args = ['submit', talkFile, '--watch', '--json', '--server', own.url, '--data-dir', own.dataDir, '--sub', 'carol'];
    const end = await run(binary, args);
    assert.equal(end.code, 0, end.stderr);
    assert.equal(lines(end.stdout).at(-1).eventType, 'job-completed');
  } finally {
    await own.dispose();
  }
});

test('doctor says what is there and what is missing', async () => {
  const well = await run(binary, ['doctor', '--json', '--port', '0', '--data-dir', folder]);
  assert.equal(well.code, 0, well.stdout);
  const { ok, checks } = JSON.parse(well.stdout);
  assert.equal(ok, true);
  for (const name of ['yt-dlp', 'data folder', 'disk space', 'port']) assert.ok(checks.some((check) => check.name === name), name);
  const env = environment({ PATH: folder });
  const ill = await run(binary, ['doctor', '--data-dir', folder], { env });
  assert.equal(ill.code, 1);
  assert.match(ill.stdout, /yt-dlp/);
  assert.match(ill.stdout, /apt-get install|apt install/, 'and the command that installs it');
});

test('db: a running server\'s database is checked and copied, a stopped one\'s compacted', async () => {
  const { jobId } = (await alice.transcript(talk)).body;
  await alice.ended(jobId);
  const db = (command, ...args) => run(binary, ['db', command, '--data-dir', server.dataDir, '--json', ...args], { env: environment() });
  const checked = await db('check');
  assert.equal(checked.code, 0, checked.stdout + checked.stderr);
  assert.equal(JSON.parse(checked.stdout).ok, true);
  const busy = await db('vacuum');
  assert.equal(busy.code, 1);
  assert.match(JSON.parse(busy.stdout).error.message, /in use/);

  const copy = path.join(folder, 'copy', 'rushes.db');
  fs.mkdirSync(path.dirname(copy));
  const copied = await db('backup', copy);
  assert.equal(copied.code, 0, copied.stdout + copied.stderr);
  assert.equal(fs.statSync(copy).mode & 0o777, 0o600);
  assert.equal((await db('backup', copy)).code, 1);
  const restored = await startServer({ dataDir: path.dirname(copy), secret: server.secret });
  try {
    assert.equal((await userOf(restored, 'alice').status(jobId)).status, 'completed');
  } finally {
    await restored.stop();
  }
  const compacted = await run(binary, ['db', 'vacuum', '--data-dir', path.dirname(copy)], { env: environment() });
  assert.equal(compacted.code, 0, compacted.stderr);
  assert.match(compacted.stdout, /had .* and has .* won\./);
});
