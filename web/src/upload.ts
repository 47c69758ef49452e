// Sending a file. By XMLHttpRequest, since `fetch` does not tell how much of a body has gone.

import { ApiError, problemOf, type Submission, unreachable } from './api';
import { addressOf } from './base';
import type { Submitted } from './contract';

export interface Upload {
  done: Promise<Submitted>;
  abort(): void;
}

/** `onProgress` hears of 0..1; 1 means sent, not yet answered. Aborting rejects with status 0 and code `ABORTED`. */
export function uploadVideo(
  file: File,
  token: string,
  { configuration, key }: Submission,
  onProgress: (part: number) => void,
): Upload {
  const request = new XMLHttpRequest();
  const done = new Promise<Submitted>((resolve, reject) => {
    request.open('POST', addressOf('/analyze/upload'));
    request.setRequestHeader('Authorization', `Bearer ${token}`);
    request.setRequestHeader('Idempotency-Key', key);
    request.setRequestHeader('Prefer', 'handling=strict');
    request.upload.onprogress = (event) => {
      if (event.lengthComputable && event.total > 0) onProgress(event.loaded / event.total);
    };
    request.onerror = () => reject(new ApiError(unreachable, 0));
    request.onabort = () => reject(new ApiError('The upload was stopped.', 0, 'ABORTED'));
    request.onload = () => {
      if (request.status < 200 || request.status >= 300) {
        reject(problemOf(request.status, request.responseText, request.getResponseHeader('Retry-After')));
        return;
      }
      try {
        resolve(JSON.parse(request.responseText) as Submitted);
      } catch {
        reject(problemOf(request.status, ''));
      }
    };
    // The configuration first: the server knows it before the long part.
    const form = new FormData();
    if (Object.keys(configuration).length > 0) form.append('configuration', JSON.stringify(configuration));
    form.append('video', file, file.name);
    request.send(form);
  });
  return { done, abort: () => request.abort() };
}
