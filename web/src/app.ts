// The state of the page, and all that changes it. Components read the signals and call the functions.

import { computed, signal } from '@preact/signals';

import { Api, type ApiError } from './api';
import { forgetSession, keepSession, keptSession, openSession, type Session } from './session';
import { Connection, type Link, type Listener } from './socket';
import * as inboxState from './state/inbox';
import * as jobState from './state/jobs';

export const session = signal<Session | undefined>(undefined);
/** Why the user is signed out, where it was not their wish. */
export const signOutReason = signal('');
export const link = signal<Link>('connecting');
export const jobs = signal(jobState.noJobs);
export const jobList = computed(() => jobState.newestFirst(jobs.value));
export const jobsLoaded = signal(false);
export const jobsError = signal('');
export const nextCursor = signal<string | undefined>(undefined);
export const inbox = signal(inboxState.emptyInbox);
/** What a screen reader is told. */
export const spoken = signal('');
/** Counts what may have changed the history: completed and deleted analyses. */
export const historyChanges = signal(0);

const token = () => session.value?.token ?? '';
const pollEvery = 10_000; // ms, only while `/queue` is switched off
const resyncAfter = 1_000; // ms; one answer heals a row of gaps

let connection: Connection | undefined;
let pollTimer: ReturnType<typeof setInterval> | undefined;
let resyncTimer: ReturnType<typeof setTimeout> | undefined;

const refusals: Record<string, string> = {
  TOKEN_EXPIRED: 'Your token has expired. Sign in with a new one.',
  TOKEN_INVALID: 'The server does not accept this token. Sign in with another one.',
  TOKEN_MISSING: 'The server asks for a token. Sign in.',
};

export const api = new Api(token, (error: ApiError) => {
  if (session.value) signOut(refusals[error.code] ?? error.message);
});

// ---- Signing in and out

export function start(): void {
  const kept = keptSession();
  if (typeof kept === 'string') signOutReason.value = kept;
  else if (kept) enter(kept);
}

/** Asks the server whether the token is good. Throws the sentence to show. */
export async function signIn(pasted: string, remember: boolean): Promise<void> {
  const opened = openSession(pasted, remember);
  if (typeof opened === 'string') throw new Error(opened);
  await new Api(() => opened.token, () => {}).jobs(undefined, 1);
  keepSession(opened);
  enter(opened);
}

export function signOut(reason = ''): void {
  connection?.close();
  connection = undefined;
  clearInterval(pollTimer);
  clearTimeout(resyncTimer);
  pollTimer = resyncTimer = undefined;
  forgetSession();
  session.value = undefined;
  signOutReason.value = reason;
  link.value = 'connecting';
  jobs.value = jobState.noJobs;
  jobsLoaded.value = false;
  jobsError.value = '';
  nextCursor.value = undefined;
  inbox.value = inboxState.emptyInbox;
}

/** Goes on with a fresh token of the same user, without leaving the page. Throws the sentence to show. */
export async function renew(pasted: string): Promise<void> {
  const now = session.value;
  const opened = openSession(pasted, now?.remember ?? false);
  if (typeof opened === 'string') throw new Error(opened);
  if (opened.user !== now?.user) throw new Error('This token belongs to another user. Sign out first.');
  const refusal = await connection?.refresh(opened.token);
  if (refusal) throw new Error(refusal);
  keepSession(opened);
  session.value = opened;
}

function enter(opened: Session): void {
  session.value = opened;
  signOutReason.value = '';
  connection = new Connection(token, listener);
  void loadJobs();
}

// ---- Jobs

let subscribedAt = 0;

const listener: Listener = {
  link(now) {
    link.value = now;
    clearInterval(pollTimer);
    pollTimer = now === 'off' ? setInterval(() => void loadJobs(), pollEvery) : undefined;
  },
  refused(code, message) {
    signOut(refusals[code] ?? (message || 'You were signed out.'));
  },
  subscribing() {
    subscribedAt = jobs.value.clock;
  },
  subscribed(unfinished) {
    const unheard = jobState.endedUnheard(jobs.value, unfinished, subscribedAt);
    jobs.value = jobState.mergeSnapshot(jobs.value, unfinished, subscribedAt);
    for (const id of unheard) void loadJob(id);
    // What was submitted and ended elsewhere while nobody listened is in neither.
    if (jobsLoaded.value || jobsError.value) void loadJobs();
  },
  update(update) {
    const before = jobs.value;
    jobs.value = jobState.applyUpdate(before, update);
    if (jobs.value === before) return;
    const job = jobs.value.byId.get(update.jobId);
    if (job && !job.complete && !before.byId.has(job.id)) void loadJob(job.id);
    if (jobs.value.gaps > before.gaps) resync();
    if (job) speak(job, update.eventType);
  },
  unread: (count) => (inbox.value = inboxState.withUnread(inbox.value, count)),
  initial: (items, count) => (inbox.value = inboxState.withInitial(inbox.value, items, count)),
  list: (items, total) => (inbox.value = inboxState.withList(inbox.value, items, total)),
  notified: (item) => (inbox.value = inboxState.withNew(inbox.value, item)),
  announced: (announcement) => (inbox.value = inboxState.withAnnouncement(inbox.value, announcement)),
  read: (id) => (inbox.value = inboxState.withRead(inbox.value, id)),
  allRead: () => (inbox.value = inboxState.withAllRead(inbox.value)),
};

