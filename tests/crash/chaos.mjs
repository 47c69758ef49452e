// What goes wrong: kills, a disk that fails, a disk that is full.
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { boxes, waitFor, zygote } from '../e2e/harness.mjs';

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** A small file system of its own, so that it can really be full; null where this user may not make one. */
export function smallDisk(folder, megabytes) {
  const options = ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0700`, 'tmpfs', folder];
  if (spawnSync('mount', options, { stdio: 'ignore' }).status !== 0) return null;
  return {
    fill() {
      const file = path.join(folder, 'filler');
      const piece = Buffer.alloc(1 << 16);
      const filler = fs.openSync(file, 'w');
      try {
        for (;;) fs.writeSync(filler, piece);
      } catch (error) {
        if (error.code !== 'ENOSPC') throw error;
      } finally {
        fs.closeSync(filler);
      }
    },
    clear: () => fs.rmSync(path.join(folder, 'filler'), { force: true }),
    remove: () => spawnSync('umount', ['-l', folder], { stdio: 'ignore' }),
  };
}

export class Chaos {
  constructor(server, faults, disk, dice) {
    Object.assign(this, { server, faults, disk, dice, going: true });
    this.counts = { servers: 0, boxes: 0, zygotes: 0, stops: 0, faults: 0, full: 0, refused: 0 };
    this.heal();
  }

  heal() {
    fs.writeFileSync(this.faults, 'heal');
    this.disk?.clear();
  }

  async rage() {
    while (this.going) {
      await sleep(this.dice.between(10, 220));
      const weights = { kill: 20, box: 15, zygote: 5, stop: 0.5, fault: 2.5, full: this.disk ? 1 : 0 };
      await this[this.dice.weighted(weights)]();
    }
    this.heal();
  }

  async kill(signal = 'SIGKILL') {
    this.counts[signal === 'SIGKILL' ? 'servers' : 'stops'] += 1;
    await (signal === 'SIGKILL' ? this.server.kill() : this.server.stop(signal));
    if (this.dice.next() < 0.2) await sleep(this.dice.between(1, 150));
    await this.start();
  }

  /** On a disk that fails the server may rightly refuse to start; on a good one it must. */
  async start() {
    try {
      await this.server.start(this.server.port);
    } catch {
      this.counts.refused += 1;
      this.heal();
      await this.server.start(this.server.port);
    }
  }

  stop() {
    return this.kill('SIGTERM');
  }

  /** Kills a process of a job, of the next one where none runs: the first of its box, or one below it. */
  async box() {
    const pid = await waitFor(() => this.dice.one(boxes(this.server)), 'a box', 1_500).catch(() => undefined);
    this.killOne('boxes', pid);
  }

  zygote() {
    this.killOne('zygotes', zygote(this.server));
  }

  killOne(what, pid) {
    if (pid === undefined) return;
    try {
      process.kill(pid, 'SIGKILL');
      this.counts[what] += 1;
    } catch {
      // It ended by itself.
    }
  }

  async fault() {
    this.counts.faults += 1;
    const error = this.dice.one(['io', 'full', 'read_only']);
    const lose = this.dice.one(['lose', '']);
    const all = this.dice.next() < 0.3;
    const line = all ? `all ${error}` : `random ${this.dice.one([0.01, 0.05, 0.3])} ${error} ${this.dice.between(1, 1e9)} ${lose}`;
    fs.writeFileSync(this.faults, line);
    await sleep(this.dice.between(50, 900));
    if (this.dice.next() < 0.4) await this.kill();
    this.heal();
  }

  async full() {
    this.counts.full += 1;
    this.disk.fill();
    await sleep(this.dice.between(50, 1_500));
    if (this.dice.next() < 0.4) await this.kill();
    this.heal();
  }
}
