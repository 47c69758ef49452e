import type { AuditResponse } from '../contract';
import { clock } from '../format';
import { Chapters } from './Chapters';
import { CopyButton } from './CopyButton';
import { Ideas } from './Ideas';
import { Section } from './Section';
import { Thumbnails } from './Thumbnails';
import { TranscriptView } from './TranscriptView';

function Tags({ tags }: { tags: readonly string[] }) {
  return (
    <ul class="tags">
      {tags.map((tag, index) => (
        <li key={index}>{tag}</li>
      ))}
    </ul>
  );
}

function Titles({ titles, reasoning }: { titles: readonly string[]; reasoning?: string }) {
  return (
    <Section name="Titles" testid="titles">
      <ol class="titles">
        {titles.map((title, index) => (
          <li key={index} data-testid="title">
            <span>{title}</span>
            <span class="muted length" title="Characters">
              {[...title].length}
            </span>
            <CopyButton text={title} what={`title ${index + 1}`} testid="copy-title" />
          </li>
        ))}
      </ol>
      {reasoning && <p class="muted">{reasoning}</p>}
    </Section>
  );
}

function Keywords({ keywords }: { keywords: NonNullable<NonNullable<AuditResponse['analysis']>['keywordExtraction']> }) {
  const groups: [string, string[] | undefined][] = [
    ['Primary', keywords.primaryKeywords],
    ['Long-tail', keywords.longTailKeywords],
    ['Trending', keywords.trendingKeywords],
    ['Competitors', keywords.competitorKeywords],
  ];
  const there = groups.filter((group): group is [string, string[]] => !!group[1]?.length);
  if (there.length === 0) return null;
  return (
    <Section name="Keywords" testid="keywords" copy={there.flatMap(([, words]) => words).join(', ')}>
      {there.map(([name, words]) => (
        <div key={name} class="keyword-group">
          <h3>{name}</h3>
          <Tags tags={words} />
        </div>
      ))}
    </Section>
  );
}

/** What came out of a job. A part that is missing or empty is not shown. */
export function Result({ result, title }: { result: AuditResponse; title: string }) {
  const { analysis = {}, summary, transcript, thumbnails, engine } = result;
  const description = analysis.descriptionRewrite;
  const chapters = analysis.chapters?.chapters ?? [];
  return (
    <div class="result" data-testid="result">
      {!!thumbnails?.length && <Thumbnails thumbnails={thumbnails} title={title} />}
      {summary && (
        <Section name="Summary" testid="summary" copy={summary}>
          <p class="prose">{summary}</p>
        </Section>
      )}
      {!!analysis.titleRewrite?.titles.length && <Titles {...analysis.titleRewrite} />}
      {description?.description && (
        <Section name="Description" testid="description" copy={description.description}>
          <p class="prose">{description.description}</p>
        </Section>
      )}
      {!!description?.hashtags?.length && (
        <Section name="Hashtags" testid="hashtags" copy={description.hashtags.join(' ')}>
          <Tags tags={description.hashtags} />
        </Section>
      )}
      {!!description?.keyPoints?.length && (
        <Section name="Key points" testid="key-points" copy={description.keyPoints.join('\n')}>
          <ul class="points">
            {description.keyPoints.map((point, index) => (
              <li key={index}>{point}</li>
            ))}
          </ul>
        </Section>
      )}
      {chapters.length > 0 && <Chapters chapters={chapters} />}
      {analysis.keywordExtraction && <Keywords keywords={analysis.keywordExtraction} />}
      <Ideas ideas={analysis.thumbnailIdeas} prompts={analysis.thumbnailAIPrompts} />
      {transcript && <TranscriptView transcript={transcript} title={title} />}
      <p class="engine muted" data-testid="engine">
        {engine?.transcription && <>Speech by {engine.transcription}. </>}
        {engine?.analysis && <>Analysis by {engine.analysis}. </>}
        {transcript?.segments?.length ? <>Length {clock(transcript.segments[transcript.segments.length - 1]!.end)}.</> : null}
      </p>
    </div>
  );
}
