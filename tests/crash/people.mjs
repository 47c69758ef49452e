// Users that keep a server busy whatever happens to it, and remember what it promised them.
import { io, userOf } from '../e2e/clients.mjs';

const talk = 'A queue keeps what it was given. It loses nothing, and does nothing twice. Then it tells everybody. ';
const longestAnswer = 20_000;
const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Node 20's fetch can wait for ever where a server died before a queued request was sent: its client does not connect again. */
async function giveUpInTime(asking) {
  let timer;
  const tooLong = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error('terminated: no answer in time')), longestAnswer);
  });
  await Promise.race([asking, tooLong]).finally(() => clearTimeout(timer));
}

/** What the server said, of all users together; see check.py. */
export class Told {
  accepted = new Set();
  restarted = new Map();
  cancelled = new Set();
  deleted = new Set();
  milestones = [];
  wrong = [];
  answers = new Map(); // how often which

  count(what) {
    this.answers.set(what, (this.answers.get(what) ?? 0) + 1);
  }

  toJSON() {
    const { accepted, restarted, cancelled, deleted, milestones } = this;
    return {
      accepted: [...accepted],
      restarted: Object.fromEntries(restarted),
      cancelled: [...cancelled],
      deleted: [...deleted],
      milestones,
    };
  }
}

export class Person {
  constructor(server, name, told, dice) {
    Object.assign(this, { name, told, dice, jobs: [], audits: new Set(), keys: new Map(), lengths: new Map(), going: true, sockets: [] });
    this.user = userOf(server, name);
    for (const transports of [['websocket'], ['polling', 'websocket']]) this.listen(server, transports);
  }

  listen(server, transports) {
    const socket = io(`${server.url}/queue`, {
      auth: { token: this.user.token },
      forceNew: true,
      transports,
      reconnectionDelay: 30,
      reconnectionDelayMax: 100,
      timeout: 2_000,
    });
    this.sockets.push(socket);
    const seen = new Set();
    let last = 0;
    socket.on('queue-update', (update) => {
      const { seq, auditId } = update.metadata;
      if (auditId) this.audits.add(auditId);
      if (seen.has(seq)) this.told.wrong.push(`${this.name}: ${update.eventType} of ${update.jobId} came twice as ${seq}`);
      if (seq < last) this.told.wrong.push(`${this.name}: ${seq} came after ${last}`);
      seen.add(seq);
      last = seq;
      if (update.eventType !== 'job-progress') {
        this.told.milestones.push([this.name, update.jobId, update.eventType, seq]);
      }
    });
    socket.on('connect', () => this.told.count(socket.recovered ? 'socket recovered' : 'socket connected'));
  }

  async live() {
    while (this.going) {
      const does = this.dice.weighted({ submit: 8, again: 1, bulk: 1, upload: 1, cancel: 3, retry: 2, restart: 2, remove: 1 });
      try {
        await giveUpInTime(this[does]());
      } catch (error) {
        if (!/fetch failed|terminated|other side closed/.test(error.message)) throw error;
        this.told.count(/in time/.test(error.message) ? 'no answer in time' : 'no answer');
      }
      await sleep(this.dice.between(0, 60));
    }
  }

  /** Counts the answer; what is neither done nor an honest refusal is wrong. */
  note(what, answer, ...fine) {
    this.told.count(`${what} ${answer.status}${answer.body?.code ? ` ${answer.body.code}` : ''}`);
    if (![...fine, 409, 429, 503].includes(answer.status)) {
      this.told.wrong.push(`${what} was answered ${answer.status}: ${JSON.stringify(answer.body)}`);
    }
    if (answer.status === 503 && !answer.headers.get('retry-after')) this.told.wrong.push(`${what}: 503 without Retry-After`);
    return answer;
  }

  accept(job, answer) {
    if (typeof job !== 'string') {
      const headers = JSON.stringify([...answer.headers]);
      this.told.wrong.push(`${answer.status} names no job: ${headers} ${JSON.stringify(answer.body)}`);
      return;
    }
    this.told.accepted.add(job);
    this.jobs.push(job);
    if (this.jobs.length > 50) this.jobs.shift();
  }

  async submit(key = this.dice.next() < 0.5 ? `${this.name}-${this.dice.next()}` : undefined) {
    const headers = key ? { 'Idempotency-Key': key } : {};
    const before = key && this.keys.get(key);
    if (key && before === undefined) this.keys.set(key, null);
    // The same request with the same key, whatever became of the first.
    const length = this.lengths.get(key) ?? (this.dice.next() < 0.3 ? this.dice.between(200, 1_500) : this.dice.between(1, 20));
    if (key) this.lengths.set(key, length);
    const answer = this.note('submit', await this.user.transcript(talk.repeat(length), {}, headers), 201);
    if (answer.status !== 201) return;
    const { jobId } = answer.body;
    if (before && before !== jobId) this.told.wrong.push(`the key ${key} made two jobs, ${before} and ${jobId}`);
    if (key) this.keys.set(key, jobId);
    this.accept(jobId, answer);
  }

  /** A key that was used before, whatever became of it. */
  async again() {
    if (this.keys.size > 0) await this.submit(this.dice.one([...this.keys.keys()]));
  }

  async bulk() {
    const items = Array.from({ length: this.dice.between(2, 5) }, () => ({ transcript: talk }));
    const answer = await this.user.post('/analyze/bulk', items);
    if (answer.status === 404 || answer.status === 405) return this.told.count('no route for bulk');
    this.note('bulk', answer, 201);
    if (answer.status === 201) for (const { jobId } of answer.body.jobs) this.accept(jobId, answer);
  }

  /** No video: the job fails, its file stays. */
  async upload() {
    const bytes = Buffer.alloc(this.dice.between(1, 20_000), 'not a video ');
    const answer = this.note('upload', await this.user.upload(bytes, { fileName: 'talk.mp4' }), 201);
    if (answer.status === 201) this.accept(answer.body.jobId, answer);
  }

  async cancel() {
    const job = this.dice.one(this.jobs);
    if (!job) return;
    const answer = this.note('cancel', await this.user.post(`/analyze/job/${job}/cancel`), 200);
    if (answer.status === 200) this.told.cancelled.add(job);
  }

  async retry() {
    const job = this.dice.one(this.jobs);
    if (!job) return;
    const answer = this.note('retry', await this.user.post(`/analyze/job/${job}/retry`), 200, 201);
    if (answer.status < 300) this.accept(answer.body.newJobId, answer);
  }

  async restart() {
    const job = this.dice.one(this.jobs);
    if (!job) return;
    const answer = this.note('restart', await this.user.post(`/analyze/job/${job}/restart`), 200, 201);
    if (answer.status < 300) this.told.restarted.set(job, (this.told.restarted.get(job) ?? 0) + 1);
  }

  async remove() {
    const audit = this.dice.one([...this.audits]);
    if (!audit || this.dice.next() < 0.5) return;
    this.audits.delete(audit);
    this.told.deleted.add(audit);
    this.note('delete', await this.user.delete(`/analyze/delete/${audit}`), 200, 404);
  }

  unfinished() {
    return this.user.jobs().then((jobs) => jobs.filter((job) => ['pending', 'processing'].includes(job.status)));
  }

  leave() {
    for (const socket of this.sockets) socket.disconnect();
  }
}
