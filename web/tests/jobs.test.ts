import { describe, expect, it } from 'vitest';

import type { AuditResponse, JobMetadata, JobSummary, QueueEventType, QueueUpdate } from '../src/contract';
import {
  addSubmitted,
  applyUpdate,
  endedUnheard,
  forgetResult,
  type Jobs,
  mergeSnapshot,
  mergeStatus,
  newestFirst,
  noJobs,
} from '../src/state/jobs';

function told(eventType: QueueEventType, progress: number, metadata: JobMetadata = {}, more: Partial<QueueUpdate> = {}) {
  return { jobId: 'a', eventType, progress, metadata, ...more } satisfies QueueUpdate;
}

function after(updates: QueueUpdate[], from: Jobs = noJobs): Jobs {
  return updates.reduce(applyUpdate, from);
}

function summary(jobId: string, status: JobSummary['status'], more: Partial<JobSummary> = {}): JobSummary {
  return { jobId, status, progress: 0, stage: '', createdAt: '2026-01-01T00:00:00Z', ...more };
}

const result: AuditResponse = { summary: 'About a bridge.' };
const queued = told('job-queued', 0, { seq: 1, queuePosition: 2, estimatedWaitTime: 90 }, { stage: 'queued' });
const started = told('job-started', 10, { seq: 2, attempt: 1 }, { stage: 'processing' });
const halfway = told('job-progress', 50, { seq: 3, attempt: 1 }, { stage: 'Transcribing audio' });
const detail = told('job-progress', 55, { seq: 4, attempt: 1 }, { message: 'Transcribing audio: 0:42 of 3:10' });
const completed = told('job-completed', 100, { seq: 5, attempt: 1, auditId: 'x' }, { result });

describe('the road of one job', () => {
  it('follows the events to the result', () => {
    const job = after([queued, started, halfway, detail, completed]).byId.get('a');
    expect(job).toMatchObject({ status: 'completed', progress: 100, auditId: 'x', result, attempt: 1 });
    expect(job?.queuePosition).toBeUndefined();
  });

  it('knows the place in the queue while the job waits, and its newest one', () => {
    const moved = told('job-queued', 0, { seq: 2, queuePosition: 1, positionChanged: true });
    expect(after([queued]).byId.get('a')).toMatchObject({ status: 'pending', queuePosition: 2, estimatedWait: 90 });
    expect(after([queued, moved]).byId.get('a')?.queuePosition).toBe(1);
  });

  it('keeps the reason and the code of a failure', () => {
    const failed = told('job-failed', 50, { seq: 4, errorCode: 'NO_SPEECH' }, { error: 'Nobody speaks.' });
    const job = after([queued, started, halfway, failed]).byId.get('a');
    expect(job).toMatchObject({ status: 'failed', progress: 50, error: 'Nobody speaks.', errorCode: 'NO_SPEECH' });
  });

  it('stays cancelled when progress arrives late', () => {
    const cancelled = told('job-cancelled', 50, { seq: 4, attempt: 1 });
    const jobs = after([queued, started, cancelled]);
    expect(applyUpdate(jobs, halfway)).toBe(jobs);
    expect(jobs.byId.get('a')).toMatchObject({ status: 'cancelled', progress: 50 });
  });
});

describe('order', () => {
  it('ignores an event that comes twice', () => {
    const jobs = after([queued, started, halfway]);
    expect(applyUpdate(jobs, halfway)).toBe(jobs);
    expect(applyUpdate(jobs, queued)).toBe(jobs);
  });

  it('ignores an event that was overtaken', () => {
    const jobs = after([queued, started, detail]);
    expect(applyUpdate(jobs, halfway)).toBe(jobs);
  });

  it('does not let an old job-queued bring an ended job back', () => {
    const jobs = after([started, completed]);
    expect(applyUpdate(jobs, queued)).toBe(jobs);
  });

  it('orders each job by itself: an older event of another job counts', () => {
    const other = { ...queued, jobId: 'b', metadata: { seq: 1 } };
    const jobs = applyUpdate(after([started, halfway]), other);
    expect(jobs.byId.get('b')?.status).toBe('pending');
    expect(jobs.lastSeq).toBe(3);
  });

  it('counts a gap, but not where the first event begins', () => {
    expect(after([halfway]).gaps).toBe(0);
    expect(after([queued, started]).gaps).toBe(0);
    expect(after([queued, halfway]).gaps).toBe(1);
  });

  it('never lets progress fall within an attempt', () => {
    const less = told('job-progress', 30, { seq: 4, attempt: 1 });
    expect(after([started, halfway, less]).byId.get('a')?.progress).toBe(50);
  });

  it('without seq, takes what comes, but nothing after the end', () => {
    const bare = [started, halfway, completed].map((one) => ({ ...one, metadata: { attempt: 1 } }));
    const jobs = after(bare);
    expect(jobs.byId.get('a')?.status).toBe('completed');
    expect(applyUpdate(jobs, bare[1]!)).toBe(jobs);
    expect(applyUpdate(jobs, told('job-queued', 0, { restarted: true })).byId.get('a')?.status).toBe('pending');
  });
});

