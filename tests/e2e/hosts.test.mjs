// Who gets in by which name: hosts, the development token, origins that are refused, the metrics' token, the base path.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { closeSockets, connect, rest, userOf } from './clients.mjs';
import { checkProblem } from './contract.mjs';
import { startServer, waitFor } from './harness.mjs';
import { talk } from './texts.mjs';

const executablePath = process.env.E2E_CHROMIUM ?? '/usr/bin/chromium';
const inBrowser = async (rules, work) => {
  const sandbox = process.getuid() === 0 ? ['--no-sandbox'] : [];
  const browser = await chromium.launch({ executablePath, args: [...sandbox, ...rules.map((rule) => `--host-resolver-rules=${rule}`)] });
  try {
    const page = await browser.newPage();
    page.setDefaultTimeout(15_000);
    return await work(page);
  } finally {
    await browser.close();
  }
};

let production;
let development;
let based;
before(async () => {
  [production, development, based] = await Promise.all([
    startServer({ env: { RUSHES_CORS_ORIGINS: 'https://*.apps.example', RUSHES_METRICS_TOKEN: 'for the metrics' } }),
    startServer({ env: { RUSHES_DEVELOPMENT: 'true', RUSHES_PUBLIC_URL: 'http://public.example' } }),
    startServer({ env: { RUSHES_BASE_PATH: '/api/v1' } }),
  ]);
});
after(async () => {
  closeSockets();
  await Promise.all([production, development, based].map((server) => server?.dispose()));
});

/** A request whose `Host` is ours to say; without one it is HTTP/1.0's. */
function ask(server, route, { method = 'GET', upgrade = false, ...headers } = {}) {
  const handshake = { Connection: 'Upgrade', Upgrade: 'websocket', 'Sec-WebSocket-Version': '13', 'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==' };
  const { hostname, port } = new URL(server.url);
  return new Promise((resolve, reject) => {
    const request = http.request({ hostname, port, path: route, method, agent: false, headers: { ...(upgrade ? handshake : {}), ...headers } });
    request.on('upgrade', (answer, socket) => {
      socket.destroy();
      resolve({ status: answer.statusCode, headers: new Headers(), body: null });
    });
    request.on('response', (answer) => {
      let text = '';
      answer.setEncoding('utf8').on('data', (part) => (text += part));
      answer.on('end', () => {
        const isJson = /json/.test(answer.headers['content-type'] ?? '');
        resolve({ status: answer.statusCode, headers: new Headers(answer.headers), body: isJson ? JSON.parse(text) : text });
      });
    });
    request.on('error', reject);
    request.end();
  });
}
const polling = '/socket.io/?EIO=4&transport=polling';
const websocket = '/socket.io/?EIO=4&transport=websocket';

describe('hosts', () => {
  test('in development mode a name that is not ours reaches no route, no socket and no file', async () => {
    for (const Host of ['evil.example', `evil.example:${development.port}`, 'localhost.evil.example', '127.0.0.1.evil.example']) {
      for (const route of ['/', '/health', '/dev/token', '/analyze/jobs', '/nothing', polling]) {
        const answer = await ask(development, route, { Host, Origin: `http://${Host}` });
        checkProblem(answer, 421, 'HOST_NOT_ALLOWED');
        assert.match(answer.body.detail, /evil\.example.*allowed_hosts/);
        assert.equal(answer.headers.get('access-control-allow-origin'), null);
      }
      assert.equal((await ask(development, websocket, { Host, Origin: `http://${Host}`, upgrade: true })).status, 421);
    }
    assert.equal((await ask(development, '/analyze/transcript', { Host: 'evil.example', method: 'POST' })).status, 421);
  });

  test('its own names, addresses and public_url are answered, for people and for probes', async () => {
    const { port } = development;
    for (const Host of [`localhost:${port}`, `127.0.0.1:${port}`, `[::1]:${port}`, '10.1.2.3', `192.168.0.7:${port}`, '[2001:db8::1]', 'public.example', 'PUBLIC.example:80']) {
      assert.equal((await ask(development, '/health', { Host })).status, 200, Host);
    }
  });

  test('without development mode any name is answered', async () => {
    assert.equal((await ask(production, '/health', { Host: 'any.example' })).status, 200);
  });

  test('a page that its DNS leads to this machine reads nothing', async () => {
    await inBrowser(['MAP evil.example 127.0.0.1'], async (page) => {
      const answer = await page.goto(`http://evil.example:${development.port}/dev/token`);
      assert.equal(answer.status(), 421);
      const status = await page.evaluate(() => fetch('/dev/token').then((response) => response.status));
      assert.equal(status, 421);
    });
  });
});

