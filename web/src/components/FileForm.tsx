import { useEffect, useRef, useState } from 'preact/hooks';

import { ApiError } from '../api';
import { session } from '../app';
import { bytes } from '../format';
import { type Upload, uploadVideo } from '../upload';
import { FieldError } from './FieldError';
import { Icon } from './Icon';
import { ProgressBar } from './ProgressBar';
import type { FormProps } from './Submit';
import { useSubmit } from './useSubmit';

export function FileForm({ configuration }: FormProps) {
  const [file, setFile] = useState<File>();
  const [over, setOver] = useState(false);
  const [sent, setSent] = useState<number>();
  const { busy, error, setError, submit } = useSubmit();
  const upload = useRef<Upload | undefined>(undefined);
  const picker = useRef<HTMLInputElement>(null);

  // Leaving the page would end the upload: the browser asks first.
  useEffect(() => {
    if (!busy) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    addEventListener('beforeunload', ask);
    return () => removeEventListener('beforeunload', ask);
  }, [busy]);

  // Only signing out takes the form away.
  useEffect(() => () => upload.current?.abort(), []);

  function choose(chosen: File | undefined | null) {
    if (!chosen || busy) return;
    setFile(chosen);
    setError('');
  }

  function clear() {
    setFile(undefined);
    setSent(undefined);
    if (picker.current) picker.current.value = '';
  }

  async function send(event: Event) {
    event.preventDefault();
    const now = session.value;
    if (!file || !now) return setError('Choose a video or audio file first.');
    setSent(0);
    const what = JSON.stringify([file.name, file.size, file.lastModified, configuration]);
    const taken = await submit(what, { type: 'upload', title: file.name }, async (key) => {
      upload.current = uploadVideo(file, now.token, { configuration, key }, setSent);
      return upload.current.done.catch((failed: ApiError) => {
        throw failed.code === 'ABORTED' ? new ApiError('', 0) : failed; // the user knows
      });
    });
    upload.current = undefined;
    setSent(undefined);
    if (taken) clear();
  }

  return (
    <form noValidate onSubmit={(event) => void send(event)}>
      <div
        class="drop"
        data-testid="drop-zone"
        data-over={over}
        onDragOver={(event) => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={(event) => {
          event.preventDefault();
          setOver(false);
          choose(event.dataTransfer?.files[0]);
        }}
      >
        <input
          ref={picker}
          id="file"
          class="visually-hidden"
          type="file"
          accept="video/*,audio/*,.mkv,.m4a"
          data-testid="file-input"
          disabled={busy}
          aria-invalid={error !== ''}
          aria-describedby="file-error"
          onChange={(event) => choose(event.currentTarget.files?.[0])}
        />
        <label for="file">
          <Icon name="upload" />
          {file ? (
            <>
              <strong class="file-name" data-testid="file-name">
                {file.name}
              </strong>
              <span class="muted">{bytes(file.size)} · choose another</span>
            </>
          ) : (
            <>
              <strong>Choose a video or audio file</strong>
              <span class="muted">or drop it here</span>
            </>
          )}
        </label>
      </div>
      <FieldError id="file-error" message={error} testid="file-error" />
      {sent !== undefined && file && (
        <div class="upload-state" data-testid="upload-progress">
          <ProgressBar value={Math.round(sent * 100)} label="Upload" active />
          <span class="muted">
            {sent < 1 ? `${bytes(sent * file.size)} of ${bytes(file.size)}` : 'Sent. The server is checking it…'}
          </span>
          <button type="button" class="text-button" data-testid="stop-upload" onClick={() => upload.current?.abort()}>
            Stop
          </button>
        </div>
      )}
      <button class="primary wide" data-testid="submit-file" disabled={busy}>
        {busy ? 'Uploading…' : 'Upload and analyse'}
      </button>
    </form>
  );
}
