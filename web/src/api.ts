// The REST calls of the page. Every failure is an `ApiError` with one sentence for the user.

import { addressOf, isOfServer } from './base';
import type { Configuration, HistoryPage, JobsPage, JobStatusAnswer, Problem, Submitted } from './contract';

export class ApiError extends Error {
  constructor(
    message: string,
    readonly status: number, // 0: no answer
    readonly code = '',
    readonly retryAfter?: number, // seconds
  ) {
    super(message);
  }
}

export const unreachable = 'The server does not answer. Check the connection and try again.';

/** The sentence of an error answer, whatever its body is. */
export function problemOf(status: number, body: string, retryAfter?: string | null): ApiError {
  let problem: Problem = {};
  try {
    problem = JSON.parse(body) as Problem;
  } catch {
    // a proxy's page, or nothing
  }
  const said = problem.message ?? problem.detail ?? problem.title;
  const seconds = Number(retryAfter) || undefined;
  return new ApiError(said || `The server answered ${status}. Try again later.`, status, problem.code, seconds);
}

/** An `Idempotency-Key`: repeating a submit by it gives the same job. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16)); // `randomUUID` is missing on plain http
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

export interface Submission {
  configuration: Configuration;
  key: string;
}

export class Api {
  constructor(
    private readonly token: () => string,
    private readonly onUnauthorized: (error: ApiError) => void,
  ) {}

  submitVideo(url: string, { configuration, key }: Submission): Promise<Submitted> {
    return this.post('/analyze/video', { configuration: { ...configuration, url } }, key);
  }

  submitTranscript(transcript: string, { configuration, key }: Submission): Promise<Submitted> {
    return this.post('/analyze/transcript', { transcript, configuration }, key);
  }

  jobs(cursor?: string, limit = 30): Promise<JobsPage> {
    const query = new URLSearchParams({ limit: String(limit) });
    if (cursor) query.set('cursor', cursor);
    return this.json(`/analyze/jobs?${query}`);
  }

  status(id: string): Promise<JobStatusAnswer> {
    return this.json(`/analyze/job/${encodeURIComponent(id)}/status`);
  }

  cancel(id: string): Promise<{ cancelled: boolean; message: string }> {
    return this.post(`/analyze/job/${encodeURIComponent(id)}/cancel`);
  }

  retry(id: string): Promise<{ success: boolean; newJobId: string; message: string }> {
    return this.post(`/analyze/job/${encodeURIComponent(id)}/retry`);
  }

  restart(id: string): Promise<{ success: boolean; jobId: string; message: string }> {
    return this.post(`/analyze/job/${encodeURIComponent(id)}/restart`);
  }

  history(page: number, limit: number, search = ''): Promise<HistoryPage> {
    const query = new URLSearchParams({ page: String(page), limit: String(limit) });
    if (search) query.set('search', search);
    return this.json(`/analyze/history?${query}`);
  }

  deleteAnalysis(auditId: string): Promise<unknown> {
    return this.json(`/analyze/delete/${encodeURIComponent(auditId)}`, { method: 'DELETE' });
  }

  /** A file of a result. Only from our own server: the token goes nowhere else. */
  async file(address: string, signal?: AbortSignal): Promise<Blob> {
    if (!isOfServer(addressOf(address))) throw new ApiError('This file is not on this server.', 0);
    return (await this.send(address, { signal })).blob();
  }

  private post<T>(path: string, body?: unknown, key?: string): Promise<T> {
    const headers: Record<string, string> = {};
    if (body !== undefined) headers['Content-Type'] = 'application/json';
    if (key) headers['Idempotency-Key'] = key;
    return this.json(path, { method: 'POST', headers, body: body === undefined ? undefined : JSON.stringify(body) });
  }

  private async json<T>(path: string, options: RequestInit = {}): Promise<T> {
    return (await (await this.send(path, options)).json()) as T;
  }

  private async send(path: string, options: RequestInit): Promise<Response> {
    const headers = new Headers(options.headers);
    headers.set('Authorization', `Bearer ${this.token()}`);
    headers.set('Prefer', 'handling=strict'); // what the server does not know is a mistake of ours
    let response: Response;
    try {
      response = await fetch(addressOf(path), { ...options, headers, credentials: 'same-origin' });
    } catch (failed) {
      if (options.signal?.aborted) throw failed;
      throw new ApiError(unreachable, 0);
    }
    if (response.ok) return response;
    const error = problemOf(response.status, await response.text().catch(() => ''), response.headers.get('Retry-After'));
    if (response.status === 401) this.onUnauthorized(error);
    throw error;
  }
}

/** The token of development mode; nothing where the server is not in it. */
export async function devToken(): Promise<{ token: string; sub: string } | undefined> {
  try {
    const response = await fetch(addressOf('/dev/token'), { credentials: 'same-origin' });
    return response.ok ? ((await response.json()) as { token: string; sub: string }) : undefined;
  } catch {
    return undefined;
  }
}

export function sentence(failed: unknown): string {
  return failed instanceof Error ? failed.message : String(failed);
}
