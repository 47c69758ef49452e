import { about, stageLine } from '../format';
import type { Job } from '../state/jobs';
import { ProgressBar } from './ProgressBar';

// The place as it is now; the message tells it as it was when the job's last event was written.
function Waiting({ job }: { job: Job }) {
  return (
    <p class="job-state waiting" data-testid="queue-position">
      Position {job.queuePosition} in the queue
      {job.estimatedWait !== undefined && ` · ${about(job.estimatedWait)} to wait`}
    </p>
  );
}

/** How far a job is, or how it ended. */
export function JobState({ job }: { job: Job }) {
  if (job.status === 'completed') return null;
  if (job.status === 'failed') {
    return (
      <div class="job-error" data-testid="job-error">
        <p>{job.error ?? job.message ?? 'The job failed.'}</p>
        {job.errorCode && <code data-testid="job-error-code">{job.errorCode}</code>}
      </div>
    );
  }
  if (job.status === 'pending' && job.queuePosition !== undefined) return <Waiting job={job} />;
  const { stage, detail } = stageLine(job);
  const running = job.status === 'processing';
  return (
    <div class="job-state">
      <p class="job-message">
        <span data-testid="job-message">
          <span data-testid="job-stage">{stage}</span>
          {detail}
        </span>
        {running && <span class="percent">{job.progress}&nbsp;%</span>}
      </p>
      {running && <ProgressBar value={job.progress} label="Progress" active />}
    </div>
  );
}
