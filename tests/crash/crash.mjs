// Many clients at a real server with real boxes, which are killed hundreds of times, on a disk that fails and fills up.
//   node crash.mjs [--seconds 150] [--seed N] [--keep]
// Afterwards check.py holds what the clients were told against what is there. Exit code 1 where something is wrong.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { fileURLToPath } from 'node:url';
import { Server, temporaryFolder, waitFor } from '../e2e/harness.mjs';
import { Chaos, smallDisk } from './chaos.mjs';
import { Person, Told } from './people.mjs';
import { Dice } from './random.mjs';

const { values: options } = parseArgs({
  options: {
    seconds: { type: 'string', default: process.env.CRASH_SECONDS ?? '150' },
    seed: { type: 'string', default: process.env.CRASH_SEED ?? String(Date.now() % 1_000_000) },
    users: { type: 'string', default: '5' },
    keep: { type: 'boolean', default: false },
  },
});
const seed = Number(options.seed);
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const here = path.dirname(fileURLToPath(import.meta.url));
const folder = temporaryFolder('rushes-crash-');
const dataDir = path.join(folder, 'data');
fs.mkdirSync(dataDir);
const disk = smallDisk(dataDir, 2_048);
process.on('exit', () => {
  if (options.keep) return;
  disk?.remove();
  fs.rmSync(folder, { recursive: true, force: true });
});
console.log(`crash: seed ${seed}, ${options.seconds} s, data in ${disk ? 'a small file system of its own' : dataDir}`);

const faults = path.join(folder, 'faults');
const env = {
  FAULTS: faults,
  RUSHES_MAX_QUEUED_PER_USER: '40',
  RUSHES_MAX_CONNECTIONS_PER_ADDRESS: '0',
  RUSHES_LEASE: '3',
  RUSHES_LOG_LEVEL: 'warning',
};
fs.writeFileSync(faults, 'heal');
const server = await new Server({ env, args: [], dataDir, secret: 'a secret of the crash test, 32 bytes' }).start();
const told = new Told();
const people = Array.from(
  { length: Number(options.users) },
  (_, i) => new Person(server, `user${i}`, told, new Dice(seed + i + 1)),
);
const chaos = new Chaos(server, faults, disk, new Dice(seed));
const raging = chaos.rage();
const living = Promise.all(people.map((person) => person.live()));
await Promise.race([sleep(Number(options.seconds) * 1000), raging, living]);
chaos.going = false;
await raging;
for (const person of people) person.going = false;
await living;

// Left alone, it comes to the end of everything.
await chaos.kill();
const unfinished = async () => (await Promise.all(people.map((person) => person.unfinished()))).flat();
let left = [];
await waitFor(
  async () => (left = await unfinished()).length === 0,
  () => `the end of all jobs; seed ${seed}; left are ${JSON.stringify(left, null, 2)}`,
  60_000,
);
await waitFor(
  () => fs.readdirSync(path.join(dataDir, 'scratch')).length === 0,
  'empty scratch folders',
);
await sleep(1_000); // sockets get what is on its way; the housekeeping at the start ends
for (const person of people) person.leave();
await server.stop();

const notes = path.join(folder, 'told.json');
fs.writeFileSync(notes, JSON.stringify(told));
const checked = spawnSync(process.env.CRASH_PYTHON ?? 'python3', [path.join(here, 'check.py'), dataDir, notes], {
  encoding: 'utf8',
  maxBuffer: 1 << 26,
});
const answers = [...told.answers].sort().map(([what, times]) => `  ${times} × ${what}`);
console.log(answers.join('\n'));
const { counts } = chaos;
console.log(
  `crash: killed the server ${counts.servers} times, boxes ${counts.boxes} times and zygotes ${counts.zygotes} times, ` +
    `stopped the server ${counts.stops} times; ` +
    `${counts.faults} times of a failing disk, ${counts.full} of a full one; ${counts.refused} starts refused`,
);
console.log(`crash: ${told.milestones.length} milestones told to sockets; ${told.wrong.length} wrong`);
console.log(told.wrong.slice(0, 40).join('\n'));
console.log(checked.stdout + checked.stderr);
const good = told.wrong.length === 0 && checked.status === 0;
if (!good) {
  console.log(`crash: FAILED with seed ${seed}; the server's last words:\n${server.logTail(30)}`);
  if (options.keep) console.log(`crash: all of it is in ${folder}`);
}
server.log = '';
process.exit(good ? 0 : 1);
