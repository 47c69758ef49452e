// The client in a real browser, by each way that it can come: events, acknowledgements, a cut, a crash of the server.
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { chromium } from 'playwright-core';
import { userOf } from './clients.mjs';
import { completed, milestones } from './contract.mjs';
import { startServer } from './harness.mjs';
import { talk } from './texts.mjs';

const executablePath = process.env.E2E_CHROMIUM ?? '/usr/bin/chromium';
const clientScript = path.join(path.dirname(createRequire(import.meta.url).resolve('socket.io-client/package.json')), 'dist/socket.io.min.js');

let server;
let browser;
before(async () => {
  server = await startServer({ env: { RUSHES_WEBSOCKET_COMPRESSION: 'true' } });
  browser = await chromium.launch({ executablePath, args: process.getuid() === 0 ? ['--no-sandbox'] : [] });
});
after(async () => {
  await browser?.close();
  await server?.dispose();
});

/** A page with a client on it: `window.socket`, `window.updates`, and `window.until(jobId)`. */
async function openPage(user, options) {
  const page = await browser.newPage();
  await page.goto(`${server.url}/health`);
  await page.addScriptTag({ path: clientScript });
  await page.evaluate(
    async ({ token, options }) => {
      window.updates = [];
      window.connects = 0;
      window.socket = window.io('/queue', { auth: { token }, reconnectionDelay: 50, reconnectionDelayMax: 200, ...options });
      window.socket.on('queue-update', (update) => window.updates.push(update));
      window.socket.on('connect', () => (window.connects += 1));
      window.waitFor = async (what) => {
        for (const end = Date.now() + 15_000; !what(); ) {
          if (Date.now() > end) throw new Error(`waited for ${what}`);
          await new Promise((resolve) => setTimeout(resolve, 20));
        }
      };
      window.until = (jobId) =>
        window.waitFor(() => window.updates.some((update) => update.jobId === jobId && /completed|failed/.test(update.eventType)));
      await window.waitFor(() => window.socket.connected);
    },
    { token: user.token, options },
  );
  return page;
}
const until = (page, jobId) => page.evaluate((id) => window.until(id), jobId);
const numbers = (page) => page.evaluate(() => window.updates.map(({ metadata }) => metadata.seq));

const ways = { 'default options': [{}, 'websocket'], 'a WebSocket only': [{ transports: ['websocket'] }, 'websocket'], 'polling only': [{ transports: ['polling'] }, 'polling'] };
for (const [name, [options, endsOn]] of Object.entries(ways)) {
  test(`${name}: a job's events, an acknowledgement, and the way that the browser took`, async () => {
    const user = userOf(server, `viewer of ${name}`);
    const page = await openPage(user, options);
    const answer = await page.evaluate(() => window.socket.timeout(5000).emitWithAck('subscribe-queue', {}));
    assert.deepEqual(answer, { success: true, jobs: [] });
    const { jobId } = (await user.transcript(talk)).body;
    await until(page, jobId);
    assert.deepEqual(milestones(await page.evaluate(() => window.updates)), completed('transcript'));
    await page.evaluate((transport) => window.waitFor(() => window.socket.io.engine.transport.name === transport), endsOn);
    await page.close();
  });

  test(`${name}: after a cut, and after a crash of the server, the page goes on where it was`, async () => {
    const user = userOf(server, `traveller of ${name}`);
    const page = await openPage(user, options);
    await until(page, (await user.transcript(talk)).body.jobId);
    const id = await page.evaluate(() => window.socket.id);

    await page.evaluate(() => window.socket.io.engine.close());
    const duringTheCut = (await user.transcript(talk)).body.jobId;
    await until(page, duringTheCut);
    assert.deepEqual(await page.evaluate(() => [window.socket.recovered, window.socket.id]), [true, id]);

    const { port } = server;
    await server.kill();
    await server.start(port);
    await page.evaluate(() => window.waitFor(() => window.connects === 3 && window.socket.connected));
    assert.deepEqual(await page.evaluate(() => [window.socket.recovered, window.socket.id]), [true, id]);
    await until(page, (await user.transcript(talk)).body.jobId);
    const seen = await numbers(page);
    assert.deepEqual(seen, [...new Set(seen)].sort((a, b) => a - b), 'in order, and none twice');
    if (endsOn === 'websocket') assert.deepEqual(seen, Array.from({ length: seen.length }, (_, i) => i + 1), 'and none is missing');
    await page.close();
  });
}
