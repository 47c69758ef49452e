// BullMQ's side of the queue's benchmark:
//   node bullmq.mjs MODE PORT [--in-flight N] [--seconds S] [--size N] [--jobs N]
// The modes are those of store_bench. The Redis server on PORT is emptied: give it one of its own.
import { Queue, Worker, QueueEvents } from 'bullmq';
import Redis from 'ioredis';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    'in-flight': { type: 'string', default: '100' },
    seconds: { type: 'string', default: '3' },
    size: { type: 'string', default: '1000' },
    jobs: { type: 'string', default: '20000' },
  },
});
const [mode, port] = positionals;
const inFlight = Number(values['in-flight']);
const milliseconds = Number(values.seconds) * 1000;
const connection = { host: '127.0.0.1', port: Number(port), maxRetriesPerRequest: null };

const data = () => ({ configuration: { language: 'en', tone: 'dry' }, size: 960, transcript: 'x'.repeat(960) });
const say = (what, value, unit) => console.log(JSON.stringify({ what, value, unit }));

/** Runs `step` in so many lanes until the time is over; gives steps a second. */
async function rate(step, lanes, length) {
  const start = performance.now();
  let steps = 0;
  await Promise.all(Array.from({ length: lanes }, async () => {
    while (performance.now() - start < length) {
      await step();
      steps += 1;
    }
  }));
  return (steps / (performance.now() - start)) * 1000;
}

const modes = {
  async enqueue(queue) {
    const add = () => queue.add('transcript', data());
    await rate(add, inFlight, 500); // Node's compiler warms up
    say('enqueue', await rate(add, inFlight, milliseconds), 'jobs/s');
  },
  async bulk(queue) {
    const size = Number(values.size);
    const add = () => queue.addBulk(Array.from({ length: size }, () => ({ name: 'transcript', data: data() })));
    await add();
    say('bulk', size * (await rate(add, 1, milliseconds)), 'jobs/s');
  },
  async noop(queue) {
    const jobs = Number(values.jobs);
    for (let added = 0; added < jobs; added += 1000) {
      await queue.addBulk(Array.from({ length: 1000 }, () => ({ name: 'transcript', data: data() })));
    }
    const worker = new Worker(queue.name, async () => ({ ok: true }), { connection, concurrency: inFlight, autorun: false });
    await worker.waitUntilReady();
    let done = 0;
    const all = new Promise((resolve) => worker.on('completed', () => { if (++done === jobs) resolve(); }));
    const start = performance.now();
    worker.run();
    await all;
    say('noop', (jobs / (performance.now() - start)) * 1000, 'jobs/s');
    await worker.close();
  },
  // Each job is added by one client and worked on by the same process: all of its way, all at once.
  async whole(queue) {
    const jobs = Number(values.jobs);
    const worker = new Worker(queue.name, async () => ({ ok: true }), { connection, concurrency: inFlight, autorun: false });
    await worker.waitUntilReady();
    let done = 0;
    const all = new Promise((resolve) => worker.on('completed', () => { if (++done === jobs) resolve(); }));
    const start = performance.now();
    worker.run();
    let added = 0;
    await Promise.all(Array.from({ length: inFlight }, async () => {
      while (added < jobs) {
        added += 1;
        await queue.add('transcript', data());
      }
    }));
    await all;
    say('whole', (jobs / (performance.now() - start)) * 1000, 'jobs/s');
    await worker.close();
  },
  async progress(queue) {
    const events = new QueueEvents(queue.name, { connection });
    await events.waitUntilReady();
    let heard = 0;
    events.on('progress', () => { heard += 1; });
    let running = 0;
    let begin;
    const begun = new Promise((resolve) => { begin = resolve; });
    let told = 0;
    const start = { at: 0 };
    const worker = new Worker(queue.name, async (job) => {
      if (++running === inFlight) { start.at = performance.now(); begin(); }
      await begun;
      for (let step = 0; performance.now() - start.at < milliseconds; step += 1) {
        await job.updateProgress({ percent: 10 + (step % 80), stage: 'Transcribing audio', message: `Transcribing audio: ${step}` });
        told += 1;
      }
    }, { connection, concurrency: inFlight });
    await queue.addBulk(Array.from({ length: inFlight }, () => ({ name: 'transcript', data: data() })));
    await begun;
    await new Promise((resolve) => { setTimeout(resolve, milliseconds + 50); });
    const seconds = (performance.now() - start.at) / 1000;
    say('progress', told / seconds, 'reports/s');
    say('progress heard', heard / seconds, 'reports/s');
    await worker.close();
    await events.close();
  },
};

const redis = new Redis(connection);
await redis.flushall();
const queue = new Queue('bench', { connection });
await modes[mode](queue);
await redis.flushall();
await queue.close();
await redis.quit();
