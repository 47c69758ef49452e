// What is known of the user's jobs, from two sources that overtake each other: events, which are
// ordered by `seq`, and snapshots (REST answers, the acknowledgement of `subscribe-queue`), which are not.
// Pure functions; an input that changes nothing gives the same object back.

import type { AuditResponse, JobStatus, JobStatusAnswer, JobSummary, JobType, QueueEventType, QueueUpdate } from '../contract';

export interface Job {
  id: string;
  type?: JobType;
  status: JobStatus;
  progress: number;
  stage: string;
  message?: string;
  title?: string;
  url?: string;
  attempt: number;
  createdAt?: string;
  processedAt?: string;
  finishedAt?: string;
  queuePosition?: number;
  estimatedWait?: number; // seconds
  error?: string;
  errorCode?: string;
  auditId?: string;
  retryOf?: string;
  result?: AuditResponse | null; // undefined: not asked for yet; null: there is none (any more)
  /** Of the newest event that was applied; 0: none. */
  seq: number;
  /** `Jobs.clock` when it was applied. */
  touched: number;
  /** False while only events told of it: creation time and title may be wrong or missing. */
  complete: boolean;
}

export interface Jobs {
  byId: ReadonlyMap<string, Job>;
  /** Counts applied events; a snapshot is as old as the clock was when it was asked for. */
  clock: number;
  /** The highest `seq` seen; 0: none yet. */
  lastSeq: number;
  /** How often a `seq` was skipped: events were missed or merged, and a snapshot is due. */
  gaps: number;
}

export const noJobs: Jobs = { byId: new Map(), clock: 0, lastSeq: 0, gaps: 0 };

const statusAfter: Record<QueueEventType, JobStatus> = {
  'job-queued': 'pending',
  'job-started': 'processing',
  'job-progress': 'processing',
  'job-completed': 'completed',
  'job-failed': 'failed',
  'job-cancelled': 'cancelled',
};

export function hasEnded(status: JobStatus): boolean {
  return status === 'completed' || status === 'failed' || status === 'cancelled';
}

/** Newest first, as in `GET /analyze/jobs`. */
export function newestFirst(jobs: Jobs): Job[] {
  return [...jobs.byId.values()].sort(
    (a, b) => (b.createdAt ?? '').localeCompare(a.createdAt ?? '') || b.id.localeCompare(a.id),
  );
}

function unknownJob(id: string): Job {
  return { id, status: 'pending', progress: 0, stage: '', attempt: 0, seq: 0, touched: 0, complete: false };
}

function withJob(jobs: Jobs, job: Job): ReadonlyMap<string, Job> {
  const byId = new Map(jobs.byId);
  byId.set(job.id, job);
  return byId;
}

/** Whether an event tells what is already known, or what is no longer true. */
function isStale(job: Job, update: QueueUpdate): boolean {
  const seq = update.metadata?.seq;
  if (seq !== undefined && job.seq > 0) return seq <= job.seq;
  // Nothing to order it by. An ended job begins again by `job-queued` or a later attempt only.
  if (!hasEnded(job.status) || update.eventType === 'job-queued') return false;
  return (update.metadata?.attempt ?? 0) <= job.attempt;
}

export function applyUpdate(jobs: Jobs, update: QueueUpdate): Jobs {
  const before = jobs.byId.get(update.jobId) ?? unknownJob(update.jobId);
  if (isStale(before, update)) return jobs;

  const meta = update.metadata ?? {};
  const clock = jobs.clock + 1;
  const attempt = meta.attempt ?? before.attempt;
  const begins = update.eventType === 'job-queued' || update.eventType === 'job-started';
  const told = update.progress ?? before.progress;
  const status = statusAfter[update.eventType];
  const job: Job = {
    ...before,
    type: meta.jobType ?? before.type,
    status,
    // Within one attempt it never falls, whatever is told.
    progress: begins || attempt !== before.attempt ? (update.progress ?? 0) : Math.max(before.progress, told),
    stage: update.stage ?? before.stage,
    message: update.message ?? update.stage,
    title: meta.videoTitle ?? before.title,
    url: meta.videoUrl ?? before.url,
    attempt,
    createdAt: before.createdAt ?? meta.timestamp,
    queuePosition: status === 'pending' ? meta.queuePosition : undefined,
    estimatedWait: status === 'pending' ? meta.estimatedWaitTime : undefined,
    auditId: meta.auditId ?? before.auditId,
    retryOf: meta.retryOf ?? before.retryOf,
    seq: meta.seq ?? before.seq,
    touched: clock,
  };
  if (begins) {
    job.error = job.errorCode = job.finishedAt = job.result = undefined;
    job.processedAt = status === 'processing' ? meta.timestamp : undefined;
  }
  if (update.eventType === 'job-queued') job.auditId = meta.auditId;
  if (hasEnded(status)) job.finishedAt = meta.timestamp ?? job.finishedAt;
  if (status === 'failed') {
    job.error = update.error ?? update.message;
    job.errorCode = meta.errorCode;
  }
  if (status === 'completed' && update.result) job.result = update.result;

  const seq = meta.seq ?? 0;
  const skipped = jobs.lastSeq > 0 && seq > jobs.lastSeq + 1;
  return {
    byId: withJob(jobs, job),
    clock,
    lastSeq: Math.max(jobs.lastSeq, seq),
    gaps: jobs.gaps + (skipped ? 1 : 0),
  };
}

