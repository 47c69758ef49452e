// The server under test: starts the real binary on a free port with a data folder of its own, and ends it by its id.
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const here = path.dirname(fileURLToPath(import.meta.url));
export const repository = path.resolve(here, '../..');
export const binary = path.resolve(process.env.RUSHES_BINARY ?? path.join(here, '../../build/release/bin/rushes'));
// Where media that tests make and screenshots go.
export const buildFolder = path.join(repository, 'build');
// `scripts/test --preset asan` is many times slower; all deadlines stretch by this.
const patience = Number(process.env.E2E_PATIENCE ?? 1);

const servers = new Set();
// A runner that loses patience asks its files to end: no server outlives them.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.once(signal, () => process.exit(1));
process.on('exit', (code) => {
  for (const server of servers) server.killAtExit();
  if (code === 0) return;
  for (const server of [...servers].filter((one) => one.log)) {
    process.stderr.write(`\n--- log of the server on ${server.url} (last lines)\n${server.logTail(60)}\n`);
  }
});

/** Waits until `condition` gives something true and returns it; `what`, a text or a function, names it in the failure. */
export async function waitFor(condition, what, milliseconds = 10_000) {
  const deadline = Date.now() + milliseconds * patience;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > deadline) {
      throw new Error(`waited ${milliseconds * patience} ms for ${typeof what === 'function' ? what() : what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
}

const base64url = (value) => Buffer.from(value).toString('base64url');

/** A JWT; `header` may lie about the algorithm, the signature is HMAC-SHA256 all the same. */
export function signToken(secret, claims, header = { alg: 'HS256', typ: 'JWT' }) {
  const text = `${base64url(JSON.stringify(header))}.${base64url(JSON.stringify(claims))}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}

export const secondsFromNow = (seconds) => Math.floor(Date.now() / 1000) + seconds;

/** The environment that all programs under test get: nothing of ours but what they cannot do without. */
export function environment(extra = {}) {
  // As root the server refuses to start without this.
  const kept = process.getuid() === 0 ? { RUSHES_ALLOW_ROOT: 'true' } : {};
  for (const name of ['PATH', 'HOME', 'LANG', 'TMPDIR']) if (process.env[name]) kept[name] = process.env[name];
  return { ...kept, ...extra };
}

export function temporaryFolder(name = 'rushes-e2e-') {
  return fs.mkdtempSync(path.join(os.tmpdir(), name));
}

/** Runs a program to its end: `{code, signal, stdout, stderr}`. It fails no test by itself. */
export function run(program, args = [], { env = environment(), input, timeout = 60_000 } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env, stdio: ['pipe', 'pipe', 'pipe'] });
    const timer = setTimeout(() => child.kill('SIGKILL'), timeout * patience);
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (stdout += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (stderr += text));
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, stdout, stderr });
    });
    child.stdin.on('error', () => {});
    child.stdin.end(input);
  });
}

/** Ids of the live processes whose parent is `pid`, and theirs. Zombies are not alive. */
export function descendants(pid) {
  const children = new Map();
  for (const name of fs.readdirSync('/proc').filter((entry) => /^\d+$/.test(entry))) {
    try {
      const stat = fs.readFileSync(`/proc/${name}/stat`, 'utf8');
      const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (state !== 'Z') children.set(Number(parent), [...(children.get(Number(parent)) ?? []), Number(name)]);
    } catch {
      // It ended while we looked.
    }
  }
  const found = [];
  const wanted = [pid];
  while (wanted.length > 0) {
    const some = children.get(wanted.pop()) ?? [];
    found.push(...some);
    wanted.push(...some);
  }
  return found;
}

/** What tells a box's processes from others: how many pid namespaces deep a process is, and its session. */
function confinementOf(pid) {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
    const depth = /^NSpid:\t(.*)$/m.exec(status)[1].split('\t').length;
    return { depth, session: stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3] };
  } catch {
    return null; // It ended while we looked.
  }
}

function isBoxed(server, pid) {
  const [outside, inside] = [confinementOf(server.pid), confinementOf(pid)];
  return outside !== null && inside !== null && (inside.depth > outside.depth || inside.session !== outside.session);
}

/**
 * Ids of the processes that jobs of `server` run in: the first of each box and all below it, such as yt-dlp. The server's other
 * processes share its pid namespace and session.
 */
export function boxes(server) {
  return descendants(server.pid).filter((pid) => isBoxed(server, pid));
}

/** The id of the process that makes the boxes of `server`; undefined where none lives. */
export function zygote(server) {
  const isWorker = (pid) => {
    try {
      return fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').endsWith('\0worker\0');
    } catch {
      return false;
    }
  };
  return descendants(server.pid).find((pid) => isWorker(pid) && !isBoxed(server, pid));
}

