import { useRef, useState } from 'preact/hooks';

import { newKey, sentence } from '../api';
import { submitted } from '../app';
import type { Submitted } from '../contract';
import type { Job } from '../state/jobs';

/**
 * What the three forms share: one submit at a time, its error, and an idempotency key that stays the
 * same while the same thing is tried again, so that a lost answer does not become a second job.
 */
export function useSubmit() {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');
  const tried = useRef<{ what: string; key: string } | undefined>(undefined);

  /** `what` is the same for the same submit. True if the server took it. */
  async function submit(
    what: string,
    known: Partial<Job>,
    send: (key: string) => Promise<Submitted>,
  ): Promise<boolean> {
    if (tried.current?.what !== what) tried.current = { what, key: newKey() };
    setBusy(true);
    setError('');
    try {
      const { jobId, message, queuePosition } = await send(tried.current.key);
      tried.current = undefined;
      submitted({ ...known, id: jobId, message, queuePosition: queuePosition ?? undefined });
      return true;
    } catch (failed) {
      setError(sentence(failed));
      return false;
    } finally {
      setBusy(false);
    }
  }

  return { busy, error, setError, submit };
}
