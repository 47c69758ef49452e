// A stand-in for the server while working on the page: `npm run build && npm run mock`, or behind
// `npm run dev`. It keeps all in memory, trusts every token and makes its results up. Not a test of anything.
//
// A video address with `fail` in it fails, with `bad` is refused. Sending the address `announce:Text` announces.
// Environment: PORT (3000), TOKEN_SECONDS (3600), STEP_MS (900), DEV=0 (no /dev/token).

import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';
import { Server } from 'socket.io';

const port = Number(process.env.PORT ?? 3000);
const tokenSeconds = Number(process.env.TOKEN_SECONDS ?? 3600);
const stepMs = Number(process.env.STEP_MS ?? 900);
const dist = new URL('../dist', import.meta.url).pathname;
const policy = "default-src 'self'; img-src 'self' blob:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";
const types = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

const stages = {
  youtube: [[20, 'Fetching video data'], [40, 'Generating AI analysis'], [80, 'Generating thumbnails'], [90, 'Saving results']],
  upload: [
    [30, 'Preparing upload'],
    ...[0, 1, 2, 3].map((n) => [50 + 2 * n, 'Transcribing audio', `Transcribing audio: 0:${10 + 12 * n} of 0:58`]),
    [60, 'Generating AI content'],
    [90, 'Saving results'],
  ],
  transcript: [[40, 'Summarizing transcript'], [70, 'Generating AI analysis'], [90, 'Saving results']],
};

const jobs = new Map();
const analyses = new Map();
const notifications = [];
let seq = 0;
let ids = 0;
const newId = (kind) => `${kind}-${Date.now().toString(36)}-${++ids}`;
const now = () => new Date().toISOString();
const sentences = [
  'This bridge was built in 1932, and it still carries the morning trains.',
  'The steel came down the river on barges, forty tons at a time.',
  'Nobody had tried a span like this before.',
  'What held it up was a new kind of rivet, heated on the deck and thrown to the catcher.',
  'Ninety years on, the same rivets are being replaced one by one.',
];

function makeResult(job) {
  const segments = Array.from({ length: 24 }, (_, n) => ({ start: n * 8, end: n * 8 + 7.5, text: sentences[n % 5] }));
  const key = job.jobId;
  return {
    video: { id: key, title: job.title, description: '', tags: ['bridge'], thumbnail: '', publishedAt: '', duration: '3:10', views: 0, likes: 0, comments: 0 },
    analysis: {
      titleRewrite: {
        titles: ['The bridge that should not stand', 'How forty tons of steel floated here', 'Rivets: thrown, caught, hammered',
          'Ninety years of morning trains', 'A span nobody had tried before', 'Why this bridge loses its rivets', 'Inside the repair of a 1932 bridge'],
      },
      descriptionRewrite: {
        description: `${sentences.slice(0, 3).join(' ')}\n\nIn this film we follow the crew that keeps it standing.`,
        hashtags: ['#bridge', '#engineering', '#steel', '#history'],
        keyPoints: ['Built in 1932 from steel brought by river', 'Hot rivets were thrown to a catcher on the deck', 'The rivets are being replaced one by one today'],
      },
      keywordExtraction: { primaryKeywords: ['bridge', 'steel', 'rivets'], longTailKeywords: ['how bridges were riveted', 'replacing old bridge rivets'], trendingKeywords: [], competitorKeywords: [] },
      chapters: {
        chapters: [
          { timestamp: '0:00', title: 'The morning trains', description: 'What the bridge carries today.' },
          { timestamp: '0:48', title: 'Steel by river', description: 'How the parts arrived.' },
          { timestamp: '1:52', title: 'Throwing rivets', description: 'The work on the deck.' },
        ],
        totalDuration: '3:10',
      },
    },
    summary: sentences.join(' '),
    transcript: { language: 'en', text: segments.map((one) => one.text).join(' '), segments, vttUrl: `/files/${key}/captions.vtt`, srtUrl: `/files/${key}/captions.srt` },
    thumbnails: job.type === 'transcript' ? undefined : Array.from({ length: 6 }, (_, n) => ({ url: `/files/${key}/${n}.svg`, time: 12 + n * 31, width: 1280, height: 720 })),
    engine: { transcription: 'pocketsphinx en-us', analysis: 'built-in' },
  };
}

