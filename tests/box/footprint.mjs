// What a server and all its descendants have in memory, and how soon it answers, sampled while something happens.
import fs from 'node:fs';
import { descendants } from '../e2e/harness.mjs';
import { rest } from '../e2e/clients.mjs';

/** What can be read of the process `pid`: Pss, which asks for the right to trace it, or else Rss. */
export function measureOf(pid) {
  try {
    fs.readFileSync(`/proc/${pid}/smaps_rollup`);
    return 'Pss';
  } catch {
    return 'Rss';
  }
}

/** Resident MiB of one process; 0 when it has ended. */
export function memoryOf(pid, measure) {
  try {
    const file = measure === 'Pss' ? 'smaps_rollup' : 'status';
    return Number(/^(?:Pss|VmRSS):\s+(\d+) kB/m.exec(fs.readFileSync(`/proc/${pid}/${file}`, 'utf8'))[1]) / 1024;
  } catch {
    return 0;
  }
}

/** The largest of what `server` has started. */
export const largestChild = (server, measure) => Math.max(0, ...descendants(server.pid).map((pid) => memoryOf(pid, measure)));

/**
 * Runs `work` while it samples five times a second: `{result, server, largest, jobs, slowest}`, the peaks in MiB of the server itself, of
 * its largest descendant and of all descendants, and the longest wait for /health in ms.
 */
export async function watch(server, measure, work) {
  const peak = { server: 0, largest: 0, jobs: 0, slowest: 0 };
  let running = true;
  const higher = (name, value) => { peak[name] = Math.max(peak[name], value); };
  const memory = setInterval(() => {
    const jobs = descendants(server.pid).map((pid) => memoryOf(pid, measure));
    higher('server', memoryOf(server.pid, measure));
    higher('largest', Math.max(0, ...jobs));
    higher('jobs', jobs.reduce((sum, one) => sum + one, 0));
  }, 200);
  const health = (async () => {
    while (running) {
      const asked = performance.now();
      const { status } = await rest(server, 'GET', '/health');
      if (status !== 200) throw new Error(`/health: ${status}`);
      higher('slowest', performance.now() - asked);
      await new Promise((resolve) => { setTimeout(resolve, 100); });
    }
  })();
  try {
    const result = await Promise.race([work(), health]);
    return { result, ...peak };
  } finally {
    running = false;
    clearInterval(memory);
    await health.catch(() => {});
  }
}
