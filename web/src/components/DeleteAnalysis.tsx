import { useState } from 'preact/hooks';

import { sentence } from '../api';
import { deleteAnalysis } from '../app';
import { Icon } from './Icon';

interface Props {
  auditId: string;
  title: string;
  small?: boolean;
}

/** Deletes after a second click: what is deleted does not come back. */
export function DeleteAnalysis({ auditId, title, small }: Props) {
  const [asked, setAsked] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState('');

  async function remove() {
    setBusy(true);
    setError('');
    try {
      await deleteAnalysis(auditId);
    } catch (failed) {
      setError(sentence(failed));
    } finally {
      setBusy(false);
      setAsked(false);
    }
  }

  return (
    <div class="delete">
      {asked ? (
        <>
          <span>{small ? 'Delete?' : 'Delete this analysis and its files?'}</span>
          <button class="danger" data-testid="confirm-delete" disabled={busy} onClick={() => void remove()}>
            Delete
          </button>
          <button data-testid="keep" disabled={busy} onClick={() => setAsked(false)}>
            Keep
          </button>
        </>
      ) : (
        <button
          class={small ? 'quiet icon-only' : 'quiet'}
          data-testid="delete"
          aria-label={small ? `Delete: ${title}` : `Delete analysis: ${title}`}
          onClick={() => setAsked(true)}
        >
          <Icon name="trash" />
          {!small && 'Delete analysis'}
        </button>
      )}
      {error && (
        <p class="field-error" role="alert" data-testid="delete-error">
          {error}
        </p>
      )}
    </div>
  );
}
