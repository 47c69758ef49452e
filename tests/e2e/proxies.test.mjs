// The server behind the real nginx, Caddy and HAProxy as docs/proxies.md configures them, and behind a stand-in for Traefik: at `/`
// and below `/rushes/`, by http and https, on odd ports. What a browser of another machine does must work, and what it may not do must not.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { closeSockets, rest, userOf } from './clients.mjs';
import { checkProblem } from './contract.mjs';
import { buildFolder, secondsFromNow, signToken, startServer, temporaryFolder, waitFor } from './harness.mjs';
import { clientAddress, clientOf, documentedProxies, freePort, host, makeCertificate, startLikeTraefik, startNginx } from './proxies.mjs';
import { talk } from './texts.mjs';

const shots = path.join(buildFolder, 'test-results');
const executablePath = process.env.E2E_CHROMIUM ?? '/usr/bin/chromium';

const folder = temporaryFolder('rushes-proxies-');
let certificate;
let server;
before(async () => {
  certificate = await makeCertificate(folder);
  // Development mode for its token alone, which no proxy may pass on; the rest of what it lets in is closed by allowed_hosts.
  const env = { RUSHES_TRUSTED_PROXIES: '127.0.0.1', RUSHES_DEVELOPMENT: 'true', RUSHES_ALLOWED_HOSTS: host, RUSHES_METRICS_TOKEN: 'of the metrics' };
  server = await startServer({ env });
  // Uploads wait, so that a stream of their events is open as long as we like.
  const admin = signToken(server.secret, { sub: 'ops', role: 'admin', exp: secondsFromNow(600) });
  assert.equal((await rest(server, 'POST', '/admin/types/upload', { token: admin, json: { paused: true } })).status, 200);
});
after(async () => {
  closeSockets();
  await server?.dispose();
  fs.rmSync(folder, { recursive: true, force: true });
});

const blocks = {
  nginx: ['/etc/nginx/conf.d/rushes.conf', '/etc/nginx/conf.d/rushes-path.conf'],
  caddy: ['/etc/caddy/Caddyfile', '/etc/caddy/Caddyfile, below a path'],
  haproxy: ['/etc/haproxy/haproxy.cfg', '/etc/haproxy/haproxy.cfg, below a path'],
};
function startProxy(name, prefix, scheme) {
  if (name === 'traefik') return startLikeTraefik(server.port, { prefix, scheme, certificate: scheme === 'https' ? certificate : undefined });
  const block = blocks[name][prefix ? 1 : 0];
  return documentedProxies[name](block, [['127.0.0.1:3000', `127.0.0.1:${server.port}`]], scheme, certificate);
}

async function form(bytes) {
  const data = new FormData();
  data.append('video', new Blob([bytes]), 'film.mp4');
  const encoded = new Response(data);
  return { type: encoded.headers.get('content-type'), body: Buffer.from(await encoded.arrayBuffer()) };
}

describe('each proxy, path and scheme', { concurrency: 4 }, () => {
  for (const name of [...Object.keys(blocks), 'traefik']) {
    for (const prefix of ['', '/rushes']) {
      for (const scheme of ['http', 'https']) {
        test(`${name} at ${prefix}/ by ${scheme}`, async () => {
          const proxy = await startProxy(name, prefix, scheme);
          try {
            await useAll(proxy, prefix, `${name}${prefix.replace('/', '-')}-${scheme}`);
          } catch (error) {
            error.message += `\n${name} said: ${proxy.complaints()}`;
            throw error;
          } finally {
            await proxy.stop();
          }
        });
      }
    }
  }
});

