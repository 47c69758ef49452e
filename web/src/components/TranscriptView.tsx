import { useState } from 'preact/hooks';

import { sentence } from '../api';
import type { Transcript } from '../contract';
import { download, fileName } from '../files';
import { clock } from '../format';
import { CopyButton } from './CopyButton';
import { Icon } from './Icon';

export function TranscriptView({ transcript, title }: { transcript: Transcript; title: string }) {
  const [error, setError] = useState('');
  const segments = transcript.segments ?? [];
  const files = [
    { kind: 'srt', address: transcript.srtUrl },
    { kind: 'vtt', address: transcript.vttUrl },
  ].filter((file) => file.address);

  async function get(address: string, kind: string) {
    setError('');
    try {
      await download(address, `${fileName(title)}.${kind}`);
    } catch (failed) {
      setError(sentence(failed));
    }
  }

  return (
    <section class="result-section card" aria-label="Transcript" data-testid="transcript">
      <div class="section-head">
        <h2>
          Transcript {transcript.language && <span class="language">{transcript.language}</span>}
        </h2>
        <div class="section-tools">
          {files.map(({ kind, address }) => (
            <button key={kind} class="quiet small" data-testid={`download-${kind}`} onClick={() => void get(address, kind)}>
              <Icon name="download" />
              {kind.toUpperCase()}
            </button>
          ))}
          <CopyButton text={transcript.text} what="transcript" testid="copy-transcript" worded />
        </div>
      </div>
      {error && (
        <p class="field-error" role="alert" data-testid="download-error">
          {error}
        </p>
      )}
      <div class="transcript-text" tabIndex={0} role="region" aria-label="Transcript text">
        {segments.length > 0 ? (
          <ol>
            {segments.map((segment, index) => (
              <li key={index} data-testid="segment">
                <span class="timestamp">{clock(segment.start)}</span>
                <span>{segment.text}</span>
              </li>
            ))}
          </ol>
        ) : (
          <p class="prose">{transcript.text}</p>
        )}
      </div>
    </section>
  );
}