describe('the development token', () => {
  test('goes to this machine and to the page of the server', async () => {
    const Host = `localhost:${development.port}`;
    for (const headers of [{}, { Host }, { Host, Origin: `http://${Host}` }, { 'Sec-Fetch-Site': 'same-origin' }, { 'Sec-Fetch-Site': 'none' }]) {
      const answer = await ask(development, '/dev/token', headers);
      assert.equal(answer.status, 200, JSON.stringify(headers));
      assert.equal(answer.body.sub, 'developer');
    }
  });

  test('goes through no proxy, to no other name and to no other page', async () => {
    const forwarded = ['Forwarded', 'X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Anything', 'X-Real-IP', 'Via'];
    const bad = [
      ...forwarded.map((name) => ({ [name]: '127.0.0.1' })),
      { Host: '192.168.0.7' },
      { Host: 'public.example' },
      { Origin: 'http://localhost:8080' },
      { Origin: `https://127.0.0.1:${development.port}` },
      { Origin: 'https://evil.example' },
      { Origin: 'null' },
      { 'Sec-Fetch-Site': 'cross-site' },
      { 'Sec-Fetch-Site': 'same-site' },
    ];
    for (const headers of bad) {
      const answer = await ask(development, '/dev/token', headers);
      checkProblem(answer, 403, 'LOCAL_ONLY');
      assert.match(answer.body.detail, /No development token: .+/, JSON.stringify(headers));
    }
    checkProblem(await ask(production, '/dev/token'), 404, 'NO_SUCH_PATH');
  });

  test('each start in that mode is a warning in the log', async () => {
    assert.match(development.log, /warning.*development mode.*\/dev\/token/);
    assert.doesNotMatch(production.log, /development mode/);
  });
});

describe('origins', () => {
  test('a localhost page may use a server that is called so, or is in development mode', async () => {
    const Origin = 'http://localhost:5173';
    const allowed = async (server, Host) => (await ask(server, '/health', { Host, Origin })).headers.get('access-control-allow-origin');
    assert.equal(await allowed(production, `localhost:${production.port}`), Origin);
    assert.equal(await allowed(production, 'rushes.example'), null);
    assert.equal(await allowed(development, 'public.example'), Origin);
  });

  test('a wildcard is every name below, and nothing else', async () => {
    const { token } = userOf(production, 'wild');
    const open = async (Origin) => {
      const client = connect(production, '/queue', { auth: { token }, transports: ['websocket'], extraHeaders: { Origin } });
      await waitFor(() => client.seen.length > 0, 'the connection or its error');
      return client.seen[0].event;
    };
    for (const good of ['https://a.apps.example', 'https://a.b.apps.example']) {
      assert.equal(await open(good), 'connect', good);
      assert.equal((await ask(production, '/health', { Origin: good })).headers.get('access-control-allow-origin'), good);
    }
    for (const bad of ['https://apps.example', 'https://a.apps.example.evil.example', 'https://evilapps.example', 'http://a.apps.example']) {
      assert.equal(await open(bad), 'connect_error', bad);
      assert.equal((await ask(production, '/health', { Origin: bad })).headers.get('access-control-allow-origin'), null, bad);
    }
  });

  test('an origin that is refused is one line, with the settings that allow it', async () => {
    const Origin = 'https://front.example';
    for (let i = 0; i < 5; ++i) checkProblem(await ask(production, websocket, { Host: 'rushes.example', Origin, upgrade: true }), 403, 'ORIGIN_NOT_ALLOWED');
    const { body } = await ask(production, websocket, { Host: 'rushes.example', Origin, upgrade: true });
    assert.match(body.detail, /https:\/\/front\.example.*rushes\.example.*public_url.*cors_origins/);
    const lines = await waitFor(() => production.log.split('\n').filter((line) => line.includes(Origin)), 'the line');
    assert.equal(lines.length, 1);
    assert.match(lines[0], /public_url.*cors_origins.*client=127\.0\.0\.1/);
  });

  test('pages may read what tells them to wait, and where things are', async () => {
    const { headers } = await ask(production, '/health', { Origin: 'https://a.apps.example' });
    const exposed = headers.get('access-control-expose-headers').toLowerCase().split(/, */);
    for (const name of ['Retry-After', 'Location', 'ETag', 'Link', 'Content-Disposition', 'WWW-Authenticate', 'Rushes-Job-Id', 'Upload-Offset']) {
      assert.ok(exposed.includes(name.toLowerCase()), name);
    }
    assert.equal((await ask(production, '/health', { Host: 'a.example', Origin: 'https://evil.example' })).headers.get('access-control-expose-headers'), null);
  });
});

