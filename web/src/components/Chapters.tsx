import type { Chapter } from '../contract';
import { Section } from './Section';

/** Copied as lines `0:00 Title`: what YouTube reads as chapters in a description. */
export function Chapters({ chapters }: { chapters: readonly Chapter[] }) {
  const lines = chapters.map((chapter) => `${chapter.timestamp} ${chapter.title}`).join('\n');
  return (
    <Section name="Chapters" testid="chapters" copy={lines}>
      <ol class="chapters">
        {chapters.map((chapter) => (
          <li key={chapter.timestamp} data-testid="chapter">
            <span class="timestamp">{chapter.timestamp}</span>
            <div>
              <strong>{chapter.title}</strong>
              {chapter.description && <p class="muted">{chapter.description}</p>}
            </div>
          </li>
        ))}
      </ol>
    </Section>
  );
}
