import { jobTitle, fullTime, typeName } from '../format';
import { jobAddress, safeAddress } from '../route';
import type { Job } from '../state/jobs';
import { Ago } from './Ago';
import { Icon, typeIcon } from './Icon';
import { JobActions } from './JobActions';
import { JobState } from './JobState';

/** One job as a row of the list, or (`page`) as the head of its own page. */
export function JobCard({ job, page }: { job: Job; page?: boolean }) {
  const title = jobTitle(job);
  const url = safeAddress(job.url, document.baseURI);
  return (
    <article
      class="job card"
      aria-label={title}
      data-testid="job"
      data-job-id={job.id}
      data-status={job.status}
      data-progress={job.progress}
    >
      <div class="job-head">
        <span class="job-type" title={typeName(job.type)}>
          <Icon name={typeIcon(job.type)} />
        </span>
        <div class="job-name">
          {page ? (
            <h1 data-testid="job-title">{title}</h1>
          ) : (
            <h3>
              <a href={jobAddress(job.id)} data-testid="job-title">
                {title}
              </a>
            </h3>
          )}
          <p class="job-meta muted">
            {typeName(job.type)}
            {job.createdAt && (
              <>
                {' · '}
                <time dateTime={job.createdAt} title={fullTime(job.createdAt)}>
                  <Ago time={job.createdAt} />
                </time>
              </>
            )}
            {job.attempt > 1 && <span data-testid="job-attempt"> · attempt {job.attempt}</span>}
            {page && url && (
              <>
                {' · '}
                <a href={url} target="_blank" rel="noopener noreferrer">
                  Open the video
                </a>
              </>
            )}
          </p>
        </div>
        <div class="job-side">
          <span class="badge" data-status={job.status} data-testid="job-status">
            {job.status === 'pending' ? 'queued' : job.status}
          </span>
          <JobActions job={job} page={page} />
        </div>
      </div>
      <JobState job={job} />
    </article>
  );
}
