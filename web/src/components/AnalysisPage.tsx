import { useEffect, useState } from 'preact/hooks';

import { sentence } from '../api';
import { jobOfAnalysis } from '../app';
import { JobPage } from './JobPage';

/** A saved analysis by its own id, as the history and the notifications name it. */
export function AnalysisPage({ auditId }: { auditId: string }) {
  const [job, setJob] = useState<string>();
  const [error, setError] = useState('');

  useEffect(() => {
    let here = true;
    jobOfAnalysis(auditId)
      .then((id) => {
        if (!here) return;
        if (id) setJob(id);
        else setError('There is no such analysis. It may have been deleted.');
      })
      .catch((failed: unknown) => here && setError(sentence(failed)));
    return () => void (here = false);
  }, [auditId]);

  if (job) return <JobPage id={job} back="#/history" />;
  return (
    <div class="page">
      {error ? (
        <p class="note error" role="alert" data-testid="page-error">
          {error}
        </p>
      ) : (
        <p class="muted">Loading…</p>
      )}
    </div>
  );
}
