// Reverse proxies before a server: real ones, with the configurations of docs/proxies.md, and clients of theirs.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { connect } from './clients.mjs';
import { environment, repository, run, temporaryFolder, waitFor } from './harness.mjs';

export const host = 'rushes.example'; // the name in the configurations
export const clientAddress = '127.0.0.9'; // where clients of `clientOf` come from
const page = fs.readFileSync(path.join(repository, 'docs/proxies.md'), 'utf8');

/** The code block of docs/proxies.md whose first line is `# name`. */
export function documented(name) {
  const blocks = [...page.matchAll(/^```\w+\n# (.*)\n([\s\S]*?)^```$/gm)].filter((block) => block[1] === name);
  assert.equal(blocks.length, 1, `docs/proxies.md has one block named ${name}`);
  return blocks[0][2];
}

/** Replaces each `[what, by]` of `text`; what is not in it fails, so that the tests notice changes of the page. */
function substitute(text, replacements) {
  for (const [what, by] of replacements) {
    assert.ok(text.includes(what), `"${what}" is in:\n${text}`);
    text = text.replaceAll(what, by);
  }
  return text;
}

export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A certificate of our own for `host`: `{cert, key, both}`, files in `folder`. */
export async function makeCertificate(folder) {
  const [cert, key, both] = ['cert.pem', 'key.pem', 'both.pem'].map((name) => path.join(folder, name));
  const subject = ['-subj', `/CN=${host}`, '-addext', `subjectAltName=DNS:${host}`];
  const made = await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-keyout', key, '-out', cert, ...subject]);
  assert.equal(made.code, 0, made.stderr);
  fs.writeFileSync(both, fs.readFileSync(cert, 'utf8') + fs.readFileSync(key, 'utf8'));
  return { cert, key, both };
}

const running = new Set();
process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

