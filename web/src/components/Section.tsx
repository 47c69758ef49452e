import type { ComponentChildren } from 'preact';

import { CopyButton } from './CopyButton';

interface SectionProps {
  name: string;
  testid: string;
  copy?: string;
  children: ComponentChildren;
}

/** A part of a result, with a button that copies it where `copy` is its text. */
export function Section({ name, testid, copy, children }: SectionProps) {
  return (
    <section class="result-section card" aria-label={name} data-testid={testid}>
      <div class="section-head">
        <h2>{name}</h2>
        {copy && <CopyButton text={copy} what={name.toLowerCase()} testid={`copy-${testid}`} worded />}
      </div>
      {children}
    </section>
  );
}
