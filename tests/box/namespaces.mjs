// The lab's own network, mounts and processes: a test file that calls `enterLab` runs again inside them.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { temporaryFolder } from '../e2e/harness.mjs';

export const publicAddress = '93.184.216.34';
/** What an operator's network may hold, as attackers can name it. All of it is on this lab's loopback device. */
export const internalAddresses = [
  '10.0.0.5', '172.16.0.5', '192.168.0.5', '100.64.0.5', '169.254.169.254',
  'fd00::5', '64:ff9b::7f00:1', '2002:7f00:1::1', 'fe80::5',
];
/** The uid of servers in the lab. */
export const ordinaryUser = 4000;

const isolate = ['--net', '--mount', '--pid', '--mount-proc', '--fork', '--kill-child'];
const inside = process.env.BOX_LAB; // how the lab was made: 'root', 'user', or nothing outside

/** The options of `unshare` that work here; root of a container may need the user namespace as well. */
function howToEnter() {
  const works = (options) => spawnSync('unshare', [...options, ...isolate, 'true']).status === 0;
  if (process.getuid() === 0 && works([])) return { kind: 'root', options: [] };
  if (works(['--map-root-user'])) return { kind: 'user', options: ['--map-root-user'] };
  return null;
}

/**
 * Returns inside the lab. Outside it runs `file` (import.meta.url) in there and ends with its exit code. Everything in the lab
 * ends with it: it is the first process of its pid namespace.
 */
export async function enterLab(file) {
  if (inside) return setUp();
  const how = howToEnter();
  if (!how) {
    const reason = 'this host lets nobody make network, mount and pid namespaces (unshare --map-root-user --net --mount --pid)';
    // In CI a lab that is missing must not look like one that passed.
    const options = JSON.stringify({ skip: process.env.CI ? false : reason });
    const instead = `require('node:test').test('the lab', ${options}, () => { throw new Error(${JSON.stringify(reason)}); })`;
    process.exit(spawnSync(process.execPath, [...process.execArgv, '-e', instead], { stdio: 'inherit' }).status ?? 1);
  }
  const node = [process.execPath, ...process.execArgv, fileURLToPath(file)];
  // The pipe as standard input tells the lab that this process is gone, however it ended.
  const child = spawn('unshare', [...how.options, ...isolate, ...node], {
    env: { ...process.env, BOX_LAB: how.kind },
    stdio: ['pipe', 'inherit', 'inherit'],
  });
  const code = await new Promise((resolve) => {
    child.on('error', () => resolve(1));
    child.on('close', (status) => resolve(status ?? 1));
  });
  process.exit(code);
}

function setUp() {
  process.stdin.on('end', () => process.exit(1)).resume().unref();
  const folder = temporaryFolder('rushes-lab-');
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  const files = {
    'resolv.conf': 'nameserver 127.0.0.1\noptions timeout:2 attempts:1\n',
    'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
    hosts: '127.0.0.1 localhost\n::1 localhost ip6-localhost\n',
  };
  fs.chmodSync(folder, 0o755);
  for (const [name, text] of Object.entries(files)) {
    fs.writeFileSync(path.join(folder, name), text);
    execFileSync('mount', ['--bind', path.join(folder, name), `/etc/${name}`]);
  }
  execFileSync('ip', ['link', 'set', 'lo', 'up']);
  for (const address of [publicAddress, ...internalAddresses]) {
    const isSix = address.includes(':');
    execFileSync('ip', ['address', 'add', `${address}/${isSix ? 128 : 32}`, 'dev', 'lo', ...(isSix ? ['nodad'] : [])]);
  }
  return { folder, kind: inside };
}

/** A folder in the lab that belongs to the ordinary user. */
export function ownFolder(name) {
  const folder = temporaryFolder(name);
  if (inside === 'root') fs.chownSync(folder, ordinaryUser, ordinaryUser);
  process.on('exit', () => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const becomeOrdinary =
  inside === 'root'
    ? ['setpriv', `--reuid=${ordinaryUser}`, `--regid=${ordinaryUser}`, '--clear-groups', '--inh-caps=-all', '--']
    : [];

/** For `startServer`: an ordinary user without capabilities, who may make namespaces. */
export const asOrdinaryUser =
  inside === 'root' ? becomeOrdinary : ['unshare', `--map-user=${ordinaryUser}`, `--map-group=${ordinaryUser}`, '--'];

/** For `startServer`: the same on a host that has run out of `what`, such as `net_namespaces`. */
export const withoutAny = (what) => [
  ...becomeOrdinary,
  'unshare', `--map-user=${ordinaryUser}`, `--map-group=${ordinaryUser}`, '--keep-caps', '--',
  'sh', '-ec', `echo 0 > /proc/sys/user/max_${what}; exec setpriv --inh-caps=-all --ambient-caps=-all -- "$0" "$@"`,
];
