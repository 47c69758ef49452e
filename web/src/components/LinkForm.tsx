import { useState } from 'preact/hooks';

import { api } from '../app';
import { FieldError } from './FieldError';
import type { FormProps } from './Submit';
import { useSubmit } from './useSubmit';

export function LinkForm({ configuration }: FormProps) {
  const [url, setUrl] = useState('');
  const { busy, error, setError, submit } = useSubmit();

  async function send(event: Event) {
    event.preventDefault();
    const address = url.trim();
    if (!address) return setError('Paste the address of a video.');
    const what = JSON.stringify([address, configuration]);
    const taken = await submit(what, { type: 'youtube', url: address }, (key) =>
      api.submitVideo(address, { configuration, key }),
    );
    if (taken) setUrl('');
  }

  return (
    <form noValidate onSubmit={(event) => void send(event)}>
      <label for="url">Video address</label>
      <input
        id="url"
        data-testid="url-input"
        type="url"
        inputMode="url"
        placeholder="https://www.youtube.com/watch?v=…"
        autocomplete="off"
        value={url}
        aria-invalid={error !== ''}
        aria-describedby="url-error"
        onInput={(event) => setUrl(event.currentTarget.value)}
      />
      <FieldError id="url-error" message={error} testid="url-error" />
      <button class="primary wide" data-testid="submit-url" disabled={busy}>
        {busy ? 'Sending…' : 'Analyse'}
      </button>
    </form>
  );
}