function speak(job: jobState.Job, eventType: string): void {
  const name = job.title || 'A job';
  if (eventType === 'job-completed') {
    spoken.value = `${name}: analysis complete.`;
    historyChanges.value++;
  } else if (eventType === 'job-failed') spoken.value = `${name} failed: ${job.error ?? ''}`;
  else if (eventType === 'job-cancelled') spoken.value = `${name} was cancelled.`;
}

// Events were missed or merged on the way: one look at the whole puts it right.
function resync(): void {
  resyncTimer ??= setTimeout(() => {
    resyncTimer = undefined;
    connection?.subscribe();
  }, resyncAfter);
}

/** The newest page of jobs. */
export async function loadJobs(): Promise<void> {
  await loadPage(undefined);
}

export async function loadMoreJobs(): Promise<void> {
  if (nextCursor.value) await loadPage(nextCursor.value);
}

async function loadPage(cursor: string | undefined): Promise<void> {
  const asked = token();
  const asOf = jobs.value.clock;
  try {
    const page = await api.jobs(cursor);
    if (asked !== token()) return;
    jobs.value = jobState.mergeSnapshot(jobs.value, page.jobs, asOf);
    // A second look at the first page does not undo how far the user has gone.
    if (cursor || !jobsLoaded.value) nextCursor.value = page.nextCursor;
    jobsLoaded.value = true;
    jobsError.value = '';
  } catch (failed) {
    if (asked === token()) jobsError.value = (failed as Error).message;
  }
}

/** One job from the server, with its result. Throws what the server says, 404 for a job that is not there. */
export async function fetchJob(id: string): Promise<void> {
  const asked = token();
  const asOf = jobs.value.clock;
  const answer = await api.status(id);
  if (asked === token()) jobs.value = jobState.mergeStatus(jobs.value, id, answer, asOf);
}

async function loadJob(id: string): Promise<void> {
  await fetchJob(id).catch((failed: ApiError) => {
    if (failed.status === 404) jobs.value = jobState.forgetJob(jobs.value, id);
  });
}

export function submitted(job: Pick<jobState.Job, 'id'> & Partial<jobState.Job>): void {
  jobs.value = jobState.addSubmitted(jobs.value, { createdAt: new Date().toISOString(), ...job });
  spoken.value = job.message ?? 'The job is in the queue.';
  void loadJob(job.id);
}

export async function cancelJob(id: string): Promise<void> {
  await api.cancel(id);
  await loadJob(id);
}

export async function restartJob(id: string): Promise<void> {
  await api.restart(id);
  await loadJob(id);
}

/** The id of the new job. */
export async function retryJob(id: string): Promise<string> {
  const { newJobId, message } = await api.retry(id);
  const old = jobs.value.byId.get(id);
  submitted({ id: newJobId, message, type: old?.type, title: old?.title, url: old?.url, retryOf: id });
  return newJobId;
}

export async function deleteAnalysis(auditId: string): Promise<void> {
  await api.deleteAnalysis(auditId);
  jobs.value = jobState.forgetResult(jobs.value, auditId);
  historyChanges.value++;
}

/** The job of an analysis; undefined where the user has no such analysis. */
export async function jobOfAnalysis(auditId: string): Promise<string | undefined> {
  const known = jobList.value.find((job) => job.auditId === auditId);
  if (known) return known.id;
  for (let page = 1, more = true; more && page <= 20; page++) {
    const answer = await api.history(page, 100);
    const entry = answer.data.find((one) => one.auditId === auditId);
    if (entry) return entry.jobId;
    more = answer.pagination.hasNext;
  }
  return undefined;
}

// ---- Notifications

export function markRead(id: string): void {
  inbox.value = inboxState.withReadHere(inbox.value, id);
  connection?.markRead(id);
}

export function markAllRead(): void {
  inbox.value = inboxState.withAllRead(inbox.value);
  connection?.markAllRead();
}

export function loadNotifications(limit = 30, offset = 0): void {
  connection?.askForList(limit, offset);
}

export function dismiss(id: string): void {
  inbox.value = inboxState.withoutAnnouncement(inbox.value, id);
}