async function useAll(proxy, prefix, name) {
  const client = clientOf(proxy, prefix);
  const user = userOf(server, `user of ${name}`);
  const headers = { Authorization: `Bearer ${user.token}` };

  // Sockets, as a page of this origin opens them.
  const web = await client.connect(user.token, { transports: ['websocket'] }).ready();
  const polling = await client.connect(user.token, { transports: ['polling'] }).ready();
  const upgraded = await client.connect(user.token).ready();
  await waitFor(() => upgraded.socket.io.engine.transport.name === 'websocket', 'the upgrade');

  // An upload of some megabytes, and its events as they come: the job has not ended while the first ones are read.
  const { type, body } = await form(Buffer.alloc(5_000_000, 'film'));
  const taken = await client.ask('POST', '/analyze/upload', { headers: { ...headers, 'Content-Type': type, 'Content-Length': body.length }, body });
  assert.equal(taken.status, 201, JSON.stringify(taken.body));
  const { jobId } = taken.body;
  const stream = await client.stream('GET', `/analyze/job/${jobId}/events`, { headers: { ...headers, Accept: 'text/event-stream' } });
  await waitFor(() => stream.text.includes('job-queued'), () => `the first event of the stream: ${stream.text}`);
  for (const socket of [web, polling, upgraded]) await socket.until(jobId, 'job-queued');
  assert.equal((await client.ask('POST', `/analyze/job/${jobId}/cancel`, { headers })).status, 200);
  await waitFor(() => stream.text.includes('job-cancelled') && stream.ended, () => `the stream's last event: ${stream.text}`);
  for (const socket of [web, polling, upgraded]) {
    await socket.until(jobId, 'job-cancelled');
    socket.close();
  }

  // What is too large is refused while it is still to come: the proxy gathers no bodies, and has no limit of its own.
  const huge = { ...headers, 'Content-Type': type, 'Content-Length': 3 * 1024 ** 3 };
  const early = await client.ask('POST', '/analyze/upload', { headers: huge, body: body.subarray(0, 10_000), unfinished: true });
  checkProblem(early, 413, /TOO_LARGE/);

  // The client's address, whatever it claims; it stands in the line about an origin that is refused.
  const Origin = `https://page-of-${name}.example`;
  const foreign = await client.ask('GET', '/health', { headers: { Origin, 'X-Forwarded-For': '203.0.113.77', Forwarded: 'for=203.0.113.77', 'X-Real-IP': '203.0.113.77' } });
  assert.equal(foreign.headers.get('access-control-allow-origin'), null);
  const line = await waitFor(() => server.log.split('\n').find((text) => text.includes(Origin)), 'the line about the origin');
  assert.match(line, new RegExp(`${host}.*public_url.*cors_origins.*client=${clientAddress.replaceAll('.', '\\.')}$`));

  // What strangers may not have.
  checkProblem(await client.ask('GET', '/dev/token'), 403, 'LOCAL_ONLY');
  const elsewhere = await client.ask('GET', '/metrics');
  assert.equal(elsewhere.status, 404);

  // The page, and the way to it.
  const page = await client.ask('GET', '/');
  assert.equal(page.status, 200);
  const script = /src="\.(\/assets\/[^"]+\.js)"/.exec(page.text);
  assert.equal((await client.ask('GET', script[1])).status, 200);
  if (prefix) {
    const slash = await client.ask('GET', '');
    assert.ok([301, 308].includes(slash.status), `${slash.status}`);
    assert.equal(new URL(slash.headers.get('location'), `${proxy.url}${prefix}`).href, `${proxy.url}${prefix}/`);
  }
}

// What people write besides: the example that docs/socketio.md had, and what nginx does by itself.
const written = {
  'a Host without its port': 'proxy_set_header Host $host;',
  'a Host with the port 443': 'proxy_set_header Host $host:443;',
  'no Host': '',
};
function plainNginx(lines, upstream, port) {
  const config = `server {\n listen 127.0.0.1:${port};\n location / {\n proxy_pass http://127.0.0.1:${upstream};\n proxy_http_version 1.1;
    proxy_set_header Upgrade $http_upgrade;\n proxy_set_header Connection "upgrade";\n ${lines}\n }\n }`;
  return startNginx(config, { port });
}

