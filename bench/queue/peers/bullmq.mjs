// BullMQ on Redis, doing what store_bench does, with the same job and the same line of JSON:
//   node bullmq.mjs enqueue|bulk|noop|progress --port P [--in-flight N] [--seconds S] [--body BYTES]
//   bulk: [--size N]; noop: [--backlog N]. Empties the Redis it is pointed at.
import { parseArgs } from 'node:util';
import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string' },
    'in-flight': { type: 'string', default: '100' },
    seconds: { type: 'string', default: '3' },
    size: { type: 'string', default: '1000' },
    backlog: { type: 'string', default: '20000' },
    body: { type: 'string', default: '240' },
  },
});
const inFlight = Number(values['in-flight']);
const seconds = Number(values.seconds);
const connection = { host: '127.0.0.1', port: Number(values.port), maxRetriesPerRequest: null };
const warmup = 300; // ms
const users = 1000;

const words =
  'So what we look at today is a queue that people can watch: each job says where it stands, what is done with it ' +
  'right now and how long it will take, and nothing of that is lost when the power goes. ';
const transcript = words.repeat(Math.ceil(Number(values.body) / words.length)).slice(0, Number(values.body));
let made = 0;
const nextJob = () => ({
  userId: `user${made++ % users}`,
  configuration: { language: 'en', tone: 'dry' },
  size: transcript.length,
  transcript,
});
const nextJobs = (count) => Array.from({ length: count }, () => ({ name: 'transcript', data: nextJob() }));

const now = () => performance.now();
const quantile = (sorted, part) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0;

/** Calls `one` again and again in `lanes` lanes; what counts is what ended between the warm-up and the end. */
async function rate(lanes, each, one) {
  const from = now() + warmup;
  const end = from + seconds * 1000;
  const took = [];
  await Promise.all(
    Array.from({ length: lanes }, async (_, lane) => {
      for (let begun = now(); begun < end; begun = now()) {
        await one(lane);
        const ended = now();
        if (ended >= from && ended <= end) took.push(ended - begun);
      }
    }),
  );
  took.sort((a, b) => a - b);
  return { per_s: (took.length * each) / seconds, p50_ms: quantile(took, 0.5), p99_ms: quantile(took, 0.99) };
}

async function fill(queue, count) {
  for (let left = count; left > 0; left -= 1000) await queue.addBulk(nextJobs(Math.min(1000, left)));
}

const modes = {
  enqueue: (queue) => rate(inFlight, 1, () => queue.add('transcript', nextJob())),

  bulk: (queue) => rate(1, Number(values.size), () => queue.addBulk(nextJobs(Number(values.size)))),

  async noop(queue) {
    const backlog = Number(values.backlog);
    await fill(queue, backlog);
    const worker = new Worker('jobs', async () => ({ summary: 'Nothing was done.' }), {
      connection,
      concurrency: inFlight,
      autorun: false,
    });
    await worker.waitUntilReady();
    let completed = 0;
    const ended = new Promise((resolve) => worker.on('completed', () => ++completed === backlog && resolve()));
    const begun = now();
    worker.run();
    await ended;
    const per_s = (backlog * 1000) / (now() - begun);
    await worker.close();
    return { per_s, counted: completed };
  },

  /** As many running jobs as updates in flight. Nobody listens to the events that this writes. */
  async progress(queue) {
    await fill(queue, inFlight);
    const running = [];
    let end;
    const ends = new Promise((resolve) => (end = resolve));
    const worker = new Worker('jobs', async (job) => (running.push(job), ends), { connection, concurrency: inFlight });
    while (running.length < inFlight) await new Promise((resolve) => setTimeout(resolve, 10));
    let i = 0;
    const report = await rate(inFlight, 1, (lane) =>
      running[lane].updateProgress({ percent: 40, stage: 'Summarizing transcript', message: `Read ${i++} sentences` }),
    );
    end();
    await worker.close();
    return report;
  },
};

const mode = modes[positionals[0]];
if (!mode || !values.port) {
  console.error(`bullmq: name --port and one of ${Object.keys(modes).join(', ')}`);
  process.exit(2);
}
const redis = new Redis(connection);
await redis.flushall();
const queue = new Queue('jobs', { connection });
await queue.waitUntilReady();
const report = await mode(queue);
console.log(JSON.stringify({ what: positionals[0], in_flight: inFlight, ...report }));
await queue.close();
await redis.flushall();
await redis.quit();
