import { useEffect, useState } from 'preact/hooks';

import { devToken, sentence } from '../api';
import { signIn, signOutReason } from '../app';
import logo from '../logo.svg';
import { FieldError } from './FieldError';

export function SignIn() {
  const [token, setToken] = useState('');
  const [remember, setRemember] = useState(false);
  const [error, setError] = useState('');
  const [busy, setBusy] = useState(false);
  const [developer, setDeveloper] = useState<string>();

  useEffect(() => {
    let here = true;
    void devToken().then((dev) => here && setDeveloper(dev?.sub));
    return () => void (here = false);
  }, []);

  async function enter(find: () => Promise<string>) {
    setBusy(true);
    setError('');
    try {
      await signIn(await find(), remember);
    } catch (failed) {
      setError(sentence(failed));
      setBusy(false);
    }
  }

  async function freshDevToken() {
    const dev = await devToken();
    if (!dev) throw new Error('The server is no longer in development mode.');
    return dev.token;
  }

  return (
    <main class="sign-in" data-testid="sign-in">
      <div class="card">
        <div class="brand large">
          <img src={logo} alt="" width="40" height="40" />
          <h1>Rushes</h1>
        </div>
        <p class="muted">Video analysis on your own server: titles, chapters, captions and frames.</p>
        {signOutReason.value && (
          <p class="note warning" role="alert" data-testid="sign-out-reason">
            {signOutReason.value}
          </p>
        )}
        <form
          noValidate
          onSubmit={(event) => {
            event.preventDefault();
            void enter(async () => token);
          }}
        >
          <label for="token">Access token</label>
          <input
            id="token"
            data-testid="token-input"
            type="password"
            autocomplete="off"
            spellcheck={false}
            placeholder="Paste your JWT"
            value={token}
            aria-invalid={error !== ''}
            aria-describedby="token-error"
            onInput={(event) => setToken(event.currentTarget.value)}
          />
          <FieldError id="token-error" message={error} testid="sign-in-error" />
          <label class="check">
            <input
              type="checkbox"
              data-testid="remember"
              checked={remember}
              onChange={(event) => setRemember(event.currentTarget.checked)}
            />
            Remember me on this device
          </label>
          <button class="primary wide" data-testid="sign-in-button" disabled={busy}>
            Sign in
          </button>
        </form>
        {developer && (
          <>
            <p class="divider">
              <span>Development mode</span>
            </p>
            <button class="wide" data-testid="dev-sign-in" disabled={busy} onClick={() => void enter(freshDevToken)}>
              Sign in as {developer}
            </button>
          </>
        )}
      </div>
    </main>
  );
}
