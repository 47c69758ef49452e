// What a process of the server's own user can learn of it: a job that broke out of its box, or any other program of that user.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { after, before, test } from 'node:test';
import { descendants, isAlive, run, startServer, temporaryFolder, waitFor } from '../e2e/harness.mjs';

const isRoot = process.getuid() === 0;
const uid = 4000;
/** Root becomes an ordinary user; anyone else is one. */
const through = isRoot ? ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--inh-caps=-all', '--'] : [];
const peek = fs.readFileSync(path.join(path.dirname(fileURLToPath(import.meta.url)), 'peek.py'), 'utf8');
const secret = randomBytes(32).toString('hex');

/** What the user that the server runs as can open of `pid`: {environ: '…' or errno's name, mem: …}. */
async function peekAt(pid) {
  const [program, ...args] = [...through, '/usr/bin/python3', '-I', '-c', peek, String(pid)];
  const end = await run(program, args);
  assert.equal(end.code, 0, end.stderr);
  return JSON.parse(end.stdout);
}

let server;
let dataDir;
before(async () => {
  dataDir = temporaryFolder();
  if (isRoot) fs.chownSync(dataDir, uid, uid);
  server = await startServer({ secret, through, dataDir });
});
after(async () => {
  await server?.dispose();
  fs.rmSync(dataDir, { recursive: true, force: true });
});

test('control: another process of that user is an open book', async (t) => {
  const [program, ...args] = [...through, 'sleep', '60'];
  const open = spawn(program, args, { env: { PATH: process.env.PATH, JWT_SECRET: secret }, stdio: 'ignore' });
  t.after(() => open.kill('SIGKILL'));
  await waitFor(() => isAlive(open.pid) && fs.readFileSync(`/proc/${open.pid}/comm`, 'utf8') === 'sleep\n', 'the other process');
  const found = await peekAt(open.pid);
  assert.match(found.environ, new RegExp(secret));
  assert.doesNotMatch(found.fd, /^E[A-Z]+$/);
});

test('its memory, environment and descriptors are closed to its own user', async () => {
  const found = await peekAt(server.pid);
  const opened = Object.entries(found).filter(([, outcome]) => !/^E(ACCES|PERM)$/.test(outcome)).map(([what]) => what);
  assert.deepEqual(opened, [], 'what could be opened');
});

test('the secret is in no environment and on no command line, whoever reads it', async () => {
  let read = 0;
  for (const pid of [server.pid, ...descendants(server.pid)]) {
    for (const name of ['environ', 'cmdline']) {
      let text;
      try {
        text = fs.readFileSync(`/proc/${pid}/${name}`, 'latin1');
      } catch (error) {
        // Not even we may read it; or it has ended.
        assert.match(error.code, /^(EACCES|EPERM|ENOENT|ESRCH)$/);
        continue;
      }
      read += 1;
      assert.ok(!text.includes(secret), `the secret is in /proc/${pid}/${name}`);
    }
  }
  assert.ok(read > 0, 'command lines can be read');
});

test('nobody else reads the data folder', () => {
  const all = ['.', ...fs.readdirSync(dataDir)];
  for (const name of all) {
    const status = fs.lstatSync(path.join(dataDir, name));
    // Folders below may let others through, who do not get as far; files are for their owner.
    const closed = status.isDirectory() ? 0o066 : 0o077;
    assert.equal(status.mode & closed, 0, `${name} has mode ${(status.mode & 0o777).toString(8)}`);
  }
});
