import { session, spoken } from '../app';
import { route } from '../route';
import { AnalysisPage } from './AnalysisPage';
import { Announcements } from './Announcements';
import { Header } from './Header';
import { History } from './History';
import { JobList } from './JobList';
import { JobPage } from './JobPage';
import { Renewal } from './Renewal';
import { SignIn } from './SignIn';
import { Submit } from './Submit';

function Page() {
  const where = route.value;
  if (where.name === 'job') return <JobPage key={where.id} id={where.id} />;
  if (where.name === 'analysis') return <AnalysisPage key={where.id} auditId={where.id} />;
  if (where.name === 'history') return <History />;
  return null;
}

/** The forms stay while the user looks elsewhere: an upload goes on, and a half-written text is kept. */
function Desk() {
  const here = route.value.name === 'jobs';
  return (
    <div class="desk" hidden={!here}>
      <h1 class="visually-hidden">Analyses</h1>
      <Submit />
      {here && <JobList />}
    </div>
  );
}

export function App() {
  return (
    <>
      {session.value ? (
        <>
          <a class="skip" href="#main" onClick={skip}>
            Skip to content
          </a>
          <Header />
          <Announcements />
          <Renewal />
          <main id="main" tabIndex={-1}>
            <Desk />
            <Page />
          </main>
        </>
      ) : (
        <SignIn />
      )}
      <div class="visually-hidden" role="status" aria-live="polite" data-testid="announcer">
        {spoken.value}
      </div>
    </>
  );
}

// The address after `#` is the route: it must not become `main`.
function skip(event: Event): void {
  event.preventDefault();
  document.getElementById('main')?.focus();
}
