// One job's events over REST: in pages, and as a stream that is resumed, as an EventSource does it.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { closeSockets, userOf } from './clients.mjs';
import { checkProblem, completed, milestones } from './contract.mjs';
import { secondsFromNow, startServer, waitFor } from './harness.mjs';
import { talk } from './texts.mjs';

let server;
before(async () => {
  server = await startServer({ env: { RUSHES_MAX_QUEUED_PER_USER: '200' } });
});
after(async () => {
  closeSockets();
  await server?.dispose();
});

/** A stream as it is read: `events` so far, `ended`, `text`; `close` goes away. */
async function follow(user, job, { lastEventId, query = '', on = server } = {}) {
  const controller = new AbortController();
  const headers = { Authorization: `Bearer ${user.token}`, Accept: 'text/event-stream' };
  if (lastEventId !== undefined) headers['Last-Event-ID'] = String(lastEventId);
  const answer = await fetch(`${on.url}/analyze/job/${job}/events${query}`, { headers, signal: controller.signal });
  const stream = { status: answer.status, headers: answer.headers, events: [], text: '', ended: false, broken: false };
  stream.close = () => controller.abort();
  const read = async () => {
    const decoder = new TextDecoder();
    let rest = '';
    for await (const bytes of answer.body) {
      const text = decoder.decode(bytes, { stream: true });
      stream.text += text;
      rest += text;
      const blocks = rest.split('\n\n');
      rest = blocks.pop();
      for (const block of blocks) {
        const fields = Object.fromEntries(block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]));
        if (fields.data) stream.events.push({ id: Number(fields.id), type: fields.event, payload: JSON.parse(fields.data) });
      }
    }
  };
  if (answer.status === 200) read().then(() => (stream.ended = true), () => (stream.ended = stream.broken = true));
  stream.end = (milliseconds) => waitFor(() => stream.ended, () => `the stream's end, after: ${stream.text.slice(-500)}`, milliseconds);
  return stream;
}

/**
 * What @microsoft/fetch-event-source hands to `onmessage` of a stream's text, by its documentation: a message for every block
 * that a blank line ends, also where nothing but comments or `retry` stood in it.
 */
function messagesOf(text) {
  const messages = [];
  let message = { id: '', event: '', data: '', retry: undefined };
  for (const line of text.split(/\r\n|\r|\n/).slice(0, -1)) {
    if (line === '') {
      messages.push(message);
      message = { id: '', event: '', data: '', retry: undefined };
      continue;
    }
    const colon = line.indexOf(':');
    if (colon <= 0) continue;
    const value = line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
    const field = line.slice(0, colon);
    if (field === 'data') message.data = message.data ? `${message.data}\n${value}` : value;
    else if (field === 'event' || field === 'id') message[field] = value;
    else if (field === 'retry') message.retry = Number(value);
  }
  return messages;
}

