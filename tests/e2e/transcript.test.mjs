// Transcript jobs: what is told, to whom, and what comes out.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeSockets, userOf } from './clients.mjs';
import { begins, checkResult, checkTranscript, checkUpdates, completed, milestones } from './contract.mjs';
import { startServer } from './harness.mjs';
import { talk, talkAsSrt, talkAsVtt } from './texts.mjs';

let server;
before(async () => {
  server = await startServer();
});
after(async () => {
  closeSockets();
  await server?.dispose();
});

test('every step of a transcript job is told, in the words and percentages of the contract', async () => {
  const alice = userOf(server, 'alice');
  const queue = await alice.connect().ready();
  const submitted = await alice.transcript(talk, { title: 'An oak bookshelf' });
  assert.equal(submitted.status, 201, JSON.stringify(submitted.body));
  assert.equal(submitted.body.message, 'Job queued at position 1');
  assert.equal(submitted.body.queuePosition, 1);
  const job = submitted.body.jobId;
  const updates = await queue.until(job);

  assert.deepEqual(milestones(updates), completed('transcript'));
  checkUpdates(updates, 'transcript');
  assert.deepEqual(
    updates.map((update) => update.metadata.seq),
    updates.map((_, i) => updates[0].metadata.seq + i),
    'seq grows by one for each event of this user',
  );
  const end = updates.at(-1);
  assert.equal(end.metadata.videoTitle, 'An oak bookshelf');
  assert.equal(end.metadata.attempt, 1);
  assert.ok(end.metadata.auditId);
  checkResult(end.result);
  checkTranscript(end.result.transcript, [/oak boards/, /spirit level/]);
  assert.match(end.result.summary, /oak|bookshelf/);
  assert.ok(end.result.analysis.keywordExtraction.primaryKeywords.some((word) => /oak|bookshelf/i.test(word)));
  assert.equal(end.result.video.title, 'An oak bookshelf');
  assert.ok(!end.result.engine.transcription, 'nothing was listened to');

  const status = await alice.status(job);
  assert.equal(status.status, 'completed');
  assert.equal(status.progress, 100);
  assert.equal(status.error, null);
  assert.deepEqual(status.result, end.result, 'REST has the same result as the event');
  for (const name of ['createdAt', 'processedAt', 'finishedAt']) assert.ok(!Number.isNaN(Date.parse(status[name])), name);
});

test('numbers are written as JavaScript writes them, live and stored', async () => {
  const user = userOf(server, 'numbers');
  const { jobId } = (await user.transcript(talkAsSrt)).body;
  await user.ended(jobId);
  for (const route of [`/analyze/job/${jobId}/status`, `/analyze/job/${jobId}/events`]) {
    const answer = await fetch(server.url + route, { headers: { Authorization: `Bearer ${user.token}` } });
    const text = await answer.text();
    assert.match(text, /"start":\d+(\.\d+)?,/);
    const outside = text.replace(/"(?:[^"\\]|\\.)*"/g, '""');
    assert.doesNotMatch(outside, /\d[eE]/);
    for (const number of outside.match(/-?\d[\d.]*/g)) assert.equal(String(Number(number)), number);
  }
});

test('two sockets of one user get the same events, another user gets none', async () => {
  const alice = userOf(server, 'alice-with-two');
  const [phone, laptop, stranger] = await Promise.all([
    alice.connect().ready(),
    alice.connect().ready(),
    userOf(server, 'bob').connect().ready(),
  ]);
  const { jobId } = (await alice.transcript(talk)).body;
  const onPhone = await phone.until(jobId);
  assert.deepEqual(await laptop.until(jobId), onPhone);
  // Bob's own job comes through the same pipe, so whatever was sent to him before it has arrived by then.
  const own = (await userOf(server, 'bob').transcript(talk)).body.jobId;
  await stranger.until(own);
  assert.deepEqual([...new Set(stranger.of('queue-update').map((update) => update.jobId))], [own]);
});

test('who was offline reads everything by REST', async () => {
  const carol = userOf(server, 'carol');
  const { jobId } = (await carol.transcript(talk, { title: 'Offline' })).body;
  const status = await carol.ended(jobId);
  assert.equal(status.status, 'completed');
  assert.equal(status.stage, 'completed');
  assert.equal(status.type, 'transcript');
  assert.equal(status.data.configuration.title, 'Offline');
  checkResult(status.result);
  assert.ok(!JSON.stringify(status.data).includes('spirit level'), 'the answer does not repeat what was sent in');
});

for (const [name, captions] of [
  ['SRT', talkAsSrt],
  ['WebVTT', talkAsVtt],
]) {
  test(`${name} keeps its times`, async () => {
    const dora = userOf(server, `dora-${name}`);
    const { jobId } = (await dora.transcript(captions)).body;
    const { result } = await dora.ended(jobId);
    checkResult(result);
    const { segments, text, vttUrl, srtUrl } = result.transcript;
    assert.doesNotMatch(text, /-->|WEBVTT/);
    assert.equal(segments[0].start, 0);
    assert.equal(segments.at(-1).end, 198);
    const vtt = await (await fetch(new URL(vttUrl, server.url))).text();
    assert.match(vtt, /^WEBVTT/);
    assert.match(vtt, /03:00\.000 --> (00:)?03:18\.000/);
    const srt = await fetch(new URL(srtUrl, server.url));
    assert.equal(srt.status, 200);
    assert.match(await srt.text(), /00:03:00,000 --> 00:03:18,000/);
  });
}

test('other scripts come through unharmed', async () => {
  const erik = userOf(server, 'erik');
  const words = 'Der Hafen von Łódź liegt am Meer. 港の朝は早い。 Ships sail at dawn 🚢. Die Fischer fahren früh hinaus.';
  const { jobId } = (await erik.transcript(`${words}\n${talk}`, { title: 'Häfen 港 🚢' })).body;
  const { result } = await erik.ended(jobId);
  assert.equal(result.video.title, 'Häfen 港 🚢');
  for (const part of ['Łódź', '港の朝は早い', '🚢']) assert.ok(result.transcript.text.includes(part), part);
});

test('jobs of one user queue up behind each other and all of them end', async () => {
  const frida = userOf(server, 'frida');
  const queue = await frida.connect().ready();
  const answers = await Promise.all(Array.from({ length: 8 }, () => frida.transcript(talk)));
  const jobs = answers.map((answer) => answer.body.jobId);
  assert.equal(new Set(jobs).size, 8);
  for (const job of jobs) {
    const updates = await queue.until(job);
    checkUpdates(updates, 'transcript');
    const lines = milestones(updates);
    assert.match(lines[0], /^job-queued 0 queued: Job queued at position [1-8]$/);
    assert.deepEqual(lines.slice(1), completed('transcript').slice(begins.length - 1));
  }
  const all = queue.of('queue-update').map((update) => update.metadata.seq);
  assert.deepEqual(all, all.map((_, i) => all[0] + i), 'not one event of the user is missing or doubled');
});
