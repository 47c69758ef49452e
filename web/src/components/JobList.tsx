import { useState } from 'preact/hooks';

import { jobList, jobsError, jobsLoaded, loadJobs, loadMoreJobs, nextCursor } from '../app';
import { JobCard } from './JobCard';

export function JobList() {
  const [busy, setBusy] = useState(false);
  const all = jobList.value;

  async function more() {
    setBusy(true);
    await loadMoreJobs();
    setBusy(false);
  }

  return (
    <section class="jobs" aria-labelledby="jobs-title" data-testid="jobs">
      <h2 id="jobs-title">Jobs</h2>
      {jobsError.value && (
        <p class="note error" role="alert" data-testid="jobs-error">
          {jobsError.value}{' '}
          <button class="text-button" onClick={() => void loadJobs()}>
            Try again
          </button>
        </p>
      )}
      {all.length === 0 && !jobsLoaded.value && !jobsError.value && <p class="muted">Loading…</p>}
      {all.length === 0 && jobsLoaded.value && (
        <div class="empty" data-testid="no-jobs">
          <p>No jobs yet.</p>
          <p class="muted">Give Rushes a link, a file or a transcript, and watch it being analysed here.</p>
        </div>
      )}
      <ul class="job-list" data-testid="job-list">
        {all.map((job) => (
          <li key={job.id}>
            <JobCard job={job} />
          </li>
        ))}
      </ul>
      {nextCursor.value && (
        <button class="wide" data-testid="more-jobs" disabled={busy} onClick={() => void more()}>
          Show more
        </button>
      )}
    </section>
  );
}
