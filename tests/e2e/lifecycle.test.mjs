// Start, stop, crash: what a server keeps, and how it says what is wrong.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { closeSockets, userOf } from './clients.mjs';
import { checkResult, checkUpdates } from './contract.mjs';
import { binary, boxes, descendants, environment, isAlive, run, startServer, temporaryFolder, waitFor, zygote } from './harness.mjs';
import { longSpeech, speech, startSite } from './media.mjs';
import { talk } from './texts.mjs';

const disposed = [];
const serve = async (options) => {
  const server = await startServer(options);
  disposed.push(server);
  return server;
};
let folder;
let site;
before(async () => {
  folder = temporaryFolder();
  await speech(4);
  site = await startSite();
});
after(async () => {
  closeSockets();
  for (const server of disposed) await server.dispose();
  site?.stop();
  fs.rmSync(folder, { recursive: true, force: true });
});

/** A job of 70 s of speech, in the middle of its transcription. */
async function midway(server, user, file) {
  const queue = await user.connect().ready();
  const { jobId } = (await user.upload(file)).body;
  await waitFor(() => queue.updates(jobId).some(({ message }) => /^Transcribing audio: 0:[1-5]/.test(message)), 'the transcription', 30_000);
  return { queue, jobId };
}

/** Settings of a server that may read the test site. */
const readsTheSite = () => ({ RUSHES_ALLOW_PRIVATE_ADDRESSES: 'true', ...site.env });

/** A job in the middle of a download that takes minutes, unless the site is asked for more `rate`, in bytes a second. */
async function downloading(user, rate = 5_000) {
  const queue = await user.connect().ready();
  const { jobId } = (await user.video(`${site.url}/slow.mp4?rate=${rate}`)).body;
  await waitFor(() => queue.updates(jobId).some(({ message }) => /^Downloading video: /.test(message)), 'the download', 30_000);
  return { queue, jobId };
}

test('SIGTERM hands a running job back, and it is finished after the next start', async () => {
  const server = await serve();
  const alice = userOf(server, 'alice');
  const finished = (await alice.transcript(talk, { title: 'Before' })).body.jobId;
  await alice.ended(finished);
  const { queue, jobId } = await midway(server, alice, await speech(4));
  assert.ok(boxes(server).length >= 1);
  const processes = descendants(server.pid);
  const end = await server.stop('SIGTERM');
  assert.deepEqual(end, { code: 0, signal: null });
  await queue.next('disconnect');
  assert.deepEqual(processes.filter(isAlive), [], 'its box and zygote are gone with it');
  assert.ok(!queue.updates(jobId).some(({ eventType }) => /failed|cancelled/.test(eventType)), 'no end is told');

  await server.start();
  const again = await alice.connect().ready();
  const updates = await again.until(jobId, undefined, 90_000);
  const last = updates.at(-1);
  assert.equal(last.eventType, 'job-completed', last.error);
  checkResult(last.result);
  assert.equal((await alice.status(finished)).result.video.title, 'Before', 'what was there is still there');
  const inbox = (await alice.get('/notifications')).body;
  assert.equal(inbox.notifications.filter(({ severity }) => severity === 'success').length, 2, 'each end is told once');
  assert.equal(inbox.total, 4, 'and each start');
  checkUpdates([...queue.updates(jobId), ...updates], 'upload');
});

test('SIGKILL in the middle of a transcription: no process is left, and the next start takes the job up again', async () => {
  const server = await serve();
  const bert = userOf(server, 'bert');
  const { queue, jobId } = await midway(server, bert, await speech(4));
  const before_ = queue.updates(jobId);
  assert.ok(boxes(server).length >= 1);
  assert.ok(zygote(server));
  await server.kill(); // and sees to it that nothing is left

  await server.start();
  const again = await bert.connect().ready();
  const updates = await again.until(jobId, undefined, 120_000);
  const last = updates.at(-1);
  assert.equal(last.eventType, 'job-completed', last.error);
  assert.equal((await bert.jobs()).length, 1);
  assert.equal((await bert.get('/analyze/history')).body.pagination.total, 1, 'one result, not two');
  assert.deepEqual(server.filesIn('scratch'), []);
  checkUpdates([...before_, ...updates], 'upload');
  assert.equal(last.metadata.attempt, 2);
});

