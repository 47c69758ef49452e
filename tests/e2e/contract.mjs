// The contract in checks that several tests share: the order of events, the form of a result, of an error.
import assert from 'node:assert/strict';

const kEvents = ['job-queued', 'job-started', 'job-progress', 'job-completed', 'job-failed', 'job-cancelled'];
const kEnds = ['job-completed', 'job-failed', 'job-cancelled'];
const kTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

/** What the contract's tables say is told of a job, as lines `event percent stage: message`. */
export const stages = {
  transcript: ['job-progress 40 Summarizing transcript', 'job-progress 70 Generating AI analysis'],
  upload: [
    'job-progress 30 Preparing upload',
    'job-progress 50 Transcribing audio',
    'job-progress 60 Generating AI content',
  ],
  youtube: [
    'job-progress 20 Fetching video data',
    'job-progress 40 Generating AI analysis',
    'job-progress 80 Generating thumbnails',
  ],
};

export const begins = [
  'job-queued 0 queued: Job queued at position 1',
  'job-started 10 processing: Job processing started',
];

export function completed(type) {
  return [
    ...begins,
    ...[...stages[type], 'job-progress 90 Saving results'].map((line) => line.replace(/\d+ (.*)/, '$&: $1')),
    'job-completed 100 completed: Job completed successfully',
  ];
}

/** The events where something begins, as lines: details within a stage and changed positions are left out. */
export function milestones(updates) {
  const lines = [];
  let stage = null;
  for (const { eventType, progress, stage: now, message, metadata } of updates) {
    const detail = eventType === 'job-progress' && now === stage;
    if (eventType === 'job-queued' && metadata.positionChanged) continue;
    // The wait can be estimated only once another job has ended.
    if (!detail) lines.push(`${eventType} ${progress} ${now}: ${message.replace(/ \(about .* to wait\)$/, '')}`);
    stage = now;
  }
  return lines;
}

/** What holds for the updates of every job: forms, an order, exactly one end, no progress that falls. */
export function checkUpdates(updates, jobType) {
  let progress = -1;
  let attempt = 0;
  for (const update of updates) {
    assert.ok(kEvents.includes(update.eventType), `eventType ${update.eventType}`);
    assert.equal(typeof update.jobId, 'string');
    assert.ok(Number.isInteger(update.progress) && update.progress >= 0 && update.progress <= 100, `${update.progress}`);
    assert.ok(update.stage && update.message, 'a stage and a message');
    assert.equal(update.metadata.jobType, jobType);
    assert.match(update.metadata.timestamp, kTime);
    const now = update.metadata.attempt ?? attempt;
    assert.ok(now >= attempt, `attempt ${now} after ${attempt}`);
    if (update.eventType === 'job-started') assert.equal(now, attempt + 1, 'each start is one attempt more');
    if (now > attempt) progress = -1;
    attempt = now;
    assert.ok(update.progress >= progress, `progress fell from ${progress} to ${update.progress} within attempt ${now}`);
    progress = update.progress;
    assert.equal('error' in update, update.eventType === 'job-failed');
    assert.equal('result' in update, update.eventType === 'job-completed');
  }
  const seqs = updates.map((update) => update.metadata.seq);
  assert.ok(seqs.every((seq, i) => Number.isInteger(seq) && (i === 0 || seq > seqs[i - 1])), `seq rises: ${seqs}`);
  const ends = updates.filter((update) => kEnds.includes(update.eventType));
  assert.ok(ends.length <= 1, 'at most one end');
  if (ends.length === 1) assert.equal(updates.at(-1), ends[0], 'the end is the last');
}

const text = (value, what) => assert.ok(typeof value === 'string' && value.trim() !== '', `${what}: ${value}`);
const texts = (value, what, least = 0) => {
  assert.ok(Array.isArray(value) && value.length >= least, `${what}: ${JSON.stringify(value)}`);
  value.forEach((one) => text(one, what));
};

/** Section 5: the form of a result, and what cannot be wrong in any. */
export function checkResult(result) {
  const { video, analysis } = result;
  for (const name of ['id', 'title', 'description', 'thumbnail', 'publishedAt', 'duration']) {
    assert.equal(typeof video[name], 'string', `video.${name}`);
  }
  for (const name of ['views', 'likes', 'comments']) assert.ok(Number.isInteger(video[name]), `video.${name}`);
  texts(video.tags, 'video.tags');
  text(video.title, 'video.title');
  text(result.summary, 'summary');
  text(result.engine.analysis, 'engine.analysis');

  const { titles } = analysis.titleRewrite;
  texts(titles, 'titles');
  assert.equal(titles.length, 7);
  assert.equal(new Set(titles.map((title) => title.toLowerCase())).size, 7, `no two titles alike: ${titles}`);
  for (const title of titles) assert.ok([...title].length <= 60, `at most 60 characters: ${title}`);
  text(analysis.descriptionRewrite.description, 'description');
  texts(analysis.descriptionRewrite.hashtags, 'hashtags', 1);
  texts(analysis.descriptionRewrite.keyPoints, 'keyPoints', 1);
  texts(analysis.keywordExtraction.primaryKeywords, 'primaryKeywords', 1);
  texts(analysis.keywordExtraction.longTailKeywords, 'longTailKeywords');
  // What no one can know without a network is never invented.
  assert.deepEqual(analysis.keywordExtraction.trendingKeywords, []);
  assert.deepEqual(analysis.keywordExtraction.competitorKeywords, []);

  const { chapters } = analysis.chapters;
  assert.ok(chapters.length >= 1, 'chapters');
  const seconds = chapters.map(({ timestamp, title }) => {
    assert.match(timestamp, /^(\d+:[0-5]\d|\d+:[0-5]\d:[0-5]\d)$/);
    text(title, 'chapter.title');
    return timestamp.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
  });
  assert.equal(seconds[0], 0, 'the first chapter is at 0:00');
  assert.ok(seconds.every((at, i) => i === 0 || at > seconds[i - 1]), `chapters rise: ${seconds}`);
}

/** The transcript that stands in a result; its segments lie in order. */
export function checkTranscript(transcript, wanted) {
  text(transcript.text, 'transcript.text');
  assert.ok(transcript.segments.length >= 1);
  let before = 0;
  for (const { start, end, text: words } of transcript.segments) {
    assert.ok(start >= before && end >= start, `segment ${start} to ${end} after ${before}`);
    text(words, 'segment.text');
    before = start;
  }
  for (const pattern of wanted) assert.match(transcript.text, pattern);
}

/** An error of the contract: problem+json with this status and code (a text or a pattern), and a sentence for a person. */
export function checkProblem(answer, status, code) {
  assert.equal(answer.status, status, JSON.stringify(answer.body));
  assert.match(answer.headers.get('content-type'), /^application\/problem\+json/);
  const { body } = answer;
  if (code instanceof RegExp) assert.match(body.code, code, body.message);
  else assert.equal(body.code, code, body.message);
  assert.equal(body.status, status);
  text(body.title, 'title');
  text(body.detail, 'detail');
  assert.equal(body.message, body.detail);
  assert.match(body.message, /[.!?]$/, 'one sentence');
  if (status === 429) assert.match(answer.headers.get('retry-after') ?? '', /^\d+$/);
}