function frame(n) {
  const hue = 185 + n * 22;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1280 720"><rect width="1280" height="720" fill="hsl(${hue} 35% 62%)"/>
<circle cx="${250 + n * 140}" cy="190" r="90" fill="hsl(40 80% 80%)"/><path d="M0 560 Q640 ${250 + n * 30} 1280 560V720H0z" fill="hsl(${hue} 35% 28%)"/>
<path d="M0 520h1280M200 520v-140M640 520v-140M1080 520v-140" stroke="hsl(${hue} 25% 15%)" stroke-width="18"/></svg>`;
}

// ---- Jobs

const http = createServer((request, response) => {
  handle(request, response).catch((failed) => problem(response, 500, 'INTERNAL', String(failed)));
});
const io = new Server(http, { connectionStateRecovery: {} });
const queue = io.of('/queue');
const inbox = io.of('/notifications');

const position = (job) => [...jobs.values()].filter((one) => one.status === 'pending' && one.createdAt <= job.createdAt).length;

function metadata(job) {
  return { videoTitle: job.title, videoUrl: job.url, jobType: job.type, attempt: job.attempt || undefined, auditId: job.auditId, errorCode: job.errorCode, retryOf: job.retryOf };
}

function summary(job) {
  const { jobId, type, status, progress, stage, message, error = null, createdAt, processedAt = null, finishedAt = null } = job;
  return { jobId, type, status, progress, stage, message, error, createdAt, processedAt, finishedAt, queuePosition: status === 'pending' ? position(job) : undefined, metadata: metadata(job) };
}

function tell(job, eventType, changes, more = {}, extra = {}) {
  Object.assign(job, changes);
  const { jobId, progress, stage, message } = job;
  queue.emit('queue-update', { jobId, eventType, progress, stage, message, ...more, metadata: { ...metadata(job), ...extra, seq: ++seq, timestamp: now() } });
}

function enqueue(job, extra = {}) {
  const queuePosition = position(job) || 1;
  tell(job, 'job-queued', { status: 'pending', progress: 0, stage: 'queued', message: `Job queued at position ${queuePosition}`, error: undefined, errorCode: undefined, finishedAt: undefined },
    {}, { queuePosition, estimatedWaitTime: queuePosition * 75, ...extra });
  next();
  return queuePosition;
}

function next() {
  const waiting = [...jobs.values()].filter((job) => job.status === 'pending').sort((a, b) => a.createdAt.localeCompare(b.createdAt));
  const running = [...jobs.values()].filter((job) => job.status === 'processing').length;
  if (running < 1 && waiting[0]) setTimeout(() => waiting[0].status === 'pending' && run(waiting[0]), stepMs);
}

async function run(job) {
  const attempt = (job.attempt ?? 0) + 1;
  tell(job, 'job-started', { status: 'processing', progress: 10, stage: 'processing', message: 'Job processing started', attempt, processedAt: now() });
  notify('Processing started', `"${job.title}" is being analysed.`, 'info', { jobId: job.jobId });
  for (const [progress, stage, message] of stages[job.type]) {
    await new Promise((resolve) => setTimeout(resolve, stepMs));
    if (job.status !== 'processing' || job.attempt !== attempt) return next();
    if (job.url?.includes('fail') && progress >= 40) {
      tell(job, 'job-failed', { status: 'failed', stage: 'failed', message: 'Job processing failed', error: 'The video is private. Ask its owner to make it public, or upload the file.', errorCode: 'VIDEO_PRIVATE', finishedAt: now() },
        { error: 'The video is private. Ask its owner to make it public, or upload the file.' });
      notify('Processing failed', `"${job.title}" could not be analysed: the video is private.`, 'error', { jobId: job.jobId });
      return next();
    }
    tell(job, 'job-progress', { progress, stage, message: message ?? stage });
  }
  const result = makeResult(job);
  const auditId = newId('audit');
  analyses.set(auditId, { auditId, id: auditId, jobId: job.jobId, type: job.type, title: job.title, createdAt: now(), result });
  tell(job, 'job-completed', { status: 'completed', progress: 100, stage: 'completed', message: 'Job completed successfully', auditId, finishedAt: now() }, { result });
  notify('Analysis complete', `"${job.title}" is analysed.`, 'success', { jobId: job.jobId, auditId }, { actionUrl: `/#/analysis/${auditId}`, actionButtonText: 'View Results' });
  next();
}

