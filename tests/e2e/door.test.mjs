// Nobody shuts the door for others: a thousand slow bodies, a thousand idle connections, and everyone else served as before.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { createConnection } from 'node:net';
import { after, describe, test } from 'node:test';
import { closeSockets, rest, userOf } from './clients.mjs';
import { startServer, waitFor } from './harness.mjs';

const kMany = 1_000;
const servers = [];
const sockets = new Set();
after(async () => {
  for (const socket of sockets) socket.destroy();
  closeSockets();
  for (const server of servers) await server.dispose();
});

async function started(options) {
  servers.push(await startServer(options));
  return servers.at(-1);
}

/** A bare connection from an address of this machine: what it got so far, and whether it has ended. */
function bare(server, { from = '127.0.0.1', bytes } = {}) {
  const socket = createConnection({ port: server.port, host: '127.0.0.1', localAddress: from });
  const got = { text: '', ended: false, socket };
  sockets.add(socket);
  socket.setEncoding('latin1').on('data', (text) => (got.text += text));
  socket.on('close', () => (got.ended = true));
  socket.on('error', () => {});
  if (bytes) socket.write(bytes);
  return got;
}
const statusOf = (connection) => Number(connection.text.slice(9, 12));

/** Memory of the server in MiB: now, and at most so far. */
function memory(server) {
  const status = fs.readFileSync(`/proc/${server.pid}/status`, 'utf8');
  const mebibytes = (name) => Math.round(Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)[1]) / 1024);
  return { now: mebibytes('VmRSS'), most: mebibytes('VmHWM') };
}

/** Milliseconds of each of `count` requests, one after the other, over new connections. */
async function latencies(count, request) {
  const times = [];
  for (let i = 0; i < count; ++i) {
    const begun = performance.now();
    await request(i);
    times.push(performance.now() - begun);
  }
  return times.sort((a, b) => a - b);
}
const shown = (times) => `median ${times[times.length >> 1].toFixed(1)} ms, most ${times.at(-1).toFixed(1)} ms`;

function post(token, size) {
  return Buffer.from(
    `POST /analyze/transcript HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n` +
      `Authorization: Bearer ${token}\r\nContent-Length: ${size}\r\n\r\n`,
  );
}

describe('slow bodies', () => {
  const kSize = 10_000_000;
  const kBudget = 64; // MiB

  test(`${kMany} without a token are refused before they come`, async (t) => {
    const server = await started({ env: { RUSHES_MAX_BODY_MEMORY: `${kBudget} MiB` } });
    const alice = userOf(server, 'alice');
    const before = memory(server);
    const bytes = Buffer.concat([post('bad', kSize), Buffer.alloc(64 << 10, 'x')]);
    const slow = Array.from({ length: kMany }, () => bare(server, { from: '127.0.0.2', bytes }));
    const times = await latencies(20, async () => assert.equal((await alice.get('/analyze/jobs')).status, 200));
    await waitFor(() => slow.every((one) => statusOf(one) === 401), () => `401 for each; ${slow.filter((one) => !one.text).length} have nothing`, 20_000);
    const grown = memory(server).most - before.most;
    t.diagnostic(`memory ${before.now} MiB, at most ${grown} MiB more; others: ${shown(times)}`);
    assert.ok(grown < kBudget, `it grew by ${grown} MiB`);
    assert.ok(times.at(-1) < 2_000, shown(times));
    for (const one of slow) one.socket.destroy();
  });

  test(`${kMany} of many users stay within the budget`, async (t) => {
    const server = await started({ env: { RUSHES_MAX_BODY_MEMORY: `${kBudget} MiB` } });
    const alice = userOf(server, 'alice');
    await alice.get('/analyze/jobs');
    const before = memory(server);
    const tokens = Array.from({ length: 10 }, (_, i) => server.token(`slow-${i}`));
    const part = Buffer.alloc(300_000, 'x');
    const slow = Array.from({ length: kMany }, (_, i) =>
      bare(server, { from: '127.0.0.2', bytes: Buffer.concat([post(tokens[i % tokens.length], kSize), part]) }),
    );
    const refused = () => slow.filter((one) => one.text.length > 0);
    // A body of 300 kB needs half a MiB of room: 128 fit.
    await waitFor(() => refused().length >= kMany - 250, () => `refusals; there are ${refused().length}`, 20_000);
    for (const one of refused()) {
      assert.ok([429, 503].includes(statusOf(one)), one.text.slice(0, 300));
      assert.match(one.text, /^Retry-After: \d+/m);
      assert.match(one.text, /BODY_MEMORY/);
    }
    const times = await latencies(20, async (i) => {
      const answer = i % 2 === 0 ? await alice.get('/analyze/jobs') : await alice.transcript(`A short talk, number ${i}. It has two sentences.`);
      assert.ok([200, 201].includes(answer.status), JSON.stringify(answer.body));
    });
    const { body } = await rest(server, 'GET', '/metrics');
    const metric = (name) => Number(new RegExp(`^${name} (\\S+)`, 'm').exec(body)[1]);
    const grown = memory(server).most - before.most;
    const held = metric('rushes_http_body_bytes') / (1 << 20);
    t.diagnostic(
      `${refused().length} of ${kMany} refused; ${held.toFixed(1)} MiB held of ${kBudget}; memory ${before.now} MiB, at most ${grown} MiB more; others: ${shown(times)}`,
    );
    assert.ok(held > 0 && held <= kBudget, `${held} MiB held`);
    assert.ok(metric('rushes_http_bodies_refused_total') >= refused().length);
    assert.ok(grown < 1.5 * kBudget, `it grew by ${grown} MiB`);
    assert.ok(times.at(-1) < 2_000, shown(times));
    for (const one of slow) one.socket.destroy();
    await waitFor(async () => /^rushes_http_body_bytes 0$/m.test((await rest(server, 'GET', '/metrics')).body), 'the memory to be free');
  });

  test('one user with many slow bodies leaves room for the long text of another', async () => {
    const server = await started({ env: { RUSHES_MAX_BODY_MEMORY: '16 MiB' } });
    const token = server.token('greedy');
    const part = Buffer.alloc(1_000_000, 'x');
    const slow = Array.from({ length: 50 }, () => bare(server, { bytes: Buffer.concat([post(token, kSize), part]) }));
    await waitFor(() => slow.filter((one) => statusOf(one) === 429).length >= 45, 'the refusals');
    const answer = await userOf(server, 'other').transcript('A sentence that is long enough. '.repeat(60_000));
    assert.equal(answer.status, 201, JSON.stringify(answer.body));
    for (const one of slow) one.socket.destroy();
  });
});

