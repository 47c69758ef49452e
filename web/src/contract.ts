// What the server promises its clients, as types. The words are the contract's own.

export type JobStatus = 'pending' | 'processing' | 'completed' | 'failed' | 'cancelled';
export type JobType = 'youtube' | 'upload' | 'transcript';
export type QueueEventType =
  | 'job-queued'
  | 'job-started'
  | 'job-progress'
  | 'job-completed'
  | 'job-failed'
  | 'job-cancelled';

export interface JobMetadata {
  videoTitle?: string;
  videoUrl?: string;
  jobType?: JobType;
  queuePosition?: number;
  estimatedWaitTime?: number; // seconds
  attempt?: number;
  auditId?: string;
  errorCode?: string;
  seq?: number;
  timestamp?: string;
  restarted?: boolean;
  retryOf?: string;
  [key: string]: unknown;
}

/** Event `queue-update` of the namespace `/queue`. */
export interface QueueUpdate {
  jobId: string;
  eventType: QueueEventType;
  progress?: number;
  stage?: string;
  message?: string;
  error?: string;
  result?: AuditResponse;
  metadata?: JobMetadata;
}

/** An entry of `GET /analyze/jobs`, and what `subscribe-queue` acknowledges. */
export interface JobSummary {
  jobId: string;
  type?: JobType;
  status: JobStatus;
  progress?: number;
  stage?: string;
  message?: string;
  error?: string | null;
  createdAt?: string | null;
  processedAt?: string | null;
  finishedAt?: string | null;
  queuePosition?: number | null;
  metadata?: JobMetadata;
}

/** `GET /analyze/job/{id}/status`. The id is the one that was asked for. */
export interface JobStatusAnswer extends Omit<JobSummary, 'jobId'> {
  jobId?: string;
  data?: unknown;
  result?: AuditResponse | null;
}

export interface JobsPage {
  jobs: JobSummary[];
  nextCursor?: string;
}

export interface Submitted {
  jobId: string;
  message: string;
  queuePosition?: number | null;
}

export interface Configuration {
  language?: string;
  tone?: string;
  title?: string;
}

export interface Chapter {
  timestamp: string;
  title: string;
  description?: string;
}

export interface ThumbnailIdea {
  textOverlay: string;
  concept: string;
  visualElements: string[];
  colorScheme: string;
  composition: string;
}

export interface Segment {
  start: number; // seconds
  end: number;
  text: string;
}

export interface Transcript {
  language: string;
  text: string;
  segments: Segment[];
  vttUrl: string;
  srtUrl: string;
}

export interface Thumbnail {
  url: string;
  time: number; // seconds
  width: number;
  height: number;
}

/** The result of an analysis. Members are read with care: an older analysis may lack one. */
export interface AuditResponse {
  video?: {
    id?: string;
    title?: string;
    description?: string;
    tags?: string[];
    publishedAt?: string;
    duration?: string;
    views?: number;
    likes?: number;
    comments?: number;
  };
  analysis?: {
    titleRewrite?: { titles: string[]; reasoning?: string };
    descriptionRewrite?: { description: string; hashtags: string[]; keyPoints: string[] };
    keywordExtraction?: {
      primaryKeywords: string[];
      longTailKeywords: string[];
      trendingKeywords: string[];
      competitorKeywords: string[];
    };
    chapters?: { chapters: Chapter[]; totalDuration?: string };
    thumbnailIdeas?: ThumbnailIdea[];
    thumbnailAIPrompts?: string[];
  };
  summary?: string;
  transcript?: Transcript;
  thumbnails?: Thumbnail[];
  engine?: { transcription?: string; analysis?: string };
}

/** An entry of `GET /analyze/history`: the result, without its transcript, and what it belongs to. */
export interface HistoryEntry extends AuditResponse {
  id?: string;
  auditId: string;
  jobId?: string;
  type?: JobType;
  title?: string;
  createdAt?: string;
}

export interface HistoryPage {
  data: HistoryEntry[];
  pagination: { page: number; limit: number; total: number; totalPages: number; hasNext: boolean; hasPrev: boolean };
}

export type Severity = 'info' | 'success' | 'warning' | 'error';

export interface Announcement {
  id: string;
  title: string;
  message: string;
  type?: string;
  severity?: Severity;
  actionUrl?: string;
  actionButtonText?: string;
  createdAt?: string;
  metadata?: Record<string, unknown>;
}

export interface Notification extends Announcement {
  userId?: string;
  read: boolean;
}

/** An error's body, RFC 9457. */
export interface Problem {
  title?: string;
  status?: number;
  detail?: string;
  code?: string;
  message?: string;
}
