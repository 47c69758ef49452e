// Front ends on other web origins: which may talk to the server, by REST and by sockets.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { closeSockets, connect, rest, userOf } from './clients.mjs';
import { completed, milestones } from './contract.mjs';
import { startServer } from './harness.mjs';
import { startSite } from './media.mjs';
import { talk } from './texts.mjs';

const app = 'https://app.example';
const executablePath = process.env.E2E_CHROMIUM ?? '/usr/bin/chromium';
const clientScript = path.join(path.dirname(createRequire(import.meta.url).resolve('socket.io-client/package.json')), 'dist/socket.io.min.js');

let server;
let alice;
let site;
before(async () => {
  site = await startSite();
  server = await startServer({ env: { RUSHES_CORS_ORIGINS: app } });
  alice = userOf(server, 'alice');
});
after(async () => {
  closeSockets();
  await server?.dispose();
  site?.stop();
});

const good = () => [app, 'http://localhost:5173', 'http://127.0.0.1:8080', 'http://[::1]:8080', server.url];
const bad = ['https://evil.example', 'https://app.example.evil.example', 'http://localhost.evil.example', 'http://app.example', 'null'];

const polling = '/socket.io/?EIO=4&transport=polling';
const requests = [
  ['a list', (Origin) => rest(server, 'GET', '/analyze/jobs', { token: alice.token, headers: { Origin } }), 200],
  ['a refusal for want of a token', (Origin) => rest(server, 'GET', '/analyze/jobs', { headers: { Origin } }), 401],
  ['a job that is not there', (Origin) => rest(server, 'GET', '/analyze/job/x/status', { token: alice.token, headers: { Origin } }), 404],
  ['a path that is not there', (Origin) => rest(server, 'GET', '/nothing/here', { headers: { Origin } }), 404],
  ['a bad transcript', (Origin) => rest(server, 'POST', '/analyze/transcript', { token: alice.token, json: {}, headers: { Origin } }), 422],
  ['an empty upload', (Origin) => alice.upload(Buffer.alloc(0), { fileName: 'a.mp4', headers: { Origin } }), 422],
  ['a transcript far too large', (Origin) => alice.transcript('x'.repeat(6 * 1024 ** 2), {}, { Origin }), 413],
  ['the first poll of a socket', (Origin) => rest(server, 'GET', polling, { headers: { Origin } }), 200],
  ['a poll of a session that is not there', (Origin) => rest(server, 'GET', `${polling}&sid=x`, { headers: { Origin } }), 400],
  ['a post to a session that is not there', (Origin) => rest(server, 'POST', `${polling}&sid=x`, { headers: { Origin }, body: '40' }), 400],
];
for (const [name, ask, status] of requests) {
  test(`allowed origins can read ${name} (${status}), others cannot`, async () => {
    for (const origin of good()) {
      const answer = await ask(origin);
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get('access-control-allow-origin'), origin);
      assert.equal(answer.headers.get('access-control-allow-credentials'), 'true');
      assert.match(answer.headers.get('vary') ?? '', /Origin/i);
    }
    for (const origin of bad) {
      const { headers } = await ask(origin);
      assert.ok(!headers.get('access-control-allow-origin'), `${origin}: ${headers.get('access-control-allow-origin')}`);
    }
  });
}

test('a preflight says what may be sent', async () => {
  const wanted = ['authorization', 'content-type', 'idempotency-key'];
  for (const [route, method] of [['/analyze/transcript', 'POST'], ['/analyze/upload', 'POST'], ['/analyze/delete/x', 'DELETE'], [polling, 'POST']]) {
    const headers = { Origin: app, 'Access-Control-Request-Method': method, 'Access-Control-Request-Headers': wanted.join(',') };
    const answer = await rest(server, 'OPTIONS', route, { headers });
    assert.ok([200, 204].includes(answer.status), `${route}: ${answer.status}`);
    assert.equal(answer.headers.get('access-control-allow-origin'), app, route);
    assert.match(answer.headers.get('access-control-allow-methods') ?? '', new RegExp(method), route);
    for (const name of wanted) assert.match(answer.headers.get('access-control-allow-headers')?.toLowerCase() ?? '', new RegExp(name), route);
  }
});

test('a WebSocket from a foreign page gets nowhere without a token, whatever its origin', async () => {
  const extraHeaders = { Origin: 'https://evil.example' };
  const client = connect(server, '/queue', { transports: ['websocket'], extraHeaders });
  await client.next('connect_error');
  assert.equal(client.socket.connected, false);
});

test('in a real browser, a page of another origin submits, uploads and listens, with the client\'s default options', async () => {
  const browser = await chromium.launch({ executablePath, args: process.getuid() === 0 ? ['--no-sandbox'] : [] });
  try {
    const page = await browser.newPage();
    const complaints = [];
    // The page itself is the other site's business, its missing icon too.
    const isOurs = (message) => message.type() === 'error' && !message.location().url.startsWith(site.url);
    page.on('console', (message) => isOurs(message) && complaints.push(message.text()));
    await page.goto(`${site.url}/nothing.html`);
    await page.addScriptTag({ path: clientScript });
    const seen = await page.evaluate(
      async ({ url, token, transcript }) => {
        const updates = [];
        const transports = [];
        const socket = window.io(`${url}/queue`, { auth: { token } });
        const opened = new Promise((resolve, reject) => {
          socket.on('connect', resolve);
          socket.on('connect_error', (error) => reject(new Error(`connect_error: ${error.message} ${error.description ?? ''}`)));
        });
        socket.io.on('open', () => transports.push(socket.io.engine.transport.name));
        const ended = new Promise((resolve) => {
          socket.on('queue-update', (update) => {
            updates.push(update);
            if (update.eventType === 'job-completed') resolve();
          });
        });
        await opened;
        const headers = { Authorization: `Bearer ${token}` };
        const json = { ...headers, 'Content-Type': 'application/json', 'Idempotency-Key': 'from-afar' };
        const taken = await fetch(`${url}/analyze/transcript`, { method: 'POST', headers: json, body: JSON.stringify({ transcript }) });
        await ended;
        const form = new FormData();
        form.append('video', new File([], 'empty.mp4'));
        const refused = await fetch(`${url}/analyze/upload`, { method: 'POST', headers, body: form });
        return { updates, transports, taken: taken.status, code: (await refused.json()).code };
      },
      { url: server.url, token: alice.token, transcript: talk },
    );
    assert.deepEqual(seen.transports, ['polling']);
    assert.equal(seen.taken, 201);
    assert.deepEqual(milestones(seen.updates), completed('transcript'));
    assert.equal(seen.code, 'UPLOAD_EMPTY', 'the page can read the error');
    assert.deepEqual(complaints.filter((text) => !/status of 422/.test(text)), []);
  } finally {
    await browser.close();
  }
});
