import { useState } from 'preact/hooks';

import { api } from '../app';
import { FieldError } from './FieldError';
import type { FormProps } from './Submit';
import { useSubmit } from './useSubmit';

export function TranscriptForm({ configuration }: FormProps) {
  const [title, setTitle] = useState('');
  const [text, setText] = useState('');
  const { busy, error, setError, submit } = useSubmit();

  async function open(file: File | undefined) {
    if (!file) return;
    setText(await file.text());
    setTitle((now) => now || file.name.replace(/\.(txt|srt|vtt)$/i, ''));
    setError('');
  }

  async function send(event: Event) {
    event.preventDefault();
    if (!text.trim()) return setError('Paste a transcript, or open a file.');
    const asked = title.trim() ? { ...configuration, title: title.trim() } : configuration;
    const known = { type: 'transcript' as const, title: title.trim() || undefined };
    const taken = await submit(JSON.stringify([text, asked]), known, (key) =>
      api.submitTranscript(text, { configuration: asked, key }),
    );
    if (!taken) return;
    setText('');
    setTitle('');
  }

  return (
    <form
      noValidate
      onSubmit={(event) => void send(event)}
      onDragOver={(event) => event.preventDefault()}
      onDrop={(event) => {
        if (!event.dataTransfer?.files.length) return;
        event.preventDefault();
        void open(event.dataTransfer.files[0]);
      }}
    >
      <label for="transcript-title">Title (optional)</label>
      <input
        id="transcript-title"
        data-testid="transcript-title"
        maxLength={120}
        value={title}
        onInput={(event) => setTitle(event.currentTarget.value)}
      />
      <label for="transcript">Transcript: text, SRT or WebVTT</label>
      <textarea
        id="transcript"
        data-testid="transcript-input"
        rows={7}
        value={text}
        aria-invalid={error !== ''}
        aria-describedby="transcript-error"
        onInput={(event) => setText(event.currentTarget.value)}
      />
      <FieldError id="transcript-error" message={error} testid="transcript-error" />
      <div class="file-line">
        <input
          id="transcript-file"
          class="visually-hidden"
          type="file"
          accept=".txt,.srt,.vtt,text/plain,text/vtt"
          data-testid="transcript-file"
          onChange={(event) => {
            void open(event.currentTarget.files?.[0]);
            event.currentTarget.value = '';
          }}
        />
        <label for="transcript-file" class="text-button">
          Open a .txt, .srt or .vtt file
        </label>
      </div>
      <button class="primary wide" data-testid="submit-transcript" disabled={busy}>
        {busy ? 'Sending…' : 'Analyse'}
      </button>
    </form>
  );
}
