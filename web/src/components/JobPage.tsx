import { useEffect, useState } from 'preact/hooks';

import { sentence } from '../api';
import { fetchJob, jobs } from '../app';
import { jobTitle } from '../format';
import { DeleteAnalysis } from './DeleteAnalysis';
import { Icon } from './Icon';
import { JobCard } from './JobCard';
import { Result } from './Result';

/** One job: how it goes while it runs, and what came out of it. */
export function JobPage({ id, back = '#/' }: { id: string; back?: string }) {
  const [error, setError] = useState('');
  const job = jobs.value.byId.get(id);
  // The result comes with the event; without it, as after a reload, it is asked for.
  const wanted = !job || (job.status === 'completed' && job.result === undefined);

  useEffect(() => {
    if (!wanted) return;
    let here = true;
    setError('');
    fetchJob(id).catch((failed: unknown) => here && setError(sentence(failed)));
    return () => void (here = false);
  }, [id, wanted]);

  useEffect(() => {
    if (job) document.title = `${jobTitle(job)} · Rushes`;
    return () => void (document.title = 'Rushes');
  }, [job?.title]);

  return (
    <div class="page" data-testid="job-page">
      <a class="back" href={back} data-testid="back">
        <Icon name="back" />
        {back === '#/' ? 'All jobs' : 'History'}
      </a>
      {error && (
        <p class="note error" role="alert" data-testid="page-error">
          {error}
        </p>
      )}
      {!job && !error && <p class="muted">Loading…</p>}
      {job && <JobCard job={job} page />}
      {job?.status === 'completed' && job.result === undefined && !error && <p class="muted">Loading the results…</p>}
      {job?.status === 'completed' && job.result === null && (
        <p class="note" data-testid="no-result">
          This analysis was deleted. Restart the job to make it again.
        </p>
      )}
      {job?.result && <Result result={job.result} title={jobTitle(job)} />}
      {job?.result && job.auditId && <DeleteAnalysis auditId={job.auditId} title={jobTitle(job)} />}
    </div>
  );
}
