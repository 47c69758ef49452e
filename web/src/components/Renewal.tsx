import { useEffect, useState } from 'preact/hooks';

import { devToken, sentence } from '../api';
import { renew, session } from '../app';
import { FieldError } from './FieldError';

const warnBefore = 2 * 60_000; // ms

/** Shown shortly before the token ends: a fresh one keeps the page and its sockets. */
export function Renewal() {
  const expiresAt = session.value?.expiresAt;
  const [due, setDue] = useState(false);
  const [token, setToken] = useState('');
  const [error, setError] = useState('');

  useEffect(() => {
    setDue(false);
    if (expiresAt === undefined) return;
    const look = () => setDue(expiresAt - Date.now() < warnBefore);
    look();
    const timer = setInterval(look, 5000);
    return () => clearInterval(timer);
  }, [expiresAt]);

  if (!due) return null;

  async function goOn(event: Event) {
    event.preventDefault();
    setError('');
    try {
      const fresh = token || (await devToken())?.token || '';
      await renew(fresh);
      setToken('');
    } catch (failed) {
      setError(sentence(failed));
    }
  }

  return (
    <form class="announcement renewal" data-severity="warning" data-testid="renewal" onSubmit={(event) => void goOn(event)}>
      <label for="renewal-token">Your token is about to expire. Paste a new one to stay signed in.</label>
      <input
        id="renewal-token"
        type="password"
        autocomplete="off"
        data-testid="renewal-token"
        value={token}
        aria-describedby="renewal-error"
        onInput={(event) => setToken(event.currentTarget.value)}
      />
      <button data-testid="renew">Stay signed in</button>
      <FieldError id="renewal-error" message={error} testid="renewal-error" />
    </form>
  );
}