describe('beginning again', () => {
  it('a restart clears how the job ended', () => {
    const failed = told('job-failed', 50, { seq: 4, errorCode: 'X' }, { error: 'No.' });
    const again = told('job-queued', 0, { seq: 5, restarted: true });
    const job = after([started, halfway, failed, again]).byId.get('a');
    expect(job).toMatchObject({ status: 'pending', progress: 0 });
    expect(job?.error).toBeUndefined();
    expect(job?.errorCode).toBeUndefined();
    expect(job?.finishedAt).toBeUndefined();
  });

  it('a restart of a completed job forgets its old result and analysis', () => {
    const again = told('job-queued', 0, { seq: 6, restarted: true });
    const job = after([started, completed, again]).byId.get('a');
    expect(job?.result).toBeUndefined();
    expect(job?.auditId).toBeUndefined();
  });

  it('a later attempt starts at its own progress', () => {
    const second = told('job-started', 10, { seq: 4, attempt: 2 });
    expect(after([started, halfway, second]).byId.get('a')).toMatchObject({ progress: 10, attempt: 2 });
  });

  it('a later attempt whose start was missed does not keep the old progress', () => {
    const second = told('job-progress', 20, { seq: 9, attempt: 2 });
    expect(after([started, halfway, second]).byId.get('a')).toMatchObject({ progress: 20, attempt: 2 });
  });
});

describe('snapshots', () => {
  it('take over what no later event contradicts', () => {
    const jobs = after([queued]);
    const merged = mergeSnapshot(jobs, [summary('a', 'processing', { progress: 40 })], jobs.clock);
    expect(merged.byId.get('a')).toMatchObject({ status: 'processing', progress: 40, seq: 1 });
  });

  it('lose to events that came since they were asked for, and still fill in the rest', () => {
    const asOf = after([queued]).clock;
    const jobs = after([queued, started, completed]);
    const old = summary('a', 'pending', { metadata: { videoTitle: 'A bridge' } });
    const job = mergeSnapshot(jobs, [old], asOf).byId.get('a');
    expect(job).toMatchObject({ status: 'completed', result, title: 'A bridge', createdAt: old.createdAt });
  });

  it('do not open the door to overtaken events', () => {
    const jobs = after([queued, started, halfway]);
    const merged = mergeSnapshot(jobs, [summary('a', 'processing', { progress: 60 })], jobs.clock);
    expect(applyUpdate(merged, halfway)).toBe(merged);
  });

  it('tell which running jobs ended unheard', () => {
    let jobs = mergeSnapshot(noJobs, [summary('a', 'processing'), summary('b', 'processing'), summary('c', 'failed')], 0);
    const asOf = jobs.clock;
    jobs = applyUpdate(jobs, { ...queued, jobId: 'd' });
    expect(endedUnheard(jobs, [summary('a', 'processing')], asOf)).toEqual(['b']);
  });

  it('are listed newest first', () => {
    const jobs = mergeSnapshot(
      noJobs,
      [summary('a', 'pending'), summary('b', 'pending', { createdAt: '2026-01-02T00:00:00Z' })],
      0,
    );
    expect(newestFirst(jobs).map((job) => job.id)).toEqual(['b', 'a']);
  });
});

describe('results', () => {
  it('come with the status of a completed job', () => {
    const answer = { ...summary('a', 'completed', { metadata: { auditId: 'x' } }), result };
    expect(mergeStatus(noJobs, 'a', answer, 0).byId.get('a')?.result).toBe(result);
  });

  it('are known to be missing where the status has none', () => {
    const answer = { ...summary('a', 'completed'), result: null };
    expect(mergeStatus(noJobs, 'a', answer, 0).byId.get('a')?.result).toBeNull();
  });

  it('are not taken for those of a job that was restarted meanwhile', () => {
    const asOf = after([started, completed]).clock;
    const jobs = after([started, completed, told('job-queued', 0, { seq: 6, restarted: true })]);
    const merged = mergeStatus(jobs, 'a', { ...summary('a', 'completed'), result }, asOf);
    expect(merged.byId.get('a')?.result).toBeUndefined();
  });

  it('are gone once the analysis is deleted', () => {
    const jobs = forgetResult(after([started, completed]), 'x');
    expect(jobs.byId.get('a')).toMatchObject({ status: 'completed', result: null });
  });
});

describe('a job just submitted', () => {
  it('is there before its first event', () => {
    const jobs = addSubmitted(noJobs, { id: 'a', title: 'A bridge', queuePosition: 3 });
    expect(jobs.byId.get('a')).toMatchObject({ status: 'pending', progress: 0, queuePosition: 3 });
    expect(after([queued], jobs).byId.get('a')).toMatchObject({ queuePosition: 2, title: 'A bridge' });
  });

  it('does not fall back when events overtook the answer', () => {
    const jobs = addSubmitted(after([queued, started]), { id: 'a', title: 'A bridge', queuePosition: 3 });
    expect(jobs.byId.get('a')).toMatchObject({ status: 'processing', title: 'A bridge' });
  });
});
