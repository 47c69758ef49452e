import { link, session, signOut } from '../app';
import logo from '../logo.svg';
import { route } from '../route';
import type { Link } from '../socket';
import { Notifications } from './Notifications';

const linkWords: Record<Link, string> = {
  connecting: 'Connecting',
  live: 'Live',
  reconnecting: 'Reconnecting',
  off: 'No live updates',
};

function NavLink({ href, name, here }: { href: string; name: string; here: boolean }) {
  return (
    <a href={href} data-testid={`nav-${name.toLowerCase()}`} aria-current={here ? 'page' : undefined}>
      {name}
    </a>
  );
}

export function Header() {
  const where = route.value.name;
  return (
    <header class="top">
      <a class="brand" href="#/" aria-label="Rushes, to the jobs">
        <img src={logo} alt="" width="28" height="28" />
        <span>Rushes</span>
      </a>
      <nav aria-label="Main">
        <NavLink href="#/" name="Jobs" here={where === 'jobs' || where === 'job'} />
        <NavLink href="#/history" name="History" here={where === 'history' || where === 'analysis'} />
      </nav>
      <div class="top-right">
        <span class="link-state" data-testid="connection" data-state={link.value} role="status">
          <span class="dot" aria-hidden="true" />
          {linkWords[link.value]}
        </span>
        <Notifications />
        <div class="account">
          <span class="user" data-testid="user" title={session.value?.user}>
            {session.value?.user}
          </span>
          <button class="quiet" data-testid="sign-out" onClick={() => signOut()}>
            Sign out
          </button>
        </div>
      </div>
    </header>
  );
}
