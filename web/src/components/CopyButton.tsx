import { useEffect, useState } from 'preact/hooks';

import { spoken } from '../app';
import { copyText } from '../files';
import { Icon } from './Icon';

interface Props {
  text: string;
  /** What is copied, for the name: `Copy title 1`. */
  what: string;
  testid: string;
  /** Show the words, not only the sign. */
  worded?: boolean;
}

export function CopyButton({ text, what, testid, worded }: Props) {
  const [done, setDone] = useState(false);

  useEffect(() => {
    if (!done) return;
    const timer = setTimeout(() => setDone(false), 1800);
    return () => clearTimeout(timer);
  }, [done]);

  async function copy() {
    const copied = await copyText(text);
    setDone(copied);
    spoken.value = copied ? `Copied ${what}.` : 'The browser did not allow copying.';
  }

  return (
    <button
      class={worded ? 'quiet small' : 'quiet icon-only small'}
      data-testid={testid}
      data-copied={done}
      aria-label={`Copy ${what}`}
      title={`Copy ${what}`}
      onClick={() => void copy()}
    >
      <Icon name={done ? 'check' : 'copy'} />
      {worded && (done ? 'Copied' : 'Copy')}
    </button>
  );
}
