import type { ComponentType } from 'preact';
import { useRef, useState } from 'preact/hooks';

import type { Configuration } from '../contract';
import { FileForm } from './FileForm';
import { Icon, type IconName } from './Icon';
import { LinkForm } from './LinkForm';
import { Options } from './Options';
import { TranscriptForm } from './TranscriptForm';

export interface FormProps {
  configuration: Configuration;
}

const ways: { id: string; name: string; icon: IconName; Form: ComponentType<FormProps> }[] = [
  { id: 'link', name: 'Link', icon: 'link', Form: LinkForm },
  { id: 'file', name: 'File', icon: 'film', Form: FileForm },
  { id: 'transcript', name: 'Transcript', icon: 'text', Form: TranscriptForm },
];

/** The three ways in. All stay mounted: changing the tab neither stops an upload nor loses a text. */
export function Submit() {
  const [chosen, setChosen] = useState(0);
  const [configuration, setConfiguration] = useState<Configuration>({});
  const tabs = useRef<HTMLDivElement>(null);

  function onKey(event: KeyboardEvent) {
    const step = event.key === 'ArrowRight' ? 1 : event.key === 'ArrowLeft' ? ways.length - 1 : 0;
    if (step === 0) return;
    event.preventDefault();
    const next = (chosen + step) % ways.length;
    setChosen(next);
    (tabs.current?.children[next] as HTMLElement | undefined)?.focus();
  }

  return (
    <section class="submit card" aria-labelledby="submit-title" data-testid="submit">
      <h2 id="submit-title">New analysis</h2>
      <div class="tabs" role="tablist" aria-label="What to analyse" ref={tabs} onKeyDown={onKey}>
        {ways.map((way, index) => (
          <button
            key={way.id}
            id={`tab-${way.id}`}
            data-testid={`tab-${way.id}`}
            role="tab"
            type="button"
            aria-selected={index === chosen}
            aria-controls={`panel-${way.id}`}
            tabIndex={index === chosen ? 0 : -1}
            onClick={() => setChosen(index)}
          >
            <Icon name={way.icon} />
            {way.name}
          </button>
        ))}
      </div>
      {ways.map(({ id, Form }, index) => (
        <div key={id} id={`panel-${id}`} role="tabpanel" aria-labelledby={`tab-${id}`} hidden={index !== chosen}>
          <Form configuration={configuration} />
        </div>
      ))}
      <Options configuration={configuration} onChange={setConfiguration} />
    </section>
  );
}