describe('descriptors', () => {
  test(`${kMany} idle connections at ulimit -n 1024 shut nobody out`, async (t) => {
    const server = await started({ through: ['sh', '-c', 'ulimit -n 1024 && exec "$0" "$@"'] });
    const alice = userOf(server, 'alice');
    const socket = await alice.connect({ transports: ['websocket'] }).ready();

    const idle = [];
    const begun = performance.now();
    while (idle.length < kMany) {
      const some = Array.from({ length: 50 }, () => bare(server, { from: '127.0.0.2', bytes: 'GET /health/liveness HTTP/1.1\r\nHost: x\r\n\r\n' }));
      idle.push(...some);
      await waitFor(() => some.every((one) => one.text.includes('\r\n\r\n') || one.ended), 'their answers');
    }
    assert.ok(idle.every((one) => statusOf(one) === 200), 'each was served');
    const filled = performance.now() - begun;

    const times = await latencies(20, async () => {
      const status = await new Promise((resolve, reject) => {
        const request = http.get(`${server.url}/health`, { agent: false, timeout: 5_000 }, (answer) => answer.resume().on('end', () => resolve(answer.statusCode)));
        request.on('timeout', () => request.destroy(new Error('no answer in 5 s'))).on('error', reject);
      });
      assert.equal(status, 200);
    });
    const open = fs.readdirSync(`/proc/${server.pid}/fd`).length;
    const closed = idle.filter((one) => one.ended).length;
    t.diagnostic(`${kMany} connections in ${filled.toFixed(0)} ms, ${closed} of them closed for others; ${open} descriptors open; others: ${shown(times)}`);
    assert.ok(times.at(-1) < 1_000, shown(times));
    assert.ok(idle.slice(-500).every((one) => !one.ended), 'the longest idle ones go first');
    assert.ok(open < 1024 - 100, `${open} descriptors are open: jobs and files need some`);
    assert.equal((await alice.transcript('A short talk. It has two sentences.')).status, 201);
    assert.equal(socket.socket.connected, true, 'a WebSocket is not idle');
    const log = server.log.split('\n').filter((line) => /open files|connections are open/.test(line));
    assert.match(log[0], /open files: up to 1024/);
    assert.ok(log.length < 10, `the log says it now and then, not each time:\n${log.join('\n')}`);
  });

  test('the limit is raised to the hard one at the start', async () => {
    const server = await started({ through: ['sh', '-c', 'ulimit -S -n 512 && exec "$0" "$@"'] });
    const limits = fs.readFileSync(`/proc/${server.pid}/limits`, 'utf8');
    const [, soft, hard] = /^Max open files\s+(\d+)\s+(\d+)/m.exec(limits);
    assert.equal(soft, hard);
  });
});