/** Starts a proxy that is to listen on `port`: `{url, port, complaints(), stop()}`. */
async function start(program, args, { port, scheme, folder, env }) {
  const child = spawn(program, args, { env: environment({ PATH: `${process.env.PATH}:/usr/sbin`, ...env }), stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(child);
  let said = '';
  let ended = false;
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (said += text));
  child.on('error', (error) => (ended = said += error.message));
  const end = new Promise((resolve) =>
    child.on('close', () => {
      running.delete(child);
      ended = true;
      resolve();
    }),
  );
  const answers = () =>
    new Promise((resolve) => {
      const probe = net.connect(port, '127.0.0.1');
      probe.on('connect', () => resolve(true)).on('error', () => resolve(false));
      probe.on('connect', () => probe.destroy());
    });
  const up = await waitFor(async () => ended || (await answers()), () => `${program} to listen: ${said}`, 20_000);
  if (up !== true || ended) throw new Error(`${program} did not start: ${said}`);
  return {
    url: `${scheme}://${host}:${port}`,
    port,
    complaints: () => said,
    stop: async () => {
      child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), 2_000);
      await end;
      clearTimeout(late);
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** nginx with `config`, the contents of conf.d. */
export async function startNginx(config, { scheme = 'http', port }) {
  const folder = temporaryFolder('rushes-nginx-');
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
  fs.mkdirSync(path.join(folder, 'snippets'));
  fs.writeFileSync(path.join(folder, 'snippets/rushes.conf'), documented('/etc/nginx/snippets/rushes.conf'));
  const file = path.join(folder, 'nginx.conf');
  const head = `daemon off;\nmaster_process off;\npid ${folder}/pid;\nerror_log stderr warn;\nevents {}\nhttp {\naccess_log off;\n`;
  fs.writeFileSync(file, `${head}${temporary.join('\n')}\n${config}\n}\n`);
  return start('nginx', ['-e', 'stderr', '-p', folder, '-c', file], { port, scheme, folder });
}

export async function startCaddy(config, { scheme = 'http', port }) {
  const folder = temporaryFolder('rushes-caddy-');
  const file = path.join(folder, 'Caddyfile');
  fs.writeFileSync(file, `{\n\tadmin off\n\tauto_https disable_redirects\n\tdefault_bind 127.0.0.1\n}\n\n${config}`);
  const env = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder };
  return start('caddy', ['run', '--config', file, '--adapter', 'caddyfile'], { port, scheme, folder, env });
}

export async function startHaproxy(config, { scheme = 'http', port }) {
  const folder = temporaryFolder('rushes-haproxy-');
  const file = path.join(folder, 'haproxy.cfg');
  fs.writeFileSync(file, config);
  return start('haproxy', ['-db', '-f', file], { port, scheme, folder });
}

/**
 * What differs between the proxies: `block`, the name of a block of docs/proxies.md; `upstreams`, `[what the page says, where it is]`.
 * Each gives a running proxy with that block, by http or https.
 */
export const documentedProxies = {
  async nginx(block, upstreams, scheme, certificate) {
    const port = await freePort();
    let config = documented(block);
    if (scheme === 'https') {
      config = substitute(config, [['/etc/ssl/rushes.pem', certificate.cert], ['/etc/ssl/rushes.key', certificate.key]]);
    } else {
      config = substitute(config, [['443 ssl', '443']]).replace(/^ *ssl_.*\n/gm, '');
    }
    return startNginx(substitute(config, [['listen 443', `listen 127.0.0.1:${port}`], ...upstreams]), { scheme, port });
  },
  async caddy(block, upstreams, scheme, certificate) {
    const port = await freePort();
    let config = documented(block);
    if (scheme === 'https') {
      config = substitute(config, [['/etc/ssl/rushes.pem', certificate.cert], ['/etc/ssl/rushes.key', certificate.key]]);
    } else {
      config = config.replace(/^\ttls .*\n/gm, '');
    }
    return startCaddy(substitute(config, [[`${host} {`, `${scheme}://${host}:${port} {`], ...upstreams]), { scheme, port });
  },
  async haproxy(block, upstreams, scheme, certificate) {
    const port = await freePort();
    const tls = ' ssl crt /etc/ssl/rushes.both alpn http/1.1';
    const bind = scheme === 'https' ? tls.replace('/etc/ssl/rushes.both', certificate.both) : '';
    const config = substitute(documented(block), [[`bind :443${tls}`, `bind 127.0.0.1:${port}${bind}`], ...upstreams]);
    return startHaproxy(config, { scheme, port });
  },
};

/** What Traefik does, by its documentation: passes `Host`, sets `X-Forwarded-*`, takes `prefix` off. Not more of it. */
export async function startLikeTraefik(upstream, { prefix = '', scheme = 'http', certificate } = {}) {
  const forwarded = (request) => {
    const headers = { ...request.headers };
    for (const name of Object.keys(headers)) if (name.startsWith('x-forwarded-') || name === 'x-real-ip') delete headers[name];
    const web = request.headers.upgrade ? { http: 'ws', https: 'wss' }[scheme] : scheme;
    const address = request.socket.remoteAddress;
    Object.assign(headers, {
      'x-forwarded-for': address,
      'x-forwarded-host': request.headers.host,
      'x-forwarded-port': String(port),
      'x-forwarded-proto': web,
      'x-forwarded-server': 'traefik',
      'x-real-ip': address,
      ...(prefix ? { 'x-forwarded-prefix': prefix } : {}),
    });
    const target = request.url.slice(prefix.length) || '/';
    return http.request({ host: '127.0.0.1', port: upstream, method: request.method, path: target, headers });
  };
  const refuse = (request, response) => {
    if (request.url !== prefix || !prefix) response.writeHead(404).end();
    else response.writeHead(308, { Location: `${scheme}://${request.headers.host}${prefix}/` }).end();
  };
  const pass = (request, response) => {
    if (!request.url.startsWith(`${prefix}/`) || request.url === `${prefix}/metrics`) return refuse(request, response);
    const onward = forwarded(request);
    onward.on('response', (answer) => {
      response.writeHead(answer.statusCode, answer.rawHeaders);
      answer.pipe(response);
    });
    onward.on('error', () => response.destroy());
    response.on('close', () => onward.destroy());
    request.pipe(onward);
  };
  const server = certificate
    ? https.createServer({ cert: fs.readFileSync(certificate.cert), key: fs.readFileSync(certificate.key) }, pass)
    : http.createServer(pass);
  const sockets = new Set();
  server.on(certificate ? 'secureConnection' : 'connection', (socket) => sockets.add(socket.on('close', () => sockets.delete(socket)).on('error', () => {})));
  server.on('upgrade', (request, near) => {
    const onward = forwarded(request);
    onward.on('error', () => near.destroy());
    onward.on('response', (answer) => {
      near.write(`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\nConnection: close\r\n\r\n`);
      answer.pipe(near);
    });
    onward.on('upgrade', (answer, far, head) => {
      const lines = answer.rawHeaders.map((text, i) => (i % 2 ? `: ${text}\r\n` : text)).join('');
      near.write(`HTTP/1.1 101 Switching Protocols\r\n${lines}\r\n`);
      near.write(head);
      for (const [from, to] of [[near, far], [far, near]]) from.on('error', () => to.destroy()).on('close', () => to.destroy()).pipe(to);
    });
    onward.end();
  });
  const port = await freePort();
  await new Promise((resolve) => server.listen(port, '127.0.0.1', resolve));
  return {
    url: `${scheme}://${host}:${port}`,
    port,
    complaints: () => '',
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

/**
 * A client of `proxy`, below `prefix`, that comes from `clientAddress` and finds `host` at 127.0.0.1: `ask` for one request,
 * `stream` for one whose answer goes on, `connect` for a socket as a page of the proxy's origin opens it.
 */
export function clientOf(proxy, prefix = '') {
  const secure = proxy.url.startsWith('https:');
  const web = secure ? https : http;
  const lookup = (name, options, callback) => (options.all ? callback(null, [{ address: '127.0.0.1', family: 4 }]) : callback(null, '127.0.0.1', 4));
  const agent = new web.Agent({ lookup, localAddress: clientAddress, rejectUnauthorized: false });
  const stream = (method, route, { headers = {}, body, unfinished = false } = {}) =>
    new Promise((resolve, reject) => {
      const request = web.request(`${proxy.url}${prefix}${route}`, { method, headers, agent });
      request.on('response', (answer) => {
        const seen = { status: answer.statusCode, headers: new Headers(answer.headers), text: '', ended: false, close: () => request.destroy() };
        answer.setEncoding('utf8').on('data', (text) => (seen.text += text));
        answer.on('end', () => (seen.ended = true)).on('error', () => (seen.ended = true));
        resolve(seen);
      });
      // One that has answered may close before it has read everything.
      request.on('error', reject);
      if (unfinished) request.write(body);
      else request.end(body);
    });
  return {
    origin: proxy.url,
    stream,
    async ask(method, route, options) {
      const seen = await stream(method, route, options);
      await waitFor(() => seen.ended, `the end of the answer to ${method} ${route}`);
      const isJson = /json/.test(seen.headers.get('content-type') ?? '');
      return { ...seen, body: isJson ? JSON.parse(seen.text) : seen.text };
    },
    connect: (token, { namespace = '/queue', ...options } = {}) =>
      connect({ url: proxy.url }, namespace, {
        auth: { token },
        path: `${prefix}/socket.io`,
        agent,
        rejectUnauthorized: false,
        extraHeaders: { Origin: proxy.url },
        ...options,
      }),
  };
}
