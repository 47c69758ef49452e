// Sockets that come and go for a long time: nobody misses an event, nobody gets one twice, and the server does not grow.
//   SOAK_SOCKETS, SOAK_USERS, SOAK_SECONDS, SOAK_RATE (jobs a second): a longer or larger run by hand.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { after, test } from 'node:test';
import { io } from 'socket.io-client';

const count = Number(process.env.SOAK_SOCKETS ?? 600);
const users = Number(process.env.SOAK_USERS ?? Math.ceil(count * 0.8));
const seconds = Number(process.env.SOAK_SECONDS ?? 110);
const rate = Number(process.env.SOAK_RATE ?? 40);

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rushes-soak-'));
const secret = randomBytes(32).toString('hex');
const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const random = (n) => Math.floor(Math.random() * n);
const note = (text) => process.stdout.write(`# ${text}\n`);

let child;
async function start(port = 0) {
  child = spawn(process.env.RUSHES_SOAK_SERVER, ['--data', folder, '--secret', secret, '--port', String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return Number(line.split(' ')[1]);
}
async function end(signal) {
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}
const clients = [];
after(async () => {
  for (const { socket } of clients) socket.disconnect();
  if (child.exitCode === null && child.signalCode === null) await end('SIGKILL');
  fs.rmSync(folder, { recursive: true, force: true });
});

const base64url = (text) => Buffer.from(text).toString('base64url');
function token(user) {
  const claims = { sub: user, exp: Math.floor(Date.now() / 1000) + 86_400 };
  const text = `${base64url('{"alg":"HS256","typ":"JWT"}')}.${base64url(JSON.stringify(claims))}`;
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
}
const residentKiB = () => Number(/VmRSS:\s+(\d+)/.exec(fs.readFileSync(`/proc/${child.pid}/status`, 'utf8'))[1]);

/** One client: what it has seen, and what was wrong with that. */
class Client {
  constructor(url, index) {
    this.user = `u${index % users}`;
    this.last = 0; // the newest sequence number
    this.open = new Set(); // jobs begun and not ended
    this.faults = [];
    this.skipped = 0;
    this.connects = 0;
    this.socket = io(`${url}/queue`, {
      forceNew: true,
      reconnectionDelay: 100,
      reconnectionDelayMax: 1000,
      timeout: 20_000,
      auth: { token: token(this.user) },
      ...(index % 4 === 0 ? {} : { transports: ['websocket'] }),
    });
    // The client hands a packet on one tick after it decoded it. Where its connection closed in between it keeps the
    // event, without moving its offset, and gives it to its listeners before the next session, which brings it again.
    this.socket.io.on('open', () => {
      this.socket.receiveBuffer = [];
    });
    this.socket.on('connect', () => {
      this.connects += 1;
      if (this.connects > 1 && !this.socket.recovered) this.faults.push(`connection ${this.connects} was not recovered`);
    });
    this.socket.on('connect_error', (error) => error.data && this.faults.push(error.message));
    this.socket.on('queue-update', (update) => this.take(update));
  }

  take({ jobId, eventType, metadata: { seq } }) {
    if (seq <= this.last) this.faults.push(`event ${seq} after ${this.last}`);
    // Only progress may be left out, of a job that goes on; what was left out is made up for by the milestones below.
    if (seq > this.last + 1 && this.last > 0) this.skipped += seq - this.last - 1;
    this.last = seq;
    if (eventType === 'job-queued') this.open.add(jobId);
    else if (!this.open.has(jobId)) this.faults.push(`${eventType} of a job that was not queued or has ended`);
    if (eventType === 'job-completed') this.open.delete(jobId);
  }

  cut() {
    this.socket.io.engine?.close();
  }
  /** As a network that swallows everything: what is sent to it is not read, its pongs do not come. */
  async deafen(milliseconds) {
    const wire = this.socket.io.engine?.transport?.ws?._socket;
    if (!wire) return;
    wire.pause();
    await pause(milliseconds);
    wire.resume();
  }
}

test(`${count} sockets of ${users} users for ${seconds} s`, { timeout: (seconds + 240) * 1000 }, async () => {
  const port = await start();
  const url = `http://127.0.0.1:${port}`;
  const call = (route) => fetch(url + route, { headers: { connection: 'close' } });
  for (let i = 0; i < count; ++i) {
    clients.push(new Client(url, i));
    if (i % 50 === 49) await pause(50);
  }
  const connected = () => clients.filter(({ socket }) => socket.connected).length;
  const settled = async (what, limit = 60_000) => {
    const deadline = Date.now() + limit;
    while (connected() < count) {
      assert.ok(Date.now() < deadline, `${what}: ${connected()} of ${count} are connected`);
      await pause(50);
    }
  };
  await settled('at the start');
  await call(`/drive?users=${users}&rate=${rate}`);

  let making = true;
  let cuts = 0;
  const trouble = async () => {
    while (making) {
      const client = clients[random(count)];
      cuts += 1;
      const kind = random(10);
      if (kind < 7) client.cut();
      else await client.deafen(kind < 9 ? 500 : 12_000); // the longer one ends in a ping timeout
      await pause(random((20 * 1000 * hands) / count));
    }
  };
  const hands = Math.max(5, Math.round(count / 120)); // as many at a time as make trouble
  const troubles = Array.from({ length: hands }, trouble);

  await pause(seconds * 300);
  note(`kill, with ${connected()} connected`);
  await end('SIGKILL');
  await pause(500);
  await start(port);
  await call(`/drive?users=${users}&rate=${rate}`);
  await pause(seconds * 350); // until what is kept for reuse is as much as there will be
  const warm = residentKiB();
  await pause(seconds * 350);
  making = false;
  await Promise.all(troubles);
  await settled('at the end');
  await call('/rest');
  const final = await (await call(`/last?users=${users}`)).json();

  const deadline = Date.now() + 60_000;
  const behind = () => clients.filter(({ user, last }) => last !== final[user.slice(1)]);
  while (behind().length > 0 && Date.now() < deadline) await pause(50);
  assert.deepEqual(behind().map(({ user, last }) => `${user} has ${last} of ${final[user.slice(1)]}`), []);
  const faults = clients.flatMap(({ user, faults: found }) => found.map((fault) => `${user}: ${fault}`));
  assert.deepEqual(faults.slice(0, 20), []);
  const stuck = clients.filter(({ open }) => open.size > 0).length;
  assert.equal(stuck, 0, 'every job that was begun has ended for every client');
  const events = final.reduce((sum, seq) => sum + seq, 0);
  const skipped = clients.reduce((sum, client) => sum + client.skipped, 0);
  const resident = residentKiB();
  note(`${events} events, ${cuts} cuts, ${skipped} progress left out; resident ${warm} KiB warm, ${resident} KiB at the end`);
  assert.ok(cuts > seconds, 'something happened');
  assert.ok(resident < warm * 1.05 + 4096, `the server grew from ${warm} to ${resident} KiB`);
  for (const { socket } of clients) socket.disconnect();
  await end('SIGTERM');
  assert.equal(child.exitCode, 0);
});
