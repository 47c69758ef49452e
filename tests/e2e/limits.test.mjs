// Each limit of docs/socketio.md that a stranger can run into: what happens then, and that /metrics counts it.
import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { closeSockets, rest, userOf } from './clients.mjs';
import { startServer, waitFor } from './harness.mjs';

let server;
let alice;
before(async () => {
  server = await startServer({ env: { RUSHES_LOG_LEVEL: 'debug' } });
  alice = userOf(server, 'alice');
});
after(async () => {
  closeSockets();
  await server.dispose();
});

async function metric(name) {
  const { body } = await rest(server, 'GET', '/metrics');
  return Number(body.split('\n').find((line) => line.startsWith(`${name} `))?.slice(name.length) ?? 0);
}
const limit = (name) => `rushes_limit_hits_total{limit="${name}"}`;
const answers = (code) => `rushes_http_answers_total{code="${code}"}`;

/** Runs `work`, and waits until the number has grown. */
async function counted(name, work) {
  const before = await metric(name);
  await work();
  await waitFor(async () => (await metric(name)) > before, `${name} to grow beyond ${before}`);
}

/** A bare connection: what it got so far, and its end. */
function bare(bytes) {
  const socket = createConnection({ port: server.port, host: '127.0.0.1' });
  const got = { text: '', ended: false, send: (more) => socket.write(more), close: () => socket.destroy() };
  socket.setEncoding('latin1').on('data', (text) => (got.text += text));
  socket.on('close', () => (got.ended = true));
  socket.on('error', () => {});
  socket.write(bytes);
  return got;
}
const ended = (connection, within = 5_000) => waitFor(() => connection.ended, () => `the end, after: ${connection.text.slice(0, 200)}`, within);

/** A bare WebSocket, after its Engine.IO handshake. */
async function webSocket(query = '', headers = '') {
  const socket = bare(
    `GET /socket.io/?EIO=4&transport=websocket${query} HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n` +
      `${headers}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n`,
  );
  await waitFor(() => socket.text.includes('\r\n\r\n'), 'the answer to the handshake');
  return socket;
}
/** A client's frame with a mask of zeros. */
function frame(first, payload) {
  const head = payload.length < 126 ? Buffer.from([first, 0x80 | payload.length, 0, 0, 0, 0]) : Buffer.from([first, 0xfe, payload.length >> 8, payload.length & 0xff, 0, 0, 0, 0]);
  return Buffer.concat([head, Buffer.from(payload)]);
}
const closeFrame = (code) => String.fromCharCode(0x88, 2, code >> 8, code & 0xff);

describe('limits', { concurrency: true }, () => {
  test('a head of more than 32 KiB, or of more than 100 fields: 431', async () => {
    for (const fields of [`X: ${'y'.repeat(33_000)}\r\n`, 'X: y\r\n'.repeat(101)]) {
      await counted(answers(431), async () => {
        const connection = bare(`GET /health HTTP/1.1\r\nHost: x\r\n${fields}\r\n`);
        await ended(connection);
        assert.match(connection.text, /^HTTP\/1\.1 431 /);
      });
    }
  });

  test('a head that does not come whole within 10 s: 408', () =>
    counted(answers(408), async () => {
      const connection = bare('GET /health HTTP/1.1\r\nHost: x\r\n');
      await ended(connection, 15_000);
      assert.match(connection.text, /^HTTP\/1\.1 408 /);
    }));

  test('a POST of more than a message may have: 413', () =>
    counted(answers(413), async () => {
      const { body } = await rest(server, 'GET', '/socket.io/?EIO=4&transport=polling');
      const { sid } = JSON.parse(body.slice(1));
      const answer = await rest(server, 'POST', `/socket.io/?EIO=4&transport=polling&sid=${sid}`, { body: 'x'.repeat(1_000_001) });
      assert.equal(answer.status, 413);
    }));

  test('a message of more than 1,000,000 bytes: close 1009', () =>
    counted(limit('websocket protocol'), async () => {
      const socket = await webSocket();
      socket.send(Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0x0f, 0x42, 0x41, 0, 0, 0, 0])); // its head says 1,000,001
      await ended(socket);
      assert.ok(socket.text.endsWith(closeFrame(1009)));
    }));

  test('more than 1,024 fragments: close 1008', () =>
    counted(limit('websocket protocol'), async () => {
      const socket = await webSocket();
      socket.send(Buffer.concat([frame(0x01, 'x'), ...Array(1_024).fill(frame(0x00, 'x'))]));
      await ended(socket);
      assert.ok(socket.text.endsWith(closeFrame(1008)));
    }));

  test('no namespace within 10 s: the connection ends', () =>
    counted(limit('no namespace in time'), async () => {
      const socket = await webSocket();
      await ended(socket, 15_000);
    }));

  test('attachments that do not come within 10 s: the connection ends', () =>
    counted(limit('attachments late'), async () => {
      const socket = await webSocket();
      socket.send(frame(0x81, `40/queue,{"token":"${alice.token}"}`));
      await waitFor(() => socket.text.includes('40/queue,{"sid"'), 'the namespace');
      socket.send(frame(0x81, '451-/queue,["x",{"_placeholder":true,"num":0}]'));
      await ended(socket, 15_000);
    }));

  test('more than 10 attachments: the connection ends', () =>
    counted(limit('bad packet'), async () => {
      const socket = await webSocket();
      socket.send(frame(0x81, '4511-/queue,["x"]'));
      await ended(socket);
    }));

  test('an upgrade that is not done within 10 s is given up, and polling goes on', () =>
    counted(limit('upgrade late'), async () => {
      const { body } = await rest(server, 'GET', '/socket.io/?EIO=4&transport=polling');
      const { sid } = JSON.parse(body.slice(1));
      const poll = `/socket.io/?EIO=4&transport=polling&sid=${sid}`;
      assert.equal((await rest(server, 'POST', poll, { body: `40/queue,{"token":"${alice.token}"}` })).body, 'ok');
      assert.match((await rest(server, 'GET', poll)).body, /^40\/queue,/);
      const socket = await webSocket(`&sid=${sid}`);
      await ended(socket, 15_000);
      assert.equal((await rest(server, 'POST', poll, { body: '42/queue,1["subscribe-queue",{}]' })).body, 'ok');
      assert.match((await rest(server, 'GET', poll)).body, /43\/queue,1\[/);
    }));

  test('a page of a strange origin: 403', () =>
    counted(limit('origin'), async () => {
      const socket = await webSocket('', 'Origin: https://evil.example\r\n');
      await ended(socket);
      assert.match(socket.text, /^HTTP\/1\.1 403 /);
    }));
});

test("a socket's life stands in the log, by its id", async () => {
  const client = await alice.connect({ transports: ['websocket'] }).ready();
  const { id } = client.socket;
  const { id: session } = client.socket.io.engine;
  client.socket.disconnect();
  const lines = await waitFor(() => {
    const found = server.log.split('\n').filter((line) => line.includes(`socket=${id}`));
    return found.length >= 2 && found;
  }, 'the lines of a socket');
  assert.match(lines[0], new RegExp(`socketio: joined namespace=/queue socket=${id} session=${session} transport=websocket address=127\\.0\\.0\\.1 recovered=false`));
  assert.match(lines[1], new RegExp(`socketio: left namespace=/queue socket=${id} session=${session} reason="client namespace disconnect"`));
  assert.ok(!server.log.includes(alice.token), 'and no token does');
});