describe('other configurations of nginx, on an odd port', { concurrency: true }, () => {
  for (const [name, lines] of Object.entries(written)) {
    test(`${name}: a WebSocket connects, or is refused with the remedy`, async () => {
      const port = await freePort();
      const other = await startServer();
      const told = await startServer({ env: { RUSHES_PUBLIC_URL: `http://${host}:${port}/` } });
      const proxies = [];
      try {
        const open = async (upstream) => {
          const proxy = await plainNginx(lines, upstream.port, port);
          proxies.push(proxy);
          const { token } = userOf(upstream, 'alice');
          const client = clientOf(proxy).connect(token, { transports: ['websocket'] });
          await waitFor(() => client.seen.length > 0, 'the connection or its error');
          await proxy.stop();
          proxies.pop();
          return client.seen[0].event;
        };
        assert.equal(await open(other), lines ? 'connect' : 'connect_error');
        if (!lines) assert.match(other.log, new RegExp(`http://${host}:${port} may not connect to 127.0.0.1:${other.port}: set public_url`));
        assert.equal(await open(told), 'connect', 'public_url');
      } finally {
        await Promise.all(proxies.map((proxy) => proxy.stop()));
        await Promise.all([other.dispose(), told.dispose()]);
      }
    });
  }
});

describe('the page in a browser, by https below /rushes/', () => {
  for (const name of ['nginx', 'caddy']) {
    test(name, async () => {
      fs.mkdirSync(shots, { recursive: true });
      const proxy = await startProxy(name, '/rushes', 'https');
      const sandbox = process.getuid() === 0 ? ['--no-sandbox'] : [];
      const browser = await chromium.launch({ executablePath, args: [...sandbox, `--host-resolver-rules=MAP ${host} 127.0.0.1`] });
      try {
        const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 900 } });
        const page = await context.newPage();
        page.setDefaultTimeout(20_000);
        const complaints = [];
        page.on('pageerror', (error) => complaints.push(String(error)));
        page.on('console', (message) => message.type() === 'error' && complaints.push(`${message.text()} ${message.location().url}`));
        const sockets = [];
        page.on('websocket', (socket) => sockets.push(socket.url()));
        const user = userOf(server, `viewer by ${name}`);
        await page.goto(`${proxy.url}/rushes`);
        assert.equal(page.url(), `${proxy.url}/rushes/`);
        await page.getByTestId('token-input').fill(user.token);
        await page.getByTestId('sign-in-button').click();
        await page.locator('[data-testid=connection][data-state=live]').waitFor();
        const { jobId } = (await user.transcript(talk)).body;
        await user.ended(jobId);
        await page.goto(`${proxy.url}/rushes/#/job/${jobId}`);
        await page.getByTestId('result').waitFor();
        const [captions] = await Promise.all([page.waitForEvent('download'), page.getByTestId('download-vtt').click()]);
        assert.match(fs.readFileSync(await captions.path(), 'utf8'), /^WEBVTT/);
        await page.screenshot({ path: path.join(shots, `proxies-${name}.png`), fullPage: true });
        await page.goto(`${proxy.url}/rushes/#/`);
        await page.getByTestId('tab-file').click();
        await page.getByTestId('file-input').setInputFiles({ name: 'film.mp4', mimeType: 'video/mp4', buffer: Buffer.alloc(2_000_000, 'film') });
        await page.getByTestId('submit-file').click();
        await waitFor(async () => (await user.jobs()).some((job) => job.type === 'upload'), 'the file that the page sends');
        assert.ok(sockets.length > 0 && sockets.every((url) => url.startsWith(`wss://${host}:${proxy.port}/rushes/socket.io/`)), sockets.join());
        // Asked for before anybody signs in; no proxy passes it on.
        assert.deepEqual(complaints.filter((text) => !text.endsWith('/rushes/dev/token')), []);
      } finally {
        await browser.close();
        await proxy.stop();
      }
    });
  }
});
