// The server started by root: only when the operator says so, and never a job as root.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, describe, test } from 'node:test';
import { userOf } from '../e2e/clients.mjs';
import { binary, descendants, run, startServer, temporaryFolder } from '../e2e/harness.mjs';
import { media } from '../e2e/media.mjs';

const isRoot = process.getuid() === 0;

/** Lines of /proc/PID/status that say who a process is. */
function identityOf(pid) {
  try {
    const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');
    const field = (name) => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(status)[1].split(/\s+/);
    return { uids: field('Uid').map(Number), gids: field('Gid').map(Number), capabilities: field('CapEff')[0], name: field('Name')[0] };
  } catch {
    return null; // it ended
  }
}

/**
 * What a process below `server` is for longer than the moment in which it is set up. Those that were there before the job,
 * such as a warm parent, may hold capabilities: it makes the namespaces.
 */
function watchIdentities(server) {
  const before = new Set(descendants(server.pid));
  const since = new Map(); // pid and what is wrong -> when it was first so
  const seen = new Set();
  const wrong = new Set();
  const look = () => {
    for (const pid of descendants(server.pid)) {
      const who = identityOf(pid);
      if (!who) continue;
      if (!before.has(pid)) seen.add(pid);
      const faults = [];
      if (who.uids.includes(0)) faults.push(`uid ${who.uids}`);
      if (who.gids.includes(0)) faults.push(`gid ${who.gids}`);
      if (!before.has(pid) && !/^0+$/.test(who.capabilities)) faults.push(`CapEff ${who.capabilities}`);
      for (const fault of faults) {
        const key = `${pid} ${fault}`;
        if (!since.has(key)) since.set(key, Date.now());
        if (Date.now() - since.get(key) > 200) wrong.add(`${who.name}: ${fault}`);
      }
    }
  };
  const timer = setInterval(look, 20);
  return () => {
    clearInterval(timer);
    return { seen: seen.size, wrong: [...wrong] };
  };
}

describe('started by root', { skip: isRoot ? false : 'only root can start it as root' }, () => {
  let server;
  after(() => server?.dispose());

  test('without allow_root the start is refused, with the way out', async () => {
    const dataDir = temporaryFolder();
    const end = await run(binary, ['serve', '--port', '0', '--data-dir', dataDir], { env: { PATH: process.env.PATH }, timeout: 5_000 });
    const left = fs.readdirSync(dataDir);
    fs.rmSync(dataDir, { recursive: true });
    assert.ok(end.code > 0, `it ended with ${end.code ?? end.signal}: ${end.stdout}`);
    assert.match(end.stderr, /root/);
    assert.match(end.stderr, /allow_root/);
    assert.match(end.stderr, /user/, 'what to do instead');
    assert.deepEqual(left, [], 'nothing was begun');
  });

  test('with allow_root no job is root or has a capability, and its output is served', async () => {
    server = await startServer();
    const user = userOf(server, 'ann');
    const first = await user.transcript('The harbor opens early. The boats bring fish.');
    assert.equal((await user.ended(first.body.jobId)).status, 'completed');
    const stop = watchIdentities(server);
    const { film } = await media();
    const { body } = await user.upload(film);
    const { status, error, result } = await user.ended(body.jobId);
    const { seen, wrong } = stop();
    assert.equal(status, 'completed', error);
    assert.deepEqual(wrong, []);
    assert.ok(seen > 0, 'control: the job has a process of its own');
    assert.ok(result.thumbnails.length > 0);
    for (const { url } of result.thumbnails) {
      const picture = await fetch(new URL(url, server.url));
      assert.equal(picture.status, 200, url);
      assert.ok((await picture.arrayBuffer()).byteLength > 100, url);
    }
    assert.match(server.log, /warn.*root/i, 'the log says that this is not how it should be');
  });

  test('nobody else reads the data folder', () => {
    const mode = (name) => fs.lstatSync(path.join(server.dataDir, name)).mode & 0o777;
    for (const name of ['.', 'uploads', 'files', 'scratch']) {
      assert.equal(mode(name) & 0o066, 0, `${name} has mode ${mode(name).toString(8)}: at most a way through for others`);
    }
    for (const name of fs.readdirSync(server.dataDir).filter((one) => fs.lstatSync(path.join(server.dataDir, one)).isFile())) {
      assert.equal(mode(name) & 0o077, 0, `${name} has mode ${mode(name).toString(8)}`);
    }
  });
});