describe('events of a job', { concurrency: true }, () => {
  test('in pages, as the sockets were told them', async () => {
    const user = userOf(server, 'pages');
    const queue = await user.connect().ready();
    const { jobId } = (await user.transcript(talk)).body;
    const told = await queue.until(jobId);
    const found = [];
    let after = 0;
    let pages = 0;
    do {
      const { status, body } = await user.get(`/analyze/job/${jobId}/events?after=${after}&limit=2`);
      assert.equal(status, 200);
      found.push(...body.events);
      after = body.next;
      ++pages;
    } while (after);
    assert.ok(pages > 2);
    const payloads = found.map((event) => event.payload);
    assert.deepEqual(milestones(payloads).slice(1), completed('transcript').slice(1), 'others may have been before it');
    for (const event of found) {
      assert.equal(event.seq, event.payload.metadata.seq);
      assert.equal(event.type, event.payload.eventType);
      assert.equal(event.at, event.payload.metadata.timestamp);
      assert.deepEqual(event.payload, told.find((update) => update.metadata.seq === event.seq));
    }
    assert.deepEqual((await user.get(`/analyze/job/${jobId}/events?after=${found.at(-1).seq}`)).body, { events: [] });
  });

  test('as a stream, live until its end, and then no more', async () => {
    const user = userOf(server, 'streams');
    const queue = await user.connect().ready();
    const { jobId } = (await user.post('/analyze/transcript', { transcript: talk, options: { runAt: new Date(Date.now() + 500).toISOString() } })).body;
    const stream = await follow(user, jobId);
    assert.equal(stream.status, 200);
    assert.match(stream.headers.get('content-type'), /^text\/event-stream/);
    assert.equal(stream.headers.get('cache-control'), 'no-store');
    await stream.end(30_000);
    assert.ok(!stream.broken);
    const told = await queue.until(jobId);
    assert.deepEqual(stream.events.map((event) => event.payload), told);
    assert.deepEqual(stream.events.map((event) => event.id), told.map((update) => update.metadata.seq));
    assert.deepEqual(stream.events.map((event) => event.type), told.map((update) => update.eventType));

    const last = stream.events.at(-1).id;
    assert.equal((await follow(user, jobId, { lastEventId: last })).status, 204);
    const again = await follow(user, jobId, { query: `?after=${last}`, lastEventId: stream.events[1].id });
    await again.end();
    const ends = (events) => events.filter((event) => event.type !== 'job-progress').map((event) => event.id);
    assert.deepEqual(ends(again.events), ends(stream.events.slice(2)), 'the header goes before the query');
  });

  test('a reader that is cut again and again misses nothing and gets nothing twice', async () => {
    const user = userOf(server, 'cut');
    const queue = await user.connect().ready();
    const { jobId } = (await user.post('/analyze/transcript', { transcript: talk, options: { runAt: new Date(Date.now() + 300_000).toISOString() } })).body;
    const seen = [];
    let done = false;
    const reader = (async () => {
      for (;;) {
        const stream = await follow(user, jobId, { lastEventId: seen.at(-1)?.id });
        if (stream.status === 204 && done) return;
        if (stream.status === 204) continue; // seen whole, until it is restarted
        await waitFor(() => stream.ended || stream.events.length >= 1 + (seen.length % 3), 'an event', 20_000);
        stream.close();
        seen.push(...stream.events);
      }
    })();
    for (let i = 0; i < 20; ++i) {
      // Restarted, it runs at once: it may be anywhere when it is cancelled, even at its end.
      assert.equal((await user.post(`/analyze/job/${jobId}/restart`)).status, 200);
      if (i % 4 === 3) await user.ended(jobId);
      else assert.match(String((await user.post(`/analyze/job/${jobId}/cancel`)).status), /^(200|409)$/);
    }
    done = true;
    await reader;
    const ids = seen.map((event) => event.id);
    assert.deepEqual(ids, [...new Set(ids)].sort((a, b) => a - b), 'rising, none twice');
    const told = queue.updates(jobId).filter((update) => update.eventType !== 'job-progress').map((update) => update.metadata.seq);
    assert.deepEqual(told.filter((seq) => !ids.includes(seq)), [], 'none missing');
  });

  test('a reader that is ahead of the log begins anew, and gets the end', async () => {
    const user = userOf(server, 'ahead');
    const { jobId } = (await user.post('/analyze/transcript', { transcript: talk, options: { runAt: new Date(Date.now() + 300_000).toISOString() } })).body;
    const stream = await follow(user, jobId, { lastEventId: 999_999_999_999 });
    await waitFor(() => stream.events.length === 1, 'job-queued');
    await user.post(`/analyze/job/${jobId}/cancel`);
    await stream.end();
    assert.deepEqual(stream.events.map((event) => event.type), ['job-queued', 'job-cancelled']);
  });

  test('the end of the token ends it, and says so', async () => {
    const owner = userOf(server, 'expiring');
    const { jobId } = (await owner.post('/analyze/transcript', { transcript: talk, options: { runAt: new Date(Date.now() + 300_000).toISOString() } })).body;
    const user = userOf(server, 'expiring', { exp: secondsFromNow(-3) });
    const stream = await follow(user, jobId);
    await stream.end(20_000);
    assert.ok(!stream.broken);
    assert.deepEqual([stream.events.at(-1).type, stream.events.at(-1).payload.code], ['auth-error', 'TOKEN_EXPIRED']);
    await owner.post(`/analyze/job/${jobId}/cancel`);
  });

  test('silence is broken every 15 s', async () => {
    const user = userOf(server, 'silent');
    const { jobId } = (await user.post('/analyze/transcript', { transcript: talk, options: { runAt: new Date(Date.now() + 300_000).toISOString() } })).body;
    const stream = await follow(user, jobId);
    await waitFor(() => stream.text.endsWith('\n\n:\n'), 'a comment', 20_000);
    assert.match(stream.text, /^retry: 2000\nid: /);
    await user.post(`/analyze/job/${jobId}/cancel`);
    await stream.end();
    // No message without data: `JSON.parse(message.data)` in an `onmessage` would throw, and end the stream.
    const messages = messagesOf(stream.text);
    assert.deepEqual(messages.map((message) => JSON.parse(message.data).eventType), ['job-queued', 'job-cancelled']);
    assert.deepEqual(messages.map((message) => [Number(message.id), message.event]), stream.events.map((event) => [event.id, event.type]));
    assert.deepEqual(messages.map((message) => message.retry), [2000, undefined]);
  });

  test('a stream goes to who accepts one', async () => {
    const user = userOf(server, 'accepts');
    const { jobId } = (await user.transcript(talk)).body;
    await user.ended(jobId);
    const typeFor = async (accept) => {
      const controller = new AbortController();
      const headers = { Authorization: `Bearer ${user.token}`, Accept: accept };
      const answer = await fetch(`${server.url}/analyze/job/${jobId}/events`, { headers, signal: controller.signal });
      controller.abort();
      return answer.headers.get('content-type');
    };
    for (const accept of ['text/event-stream', 'TEXT/Event-Stream; q=0.5', 'application/json;q=0.1, text/event-stream;charset=utf-8', 'text/event-stream;q=0.001']) {
      assert.equal(await typeFor(accept), 'text/event-stream', accept);
    }
    for (const accept of ['text/event-stream;q=0', 'text/event-stream; Q=0.000, */*', '*/*', 'application/json', 'x/text/event-stream', 'text/event-streams']) {
      assert.equal(await typeFor(accept), 'application/json', accept);
    }
  });

  test('refusals', async () => {
    const user = userOf(server, 'refused');
    const { jobId } = (await user.transcript(talk)).body;
    const other = userOf(server, 'refused-other');
    checkProblem(await other.get(`/analyze/job/${jobId}/events`), 404, 'JOB_NOT_FOUND');
    assert.equal((await follow(other, jobId)).status, 404);
    for (const query of ['after=-1', 'after=x', 'limit=0', 'limit=1001']) {
      checkProblem(await user.get(`/analyze/job/${jobId}/events?${query}`), 422, 'QUERY_INVALID');
    }
    assert.equal((await follow(user, jobId, { lastEventId: 'x' })).status, 422);
    assert.equal((await fetch(`${server.url}/analyze/job/${jobId}/events`)).status, 401);
  });
});

test('a stop of the server ends streams whole, and the next server goes on with them', async () => {
  const first = await startServer();
  try {
    const user = userOf(first, 'stopped');
    const { jobId } = (await user.post('/analyze/transcript', { transcript: talk, options: { runAt: new Date(Date.now() + 300_000).toISOString() } })).body;
    const stream = await follow(user, jobId, { on: first });
    await waitFor(() => stream.events.length === 1, 'job-queued');
    const began = Date.now();
    await first.stop();
    await stream.end();
    assert.ok(!stream.broken, 'whole');
    assert.ok(Date.now() - began < 4_000, 'at once');
    await first.start();
    const again = await follow(user, jobId, { lastEventId: stream.events[0].id, on: first });
    assert.equal(again.status, 200);
    await user.post(`/analyze/job/${jobId}/cancel`);
    await again.end();
    assert.deepEqual(again.events.map((event) => event.type), ['job-cancelled']);
  } finally {
    await first.dispose();
  }
});
