import type { ThumbnailIdea } from '../contract';
import { CopyButton } from './CopyButton';
import { Section } from './Section';

/** Thumbnails to make, where a model had ideas. */
export function Ideas({ ideas = [], prompts = [] }: { ideas?: ThumbnailIdea[]; prompts?: string[] }) {
  if (ideas.length === 0 && prompts.length === 0) return null;
  return (
    <Section name="Thumbnail ideas" testid="ideas">
      {ideas.map((idea, index) => (
        <div key={index} class="idea">
          <h3>{idea.textOverlay}</h3>
          <p>{idea.concept}</p>
          <p class="muted">
            {[idea.visualElements?.join(', '), idea.colorScheme, idea.composition].filter(Boolean).join(' · ')}
          </p>
        </div>
      ))}
      {prompts.length > 0 && (
        <ul class="prompts">
          {prompts.map((prompt, index) => (
            <li key={index}>
              <span>{prompt}</span>
              <CopyButton text={prompt} what={`image prompt ${index + 1}`} testid="copy-prompt" />
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