test('SIGKILL right after the start: a zygote that still loads its models is gone too', async () => {
  const server = await serve();
  assert.ok(zygote(server));
  await server.kill(); // and sees to it that nothing is left
});

test('SIGKILL in the middle of a download: yt-dlp is gone with all others', async () => {
  const server = await serve({ env: readsTheSite() });
  await downloading(userOf(server, 'dan'));
  assert.ok(boxes(server).length >= 2, 'the first process of the box and yt-dlp');
  assert.ok(zygote(server));
  await server.kill(); // and sees to it that nothing is left
});

test('a zygote that is killed harms no job that runs, and the next one gets a new zygote', async () => {
  const server = await serve({ env: { RUSHES_WORKERS: '2', ...readsTheSite() } });
  const [hanna, ivan] = [userOf(server, 'hanna'), userOf(server, 'ivan')];
  const [transcribed, fetched] = [await midway(server, hanna, await speech(4)), await downloading(ivan, 40_000)];
  const working = boxes(server);
  assert.ok(working.length >= 3, 'two boxes, one of them with yt-dlp');
  const killed = zygote(server);
  process.kill(killed, 'SIGKILL');
  await waitFor(() => !isAlive(killed), 'the end of the zygote');
  assert.deepEqual(working.filter((pid) => !isAlive(pid)), [], 'boxes do not depend on it');
  for (const { queue, jobId } of [transcribed, fetched]) {
    const last = (await queue.until(jobId, undefined, 90_000)).at(-1);
    assert.equal(last.eventType, 'job-completed', last.error);
    assert.equal(last.metadata.attempt, 1);
  }
  assert.equal((await hanna.ended((await hanna.transcript(talk)).body.jobId)).status, 'completed');
  assert.notEqual(zygote(server), killed);
  assert.ok(zygote(server));
});

test('a box that dies is a failed attempt, tried again; the server and other jobs go on', async () => {
  const server = await serve({ env: { RUSHES_WORKERS: '1', RUSHES_TRANSCRIPT_LANE: '0', RUSHES_MAX_ATTEMPTS: '2' } });
  const carol = userOf(server, 'carol');
  const { queue, jobId } = await midway(server, carol, await longSpeech());
  const parent = zygote(server);
  const die = () => {
    const working = boxes(server);
    assert.ok(working.length >= 1);
    for (const pid of working) process.kill(pid, 'SIGKILL');
  };
  die();
  await waitFor(() => queue.updates(jobId).some(({ eventType, metadata }) => eventType === 'job-started' && metadata.attempt === 2), 'the second attempt', 60_000);
  await waitFor(() => queue.updates(jobId).at(-1).stage === 'Transcribing audio', 'the transcription', 30_000);
  die();
  const updates = await queue.until(jobId);
  checkUpdates(updates, 'upload');
  const last = updates.at(-1);
  assert.equal(last.eventType, 'job-failed');
  assert.equal(last.metadata.errorCode, 'WORKER_CRASHED');
  assert.match(last.error, /worker process ended unexpectedly.*(9|[Kk]illed)/);
  const next = (await carol.transcript(talk)).body.jobId;
  assert.equal((await carol.ended(next)).status, 'completed');
  assert.equal(zygote(server), parent, 'the zygote lives on');
});

test('without a secret the server makes one, for its own eyes, and keeps it', async () => {
  const server = await serve({ secret: '' });
  const file = path.join(server.dataDir, 'secret');
  assert.equal(fs.statSync(file).mode & 0o777, 0o600);
  assert.ok(fs.readFileSync(file).length >= 32);
  assert.match(server.log, /jwt_secret.*made one/);
  const made = await run(binary, ['token', '--sub', 'dora', '--data-dir', server.dataDir]);
  assert.equal(made.code, 0, made.stderr);
  const token = made.stdout.trim();
  const jobs = () => fetch(`${server.url}/analyze/jobs`, { headers: { Authorization: `Bearer ${token}` } });
  assert.equal((await jobs()).status, 200);
  await server.stop();
  await server.start();
  assert.equal((await jobs()).status, 200, 'a token from before the restart is still good');
  assert.doesNotMatch(server.log + server.output, new RegExp(fs.readFileSync(file, 'utf8').trim().slice(0, 20)), 'the secret is in no log');
  await server.stop();
  fs.chmodSync(file, 0o644);
  const refused = await run(binary, ['serve', '--port', '0', '--data-dir', server.dataDir], { timeout: 10_000 });
  assert.equal(refused.code, 1, 'a secret that others can read is none');
  assert.match(refused.stderr, /secret/);
});