function submit(response, job) {
  const made = { jobId: newId('job'), createdAt: now(), attempt: 0, progress: 0, status: 'pending', stage: 'queued', ...job };
  jobs.set(made.jobId, made);
  const queuePosition = enqueue(made);
  answer(response, 201, { jobId: made.jobId, message: made.message, queuePosition });
}

// ---- Notifications

const unread = () => notifications.filter((one) => !one.read).length;

function notify(title, message, severity, about, more = {}) {
  const made = { id: newId('note'), userId: 'dev', title, message, type: 'processing', severity, read: false, createdAt: now(), metadata: about, ...more };
  notifications.unshift(made);
  inbox.emit('new-notification', made);
  inbox.emit('unread-count', { count: unread() });
}

function claimsOf(token) {
  try {
    return JSON.parse(Buffer.from(token.replace(/^Bearer /, '').split('.')[1], 'base64url'));
  } catch {
    return undefined;
  }
}

function refusal(token) {
  if (!token) return 'TOKEN_MISSING';
  const claims = claimsOf(token);
  if (!claims) return 'TOKEN_INVALID';
  return claims.exp * 1000 <= Date.now() ? 'TOKEN_EXPIRED' : undefined;
}

for (const space of [queue, inbox]) {
  space.use((socket, go) => {
    const code = refusal(socket.handshake.auth.token);
    go(code ? Object.assign(new Error(`The token is refused: ${code}`), { data: { code } }) : undefined);
  });
  space.on('connection', (socket) => {
    let timer;
    const watch = (token) => {
      clearTimeout(timer);
      timer = setTimeout(() => {
        socket.emit('auth-error', { code: 'TOKEN_EXPIRED', message: 'The token has expired.' });
        socket.disconnect();
      }, claimsOf(token).exp * 1000 - Date.now());
    };
    watch(socket.handshake.auth.token);
    socket.on('auth-refresh', ({ token }, acknowledge) => {
      const code = refusal(token);
      if (!code) watch(token);
      acknowledge?.(code ? { success: false, error: code } : { success: true });
    });
    socket.on('disconnect', () => clearTimeout(timer));
  });
}

queue.on('connection', (socket) => {
  socket.on('subscribe-queue', (...args) => {
    socket.emit('subscribed', { success: true });
    const running = [...jobs.values()].filter((job) => ['pending', 'processing'].includes(job.status));
    args.at(-1)?.({ success: true, jobs: running.map(summary) });
  });
});

inbox.on('connection', (socket) => {
  socket.emit('unread-count', { count: unread() });
  socket.emit('initial-notifications', { notifications: notifications.filter((one) => !one.read).slice(0, 100), count: unread() });
  socket.on('mark-as-read', ({ notificationId }) => {
    for (const one of notifications) if (one.id === notificationId) one.read = true;
    inbox.emit('unread-count', { count: unread() });
    inbox.emit('marked-as-read', { notificationId });
  });
  socket.on('mark-all-as-read', () => {
    for (const one of notifications) one.read = true;
    inbox.emit('unread-count', { count: 0 });
    inbox.emit('all-marked-as-read', {});
  });
  socket.on('get-notifications', ({ limit = 30, offset = 0 } = {}) => {
    socket.emit('notifications-list', { notifications: notifications.slice(offset, offset + limit), total: notifications.length });
  });
});

// ---- REST

function answer(response, status, body, type = 'application/json') {
  response.writeHead(status, { 'Content-Type': type, 'Content-Security-Policy': policy, 'X-Content-Type-Options': 'nosniff' });
  response.end(typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body));
}

function problem(response, status, code, message) {
  answer(response, status, { title: code, status, code, detail: message, message }, 'application/problem+json');
}

async function bodyOf(request) {
  const parts = [];
  for await (const part of request) parts.push(part);
  return Buffer.concat(parts);
}

function page(items, limit) {
  return items.sort((a, b) => b.createdAt.localeCompare(a.createdAt)).slice(0, limit);
}

