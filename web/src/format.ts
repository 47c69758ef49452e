// Values as a person reads them.

import type { Job } from './state/jobs';

/** 42 → `0:42`, 3725 → `1:02:05`. */
export function clock(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const h = Math.floor(whole / 3600);
  const m = Math.floor((whole % 3600) / 60);
  const s = String(whole % 60).padStart(2, '0');
  return h > 0 ? `${h}:${String(m).padStart(2, '0')}:${s}` : `${m}:${s}`;
}

/** A wait, rounded: `less than a minute`, `about 3 minutes`. */
export function about(seconds: number): string {
  if (seconds < 50) return 'less than a minute';
  const minutes = Math.round(seconds / 60);
  if (minutes < 90) return `about ${minutes} minute${minutes === 1 ? '' : 's'}`;
  return `about ${Math.round(minutes / 60)} hours`;
}

export function bytes(size: number): string {
  const units = ['B', 'KB', 'MB', 'GB'];
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${unit > 0 && size < 10 ? size.toFixed(1) : Math.round(size)} ${units[unit]}`;
}

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });

export function ago(time: string, now: number): string {
  const seconds = Math.round((Date.parse(time) - now) / 1000);
  if (Number.isNaN(seconds)) return '';
  if (seconds > -45) return 'just now';
  if (seconds > -3600) return relative.format(Math.round(seconds / 60), 'minute');
  if (seconds > -86400) return relative.format(Math.round(seconds / 3600), 'hour');
  if (seconds > -30 * 86400) return relative.format(Math.round(seconds / 86400), 'day');
  return new Date(time).toLocaleDateString(undefined, { dateStyle: 'medium' });
}

export function fullTime(time: string): string {
  const date = new Date(time);
  return Number.isNaN(date.getTime()) ? '' : date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

const typeNames: Record<string, string> = { youtube: 'Link', upload: 'File', transcript: 'Transcript' };
export const typeName = (type?: string) => (type ? (typeNames[type] ?? type) : 'Job');

export function jobTitle(job: Pick<Job, 'title' | 'url' | 'type'>): string {
  return job.title || job.url || (job.type === 'transcript' ? 'Pasted transcript' : 'Untitled video');
}

/** The stage's words, and what the message adds to them. */
export function stageLine(job: Pick<Job, 'stage' | 'message' | 'status'>): { stage: string; detail: string } {
  const message = job.message ?? '';
  const bare = ['queued', 'processing', 'completed', 'failed', 'cancelled'];
  if (!job.stage || bare.includes(job.stage)) return { stage: message || job.stage || job.status, detail: '' };
  if (message.startsWith(job.stage)) return { stage: job.stage, detail: message.slice(job.stage.length) };
  return { stage: job.stage, detail: message ? `: ${message}` : '' };
}