test('the data of users is for the server\'s eyes only', async () => {
  const server = await serve();
  const emil = userOf(server, 'emil');
  await emil.ended((await emil.transcript(talk)).body.jobId);
  assert.equal(fs.statSync(path.join(server.dataDir, 'rushes.db')).mode & 0o077, 0);
});

const configurations = [
  ['an unknown key', 'port = 0\n\nmax_uploads = 3\n', /rushes\.toml:3: unknown key 'max_uploads'; allowed: .*max_upload_bytes/],
  ['a value out of range', '# mine\nworkers = 5000\n', /rushes\.toml:2: workers: '5000' is not allowed; allowed: 1 to 256/],
  ['a value of the wrong kind', 'workers = "many"\n', /rushes\.toml:1: workers: 'many' is not allowed/],
  ['a line that is no TOML', 'host = "127.0.0.1"\nport = = 3\n', /rushes\.toml:2/],
  ['a secret that can be guessed', 'jwt_secret = "short"\n', /rushes\.toml:1: jwt_secret: the value is shorter/],
];
for (const [name, text, complaint] of configurations) {
  test(`${name} ends the start with its name, its line and what is allowed`, async () => {
    const file = path.join(folder, 'rushes.toml');
    fs.writeFileSync(file, text);
    const end = await run(binary, ['serve', '--config', file, '--port', '0', '--data-dir', path.join(folder, 'data')], { timeout: 10_000 });
    assert.equal(end.code, 1, end.stdout + end.stderr);
    assert.match(end.stderr, complaint);
    assert.doesNotMatch(end.stderr, /"short"|'short'/, 'no secret on the screen');
    assert.equal(end.stdout, '', 'it never listened');
    assert.ok(!fs.existsSync(path.join(folder, 'data')), 'nothing was made');
  });
}

test('an unknown environment variable and a bad one end the start with their names', async () => {
  for (const [env, complaint] of [
    [{ RUSHES_WORKRES: '3' }, /RUSHES_WORKRES.*unknown.*workers/],
    [{ RUSHES_PORT: 'http' }, /RUSHES_PORT.*'http' is not allowed.*0 to 65535/],
  ]) {
    const end = await run(binary, ['serve', '--data-dir', path.join(folder, 'data')], { env: environment(env), timeout: 10_000 });
    assert.equal(end.code, 1, end.stdout + end.stderr);
    assert.match(end.stderr, complaint);
  }
});

test('a file, the environment and options all count, later ones more', async () => {
  const file = path.join(folder, 'good.toml');
  fs.writeFileSync(file, 'max_queued_per_user = 1\nworkers = 1\nmax_transcript_bytes = "1 KiB"\n');
  const server = await serve({ env: { RUSHES_MAX_TRANSCRIPT_BYTES: '2 KiB' }, args: ['--config', file, '--max-queued-per-user', '2'] });
  const frida = userOf(server, 'frida');
  assert.equal((await frida.transcript('x '.repeat(1025))).status, 413);
  for (let i = 0; i < 2; ++i) assert.equal((await frida.upload(await longSpeech())).status, 201);
  assert.equal((await frida.transcript(talk)).status, 429);
});

test('a second server on the same data, or on the same port, is refused and harms nothing', async () => {
  const server = await serve();
  const gina = userOf(server, 'gina');
  const data = await run(binary, ['serve', '--port', '0', '--data-dir', server.dataDir], { env: environment({ JWT_SECRET: server.secret }), timeout: 15_000 });
  assert.equal(data.code, 1, data.stdout + data.stderr);
  assert.match(data.stderr, /another|in use|already|lock/i);
  const port = await run(binary, ['serve', '--port', String(server.port), '--data-dir', path.join(folder, 'other')], { timeout: 15_000 });
  assert.equal(port.code, 1, port.stdout + port.stderr);
  assert.match(port.stderr, new RegExp(`${server.port}.*in use`));
  assert.equal((await gina.ended((await gina.transcript(talk)).body.jobId)).status, 'completed');
});