test('metrics ask for their token where one is set', async () => {
  for (const Authorization of [undefined, 'Bearer wrong', 'for the metrics', 'Basic for the metrics', 'Bearer for the metrics2', `Bearer ${userOf(production, 'a').token}`]) {
    const answer = await ask(production, '/metrics', Authorization ? { Authorization } : {});
    checkProblem(answer, 401, 'METRICS_TOKEN');
    assert.equal(answer.headers.get('www-authenticate'), 'Bearer');
  }
  for (const Authorization of ['Bearer for the metrics', 'bearer for the metrics']) {
    const { status, body } = await ask(production, '/metrics', { Authorization });
    assert.equal(status, 200);
    assert.match(body, /rushes_build_info/);
  }
  assert.equal((await ask(development, '/metrics')).status, 200);
});

describe('a base path, without a proxy', () => {
  test('REST, sockets and the page are below it; sockets and probes at the root too', async () => {
    assert.match(based.url, /\/api\/v1$/);
    const user = userOf(based, 'alice');
    const { origin } = new URL(based.url);
    const sockets = ['/api/v1/socket.io', '/socket.io'].map((path) => connect({ url: origin }, '/queue', { auth: { token: user.token }, path }));
    for (const socket of sockets) await socket.ready();
    const { jobId } = (await user.transcript(talk)).body;
    await user.ended(jobId);
    for (const socket of sockets) await socket.until(jobId);
    for (const route of ['/health', '/health/readiness', '/metrics']) {
      for (const base of [origin, based.url]) assert.equal((await rest({ url: base }, 'GET', route)).status, 200, base + route);
    }
    for (const route of ['/', '/analyze/jobs', '/api/v10/analyze/jobs']) {
      const answer = await rest({ url: origin }, 'GET', route, { token: user.token });
      checkProblem(answer, 404, 'NO_SUCH_PATH');
      assert.match(answer.body.detail, /\/api\/v1\//);
    }
  });

  test('the page in a browser: signed in, live, a result with its frames', async () => {
    await inBrowser([], async (page) => {
      const user = userOf(based, 'viewer');
      await page.goto(based.url);
      assert.equal(page.url(), `${based.url}/`);
      await page.getByTestId('token-input').fill(user.token);
      await page.getByTestId('sign-in-button').click();
      await page.locator('[data-testid=connection][data-state=live]').waitFor();
      const { jobId } = (await user.transcript(talk)).body;
      await user.ended(jobId);
      await page.goto(`${based.url}/#/job/${jobId}`);
      await page.getByTestId('result').waitFor();
    });
  });
});
