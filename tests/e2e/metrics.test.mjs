// What an operator's Prometheus reads.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { closeSockets, connect, rest, userOf } from './clients.mjs';
import { startServer, waitFor } from './harness.mjs';
import { talk } from './texts.mjs';

let server;
before(async () => {
  server = await startServer();
});
after(async () => {
  closeSockets();
  await server.dispose();
});

/** The page as a map from `name{label="value"}` to its number; fails on a line that is neither that nor a comment. */
async function read() {
  const answer = await rest(server, 'GET', '/metrics');
  assert.equal(answer.status, 200);
  assert.match(answer.headers.get('content-type'), /^text\/plain; version=0\.0\.4/);
  const values = new Map();
  for (const line of answer.body.trimEnd().split('\n')) {
    if (/^# (HELP|TYPE) /.test(line)) continue;
    const [, name, value] = line.match(/^([a-z_]+(?:\{[^}]*\})?) (\S+)$/) ?? assert.fail(line);
    assert.ok(!values.has(name), `${name} is told once`);
    assert.ok(!Number.isNaN(Number(value.replace('+Inf', 'Infinity'))), line);
    values.set(name, Number(value));
  }
  return values;
}
const until = (name, value) =>
  waitFor(async () => (await read()).get(name) === value, async () => `${name} to be ${value}, it is ${(await read()).get(name)}`);

test('sockets, events and how they went are counted', async () => {
  const alice = userOf(server, 'alice');
  const client = await alice.connect().ready();
  await client.until((await alice.transcript(talk)).body.jobId);
  await until('rushes_connections{transport="websocket"}', 1);
  let metrics = await read();
  const events = client.of('queue-update').length;
  assert.equal(metrics.get('rushes_sockets{namespace="/queue"}'), 1);
  assert.equal(metrics.get('rushes_tokens_watched'), 1);
  assert.equal(metrics.get('rushes_events_sent_total{namespace="/queue"}'), events);
  assert.ok(metrics.get('rushes_emit_to_write_seconds_count') <= events);
  assert.ok(metrics.get('rushes_http_answers_total{code="201"}') === 1);
  assert.ok(metrics.get('process_resident_memory_bytes') > 1e6);

  await client.ask('subscribe-queue');
  const fresh = server.token('alice', { exp: Math.floor(Date.now() / 1000) + 7200 });
  assert.equal((await client.ask('auth-refresh', { token: fresh })).success, true);
  client.close();
  await until('rushes_connections_closed_total{reason="transport close"}', 1);
  await until('rushes_tokens_watched', 0); // nothing is kept of who is gone
  metrics = await read();
  assert.equal(metrics.get('rushes_events_received_total{namespace="/queue"}'), 2);
  assert.equal(metrics.get('rushes_sockets{namespace="/queue"}'), 0);
  assert.equal(metrics.get('rushes_connections{transport="websocket"}'), 0);
  assert.equal(metrics.get('rushes_connections{transport="polling"}'), 0);
  assert.equal(metrics.get('rushes_out_queue_bytes'), 0);
});

test('refusals and limits are counted', async () => {
  const stranger = connect(server, '/queue', { auth: { token: 'x' } });
  await stranger.next('connect_error');
  await until('rushes_socket_refusals_total{namespace="/queue"}', 1);
  const lost = connect(server, '/nowhere', {});
  await lost.next('connect_error');
  await until('rushes_limit_hits_total{limit="unknown namespace"}', 1);
  const alice = userOf(server, 'alice');
  const rude = await alice.connect({ transports: ['websocket'] }).ready();
  rude.socket.io.engine.write('{');
  await rude.next('disconnect');
  await until('rushes_limit_hits_total{limit="bad packet"}', 1);
  const clumsy = await alice.connect({ transports: ['websocket'] }).ready();
  clumsy.socket.io.engine.write('2["x","' + 'y'.repeat(1_000_001) + '"]');
  await clumsy.next('disconnect');
  await until('rushes_limit_hits_total{limit="websocket protocol"}', 1);
});

test('a session that goes on is told from a new one', async () => {
  const alice = userOf(server, 'alice');
  const client = await alice.connect({ reconnection: true, reconnectionDelay: 20, transports: ['websocket'] }).ready();
  client.socket.io.engine.close();
  await until('rushes_socket_recoveries_total{namespace="/queue",outcome="recovered"}', 1);
  const other = await alice.connect({ auth: { token: alice.token, pid: 'made up' } }).ready();
  assert.equal(other.socket.recovered, false);
  await until('rushes_socket_recoveries_total{namespace="/queue",outcome="new session"}', 1);
});

test('jobs are counted by type and by what became of them', async () => {
  const before = await read();
  const more = (metrics, name) => metrics.get(name) - (before.get(name) ?? 0);
  const alice = userOf(server, 'alice');
  assert.equal(before.get('rushes_queue_jobs{type="transcript",state="waiting"}'), 0);
  assert.equal(before.get('rushes_queue_oldest_waiting_seconds{type="transcript"}'), 0);
  assert.equal(before.get('rushes_queue_paused{type="upload"}'), 0);
  assert.equal(before.get('rushes_webhook_pending_deliveries'), 0);
  assert.equal(before.get('rushes_webhook_deliveries_total{outcome="delivered"}'), 0);

  const runAt = new Date(Date.now() + 3_600_000).toISOString();
  const later = (await alice.post('/analyze/transcript', { transcript: talk, options: { runAt } })).body.jobId;
  await until('rushes_queue_jobs{type="transcript",state="scheduled"}', 1);
  assert.equal((await read()).get('rushes_jobs{state="pending"}'), 1);
  assert.equal((await read()).get('rushes_queue_oldest_waiting_seconds{type="transcript"}'), 0);
  await alice.post(`/analyze/job/${later}/cancel`);
  const noise = (await alice.upload(Buffer.alloc(100_000, 7), { fileName: 'noise.mp4' })).body.jobId;
  const done = (await alice.transcript(talk)).body.jobId;
  assert.equal((await alice.ended(done)).status, 'completed');
  assert.equal((await alice.ended(noise)).status, 'failed');

  const after = await read();
  assert.equal(more(after, 'rushes_jobs_submitted_total{type="transcript"}'), 2);
  assert.equal(more(after, 'rushes_jobs_started_total{type="transcript"}'), 1);
  assert.equal(more(after, 'rushes_jobs_retried_total{type="transcript"}'), 0);
  assert.equal(more(after, 'rushes_jobs_completed_total{type="transcript"}'), 1);
  assert.equal(more(after, 'rushes_jobs_cancelled_total{type="transcript"}'), 1);
  assert.equal(more(after, 'rushes_jobs_failed_total{type="upload"}'), 1);
  assert.equal(more(after, 'rushes_job_failures_total{code="MEDIA_UNREADABLE"}'), 1);
  assert.equal(after.get('rushes_queue_dead_jobs'), before.get('rushes_queue_dead_jobs') + 1);
});
