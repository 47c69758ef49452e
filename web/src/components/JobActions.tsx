import { useEffect, useRef, useState } from 'preact/hooks';

import { sentence } from '../api';
import { cancelJob, restartJob, retryJob } from '../app';
import { jobTitle } from '../format';
import { jobAddress } from '../route';
import { hasEnded, type Job } from '../state/jobs';

const settling = 600; // ms

/** True for a moment after `value` changed: what has just taken a button's place is not yet clickable. */
function useJustChanged(value: boolean): boolean {
  const settled = useRef(value);
  const [, redraw] = useState(0);
  useEffect(() => {
    if (settled.current === value) return;
    const timer = setTimeout(() => {
      settled.current = value;
      redraw((n) => n + 1);
    }, settling);
    return () => clearTimeout(timer);
  }, [value]);
  return settled.current !== value;
}

interface Props {
  job: Job;
  page?: boolean;
}

export function JobActions({ job, page }: Props) {
  const [busy, setBusy] = useState('');
  const [error, setError] = useState('');
  const title = jobTitle(job);
  // A double click on Cancel must not restart the job.
  const locked = useJustChanged(hasEnded(job.status)) || busy !== '';

  async function act(name: string, work: () => Promise<unknown>) {
    setBusy(name);
    setError('');
    try {
      await work();
    } catch (failed) {
      setError(sentence(failed));
    } finally {
      setBusy('');
    }
  }

  const again = job.status === 'failed' || job.status === 'cancelled';
  async function retry() {
    const id = await retryJob(job.id);
    if (page) location.hash = jobAddress(id);
  }

  return (
    <>
      <div class="job-actions">
        {job.status === 'completed' && !page && (
          <a class="button soft" href={jobAddress(job.id)} data-testid="view-result" aria-label={`View results: ${title}`}>
            View results
          </a>
        )}
        {!hasEnded(job.status) && (
          <button
            data-testid="cancel"
            aria-label={`Cancel: ${title}`}
            disabled={locked}
            onClick={() => void act('cancel', () => cancelJob(job.id))}
          >
            {busy === 'cancel' ? 'Cancelling…' : 'Cancel'}
          </button>
        )}
        {again && (
          <button
            data-testid="retry"
            aria-label={`Retry as a new job: ${title}`}
            title="A new job from the same input"
            disabled={locked}
            onClick={() => void act('retry', retry)}
          >
            Retry
          </button>
        )}
        {hasEnded(job.status) && (
          <button
            class={again ? '' : 'quiet'}
            data-testid="restart"
            aria-label={`Restart: ${title}`}
            title="The same job again, from its beginning"
            disabled={locked}
            onClick={() => void act('restart', () => restartJob(job.id))}
          >
            Restart
          </button>
        )}
      </div>
      {error && (
        <p class="field-error" role="alert" data-testid="action-error">
          {error}
        </p>
      )}
    </>
  );
}