async function handle(request, response) {
  const url = new URL(request.url, 'http://localhost');
  const at = `${request.method} ${url.pathname}`;
  if (at === 'GET /dev/token') {
    if (process.env.DEV === '0') return problem(response, 404, 'NOT_FOUND', 'There is no such page.');
    const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
    const exp = Math.floor(Date.now() / 1000) + tokenSeconds;
    return answer(response, 200, { token: `${part({ alg: 'HS256' })}.${part({ sub: 'dev', exp })}.bW9jaw`, sub: 'dev' });
  }
  if (!/^\/(analyze|files)\//.test(url.pathname)) return asset(response, url.pathname);
  const code = refusal(request.headers.authorization);
  if (code) return problem(response, 401, code, `The token is refused: ${code}`);
  const [, , thing, id, action] = url.pathname.split('/');

  if (url.pathname.startsWith('/files/')) {
    if (id.endsWith('.svg')) return answer(response, 200, frame(parseInt(id, 10)), 'image/svg+xml');
    return answer(response, 200, `WEBVTT\n\n00:00.000 --> 00:07.500\n${sentences[0]}\n`, 'text/vtt');
  }
  if (at === 'POST /analyze/video') {
    const { configuration } = JSON.parse(await bodyOf(request));
    if (configuration.url.startsWith('announce:')) {
      inbox.emit('system-notification', { id: newId('note'), title: 'Maintenance tonight.', message: configuration.url.slice(9), type: 'system', severity: 'warning', createdAt: now() });
      return problem(response, 422, 'ANNOUNCED', 'Announced.');
    }
    if (!/^https?:/.test(configuration.url) || configuration.url.includes('bad')) {
      return problem(response, 422, 'URL_INVALID', `“${configuration.url}” is not the address of a video: it begins with https://.`);
    }
    return submit(response, { type: 'youtube', url: configuration.url, title: configuration.url.includes('fail') ? 'A private film' : 'The bridge at Marsh End, ninety years on' });
  }
  if (at === 'POST /analyze/upload') {
    const name = /filename="([^"]*)"/.exec((await bodyOf(request)).toString('latin1'))?.[1];
    if (name?.endsWith('.txt')) return problem(response, 415, 'NOT_A_VIDEO', `“${name}” holds neither picture nor sound.`);
    return submit(response, { type: 'upload', title: name });
  }
  if (at === 'POST /analyze/transcript') {
    const { configuration } = JSON.parse(await bodyOf(request));
    return submit(response, { type: 'transcript', title: configuration?.title });
  }
  if (at === 'GET /analyze/jobs') return answer(response, 200, { jobs: page([...jobs.values()], 30).map(summary) });
  if (at === 'GET /analyze/history') {
    const search = (url.searchParams.get('search') ?? '').toLowerCase();
    const found = page([...analyses.values()].filter((one) => (one.title ?? '').toLowerCase().includes(search)), 100);
    return answer(response, 200, {
      data: found.map(({ result, ...one }) => ({ ...result, transcript: undefined, ...one })),
      pagination: { page: 1, limit: 100, total: found.length, totalPages: 1, hasNext: false, hasPrev: false },
    });
  }
  if (thing === 'delete') {
    analyses.delete(id);
    return answer(response, 200, { success: true, message: 'The analysis and its files are deleted.', deletedId: id });
  }
  const job = thing === 'job' ? jobs.get(id) : undefined;
  if (!job) return problem(response, 404, 'JOB_NOT_FOUND', 'There is no such job.');
  if (action === 'status') return answer(response, 200, { ...summary(job), data: {}, result: analyses.get(job.auditId)?.result ?? null });
  if (action === 'cancel') {
    tell(job, 'job-cancelled', { status: 'cancelled', stage: 'cancelled', message: 'Job cancelled by user', finishedAt: now() });
    next();
    return answer(response, 200, { cancelled: true, message: job.message });
  }
  if (action === 'restart') {
    job.auditId = undefined;
    enqueue(job, { restarted: true });
    return answer(response, 200, { success: true, jobId: job.jobId, message: job.message });
  }
  const again = { jobId: newId('job'), createdAt: now(), attempt: 0, status: 'pending', type: job.type, title: job.title, url: job.url, retryOf: job.jobId };
  jobs.set(again.jobId, again);
  enqueue(again);
  return answer(response, 200, { success: true, newJobId: again.jobId, message: again.message });
}

async function asset(response, path) {
  const name = normalize(path === '/' ? '/index.html' : path);
  try {
    answer(response, 200, await readFile(join(dist, name)), types[extname(name)] ?? 'application/octet-stream');
  } catch {
    problem(response, 404, 'NOT_FOUND', 'There is no such page.');
  }
}

http.listen(port, '127.0.0.1', () => console.log(`http://127.0.0.1:${port}`));