export function isAlive(pid) {
  try {
    return !/^\S+ \(.*\) Z/s.test(fs.readFileSync(`/proc/${pid}/stat`, 'utf8'));
  } catch {
    return false;
  }
}

/** What a process is called, for messages. */
function nameOf(pid) {
  try {
    return `${pid} (${fs.readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()})`;
  } catch {
    return `${pid}`;
  }
}

export class Server {
  constructor({ env, args, dataDir, secret, through = [] }) {
    Object.assign(this, { env, args, secret, through, dataDir, ownsDataDir: !dataDir, log: '' });
    this.dataDir ??= temporaryFolder();
    this.token = this.token.bind(this);
  }

  /** Starts it; with the same object again after `stop` or `kill`, on the same data. Port 0: a free one. */
  async start(port = 0) {
    const given = { LANG: 'C.UTF-8', ...(this.secret ? { JWT_SECRET: this.secret } : {}), ...this.env };
    const serve = [binary, 'serve', '--port', String(port), '--data-dir', this.dataDir, ...this.args];
    const [program, ...args] = [...this.through, ...serve];
    this.child = spawn(program, args, { env: environment(given), stdio: ['ignore', 'pipe', 'pipe'] });
    servers.add(this);
    const child = this.child;
    this.ended = new Promise((resolve) => {
      child.on('error', (error) => resolve({ error }));
      child.on('close', (code, signal) => resolve({ code, signal }));
    });
    this.ended.then((end) => (this.end = end));
    this.end = null;
    this.output = '';
    child.stdout.setEncoding('utf8').on('data', (text) => (this.output += text));
    child.stderr.setEncoding('utf8').on('data', (text) => (this.log += text));
    const line = await waitFor(
      () => this.output.match(/^listening on (http:\/\/\S+)$/m) ?? this.end,
      () => `the server's line "listening on"; it wrote: ${this.output}${this.log}`,
      15_000,
    );
    if (!Array.isArray(line)) throw new Error(`the server did not start: ${JSON.stringify(line)}\n${this.log}`);
    this.url = line[1];
    this.port = Number(new URL(this.url).port);
    this.pid = child.pid;
    return this;
  }

  logTail(lines) {
    return this.log.trimEnd().split('\n').slice(-lines).join('\n');
  }

  /** Asks it to stop and waits for that: `{code, signal}`. */
  async stop(signal = 'SIGTERM') {
    if (!this.end) this.child.kill(signal);
    await waitFor(() => this.end, `the end of the server after ${signal}`, 20_000);
    return this.end;
  }

  /** Kills it; what it started must be gone a second later. */
  async kill() {
    const below = this.end ? [] : descendants(this.child.pid);
    this.child.kill('SIGKILL');
    const left = () => below.filter(isAlive);
    await waitFor(() => left().length === 0, () => `the end of what a killed server started: ${left().map(nameOf)}`, 1_000);
    return this.stop('SIGKILL');
  }

  /** Ends it for good and removes its data. For `after` hooks: never throws. */
  async dispose() {
    try {
      if (this.child && !this.end) {
        const { code, signal } = await this.stop();
        if (code !== 0) throw new Error(`the server ended with ${code ?? signal}:\n${this.logTail(60)}`);
      }
    } catch (error) {
      process.stderr.write(`${error.message}\n`);
      await this.kill().catch(() => {});
      process.exitCode = 1;
    }
    if (this.ownsDataDir) fs.rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
  }

  killAtExit() {
    if (!this.child || this.end) return;
    this.child.kill('SIGKILL');
    if (this.ownsDataDir) fs.rmSync(this.dataDir, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
  }

  /** A token for `user`, good for an hour unless `claims` says otherwise. */
  token(user, claims = {}) {
    return signToken(this.secret, { sub: user, iat: secondsFromNow(0), exp: secondsFromNow(3600), ...claims });
  }

  /** What lies in the data folder below `folder`, relative to it; without the folders themselves. */
  filesIn(folder) {
    const root = path.join(this.dataDir, folder);
    const below = (name) =>
      fs.statSync(path.join(root, name)).isDirectory()
        ? fs.readdirSync(path.join(root, name)).flatMap((entry) => below(path.join(name, entry)))
        : [name];
    return fs.existsSync(root) ? below('.') : [];
  }
}

/**
 * A running server. `env`: further variables, such as RUSHES_WORKERS; `args`: further options of `serve`; `through`: a program
 * with its options that becomes the server by exec, such as setpriv.
 */
export function startServer({ env = {}, args = [], dataDir, secret = randomBytes(32).toString('hex'), through = [] } = {}) {
  return new Server({ env, args, dataDir, secret, through }).start();
}
