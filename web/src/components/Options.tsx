import type { Configuration } from '../contract';

interface Props {
  configuration: Configuration;
  onChange: (configuration: Configuration) => void;
}

/** What a job may ask for; what is left empty comes from the user's preferences. */
export function Options({ configuration, onChange }: Props) {
  const set = (name: 'language' | 'tone', value: string) => {
    const next = { ...configuration };
    if (value.trim()) next[name] = value.trim();
    else delete next[name];
    onChange(next);
  };
  return (
    <details class="options" data-testid="options">
      <summary>Options</summary>
      <div class="options-fields">
        <div>
          <label for="language">Language</label>
          <input
            id="language"
            data-testid="language"
            placeholder="Found by itself"
            maxLength={100}
            list="languages"
            autocomplete="off"
            onInput={(event) => set('language', event.currentTarget.value)}
          />
          <datalist id="languages">
            {['en', 'de', 'es', 'fr', 'it', 'pt', 'nl', 'pl'].map((code) => (
              <option key={code} value={code} />
            ))}
          </datalist>
        </div>
        <div>
          <label for="tone">Tone</label>
          <input
            id="tone"
            data-testid="tone"
            placeholder="From your preferences"
            maxLength={100}
            list="tones"
            autocomplete="off"
            onInput={(event) => set('tone', event.currentTarget.value)}
          />
          <datalist id="tones">
            {['professional', 'casual', 'friendly', 'informative'].map((tone) => (
              <option key={tone} value={tone} />
            ))}
          </datalist>
        </div>
      </div>
    </details>
  );
}
