import { useEffect, useState } from 'preact/hooks';

import { sentence } from '../api';
import { api, historyChanges } from '../app';
import type { HistoryEntry, HistoryPage } from '../contract';
import { fullTime, typeName } from '../format';
import { analysisAddress } from '../route';
import { Ago } from './Ago';
import { DeleteAnalysis } from './DeleteAnalysis';
import { Icon, typeIcon } from './Icon';

const pageSize = 20;
const typingPause = 250; // ms

function Entry({ entry }: { entry: HistoryEntry }) {
  const title = entry.title || entry.video?.title || 'Untitled analysis';
  return (
    <li class="history-entry card" data-testid="history-entry" data-audit-id={entry.auditId}>
      <span class="job-type" title={typeName(entry.type)}>
        <Icon name={typeIcon(entry.type)} />
      </span>
      <div class="job-name">
        <h2>
          <a href={analysisAddress(entry.auditId)} data-testid="open-analysis">
            {title}
          </a>
        </h2>
        {entry.summary && <p class="excerpt">{entry.summary}</p>}
        <p class="job-meta muted">
          {typeName(entry.type)}
          {entry.createdAt && (
            <>
              {' · '}
              <time dateTime={entry.createdAt} title={fullTime(entry.createdAt)}>
                <Ago time={entry.createdAt} />
              </time>
            </>
          )}
        </p>
      </div>
      <DeleteAnalysis auditId={entry.auditId} title={title} small />
    </li>
  );
}

export function History() {
  const [typed, setTyped] = useState('');
  const [search, setSearch] = useState('');
  const [page, setPage] = useState(1);
  const [found, setFound] = useState<HistoryPage>();
  const [error, setError] = useState('');
  const changes = historyChanges.value;

  useEffect(() => {
    const timer = setTimeout(() => {
      setSearch(typed.trim());
      setPage(1);
    }, typingPause);
    return () => clearTimeout(timer);
  }, [typed]);

  useEffect(() => {
    let here = true;
    api
      .history(page, pageSize, search)
      .then((answer) => {
        if (!here) return;
        setError('');
        setFound(answer);
        if (answer.data.length === 0 && page > 1) setPage(page - 1); // the last of its page was deleted
      })
      .catch((failed: unknown) => here && setError(sentence(failed)));
    return () => void (here = false);
  }, [page, search, changes]);

  const { data, pagination } = found ?? {};
  return (
    <div class="page" data-testid="history">
      <div class="page-head">
        <h1>History</h1>
        <div class="search">
          <Icon name="search" />
          <input
            type="search"
            aria-label="Search the history"
            placeholder="Search"
            data-testid="history-search"
            value={typed}
            onInput={(event) => setTyped(event.currentTarget.value)}
          />
        </div>
      </div>
      {error && (
        <p class="note error" role="alert" data-testid="history-error">
          {error}
        </p>
      )}
      {!found && !error && <p class="muted">Loading…</p>}
      {data?.length === 0 && (
        <div class="empty" data-testid="no-history">
          <p>{search ? `Nothing found for “${search}”.` : 'No saved analyses yet.'}</p>
          {!search && <p class="muted">Every completed job leaves its analysis here.</p>}
        </div>
      )}
      <ul class="job-list">{data?.map((entry) => <Entry key={entry.auditId} entry={entry} />)}</ul>
      {pagination && pagination.totalPages > 1 && (
        <div class="pager">
          <button data-testid="previous-page" disabled={!pagination.hasPrev} onClick={() => setPage(page - 1)}>
            Newer
          </button>
          <span class="muted">
            Page {pagination.page} of {pagination.totalPages}
          </span>
          <button data-testid="next-page" disabled={!pagination.hasNext} onClick={() => setPage(page + 1)}>
            Older
          </button>
        </div>
      )}
    </div>
  );
}
