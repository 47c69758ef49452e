import { about, stageLine } from '../format';
import { hasEnded, type Job } from '../state/jobs';
import { ProgressBar } from './ProgressBar';

function Waiting({ job }: { job: Job }) {
  if (job.queuePosition === undefined && job.estimatedWait === undefined) return null;
  return (
    <p class="job-wait muted" data-testid="queue-position">
      {job.queuePosition !== undefined && `Position ${job.queuePosition} in the queue`}
      {job.queuePosition !== undefined && job.estimatedWait !== undefined && ' · '}
      {job.estimatedWait !== undefined && `${about(job.estimatedWait)} to wait`}
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
  const { stage, detail } = stageLine(job);
  return (
    <div class="job-state">
      <p class="job-message">
        <span data-testid="job-message">
          <span data-testid="job-stage">{stage}</span>
          {detail}
        </span>
        {!hasEnded(job.status) && <span class="percent">{job.progress}&nbsp;%</span>}
      </p>
      {!hasEnded(job.status) && <ProgressBar value={job.progress} label="Progress" active={job.status === 'processing'} />}
      {job.status === 'pending' && <Waiting job={job} />}
    </div>
  );
}