function fromSummary(summary: JobSummary, before: Job): Job {
  const meta = summary.metadata ?? {};
  return {
    id: summary.jobId,
    type: summary.type ?? meta.jobType ?? before.type,
    status: summary.status,
    progress: summary.progress ?? 0,
    stage: summary.stage ?? '',
    message: summary.message,
    title: meta.videoTitle ?? before.title,
    url: meta.videoUrl ?? before.url,
    attempt: meta.attempt ?? 0,
    createdAt: summary.createdAt ?? before.createdAt,
    processedAt: summary.processedAt ?? undefined,
    finishedAt: summary.finishedAt ?? undefined,
    queuePosition: summary.queuePosition ?? meta.queuePosition,
    estimatedWait: meta.estimatedWaitTime ?? (summary.status === 'pending' ? before.estimatedWait : undefined),
    error: summary.error ?? undefined,
    errorCode: meta.errorCode,
    auditId: meta.auditId,
    retryOf: meta.retryOf ?? before.retryOf,
    result: summary.status === 'completed' ? before.result : undefined,
    seq: before.seq,
    touched: before.touched,
    complete: true,
  };
}

/** What a snapshot adds to a job of which an event has told since: all that events do not carry. */
function filledIn(job: Job, summary: JobSummary): Job {
  const meta = summary.metadata ?? {};
  return {
    ...job,
    type: job.type ?? summary.type ?? meta.jobType,
    title: job.title ?? meta.videoTitle,
    url: job.url ?? meta.videoUrl,
    createdAt: summary.createdAt ?? job.createdAt,
    retryOf: job.retryOf ?? meta.retryOf,
    complete: true,
  };
}

/** Merges a snapshot that was asked for when the clock stood at `asOf`: later events win over it. */
export function mergeSnapshot(jobs: Jobs, summaries: readonly JobSummary[], asOf: number): Jobs {
  if (summaries.length === 0) return jobs;
  const byId = new Map(jobs.byId);
  for (const summary of summaries) {
    const known = byId.get(summary.jobId);
    const merged =
      known && known.touched > asOf ? filledIn(known, summary) : fromSummary(summary, known ?? unknownJob(summary.jobId));
    byId.set(summary.jobId, merged);
  }
  return { ...jobs, byId };
}

/** The jobs that we hold for running but that a snapshot of all unfinished ones does not have: they ended unheard. */
export function endedUnheard(jobs: Jobs, unfinished: readonly JobSummary[], asOf: number): string[] {
  const there = new Set(unfinished.map((job) => job.jobId));
  return [...jobs.byId.values()]
    .filter((job) => !hasEnded(job.status) && job.touched <= asOf && !there.has(job.id))
    .map((job) => job.id);
}

/** Merges `GET /analyze/job/{id}/status`, with the result where there is one. */
export function mergeStatus(jobs: Jobs, id: string, answer: JobStatusAnswer, asOf: number): Jobs {
  const merged = mergeSnapshot(jobs, [{ ...answer, jobId: id }], asOf);
  const job = merged.byId.get(id);
  if (!job || job.status !== 'completed' || answer.status !== 'completed') return merged;
  return { ...merged, byId: withJob(merged, { ...job, result: answer.result ?? job.result ?? null }) };
}

/** A job that the server has just accepted; its first event may have come before the answer. */
export function addSubmitted(jobs: Jobs, job: Pick<Job, 'id'> & Partial<Job>): Jobs {
  const known = jobs.byId.get(job.id);
  const added: Job = known
    ? { ...known, title: known.title ?? job.title, url: known.url ?? job.url }
    : { ...unknownJob(job.id), stage: 'queued', touched: jobs.clock, ...job };
  return { ...jobs, byId: withJob(jobs, added) };
}

export function forgetResult(jobs: Jobs, auditId: string): Jobs {
  const job = [...jobs.byId.values()].find((one) => one.auditId === auditId);
  return job ? { ...jobs, byId: withJob(jobs, { ...job, result: null }) } : jobs;
}

export function forgetJob(jobs: Jobs, id: string): Jobs {
  if (!jobs.byId.has(id)) return jobs;
  const byId = new Map(jobs.byId);
  byId.delete(id);
  return { ...jobs, byId };
}
