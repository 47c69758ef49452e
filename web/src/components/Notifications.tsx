import { useEffect, useRef, useState } from 'preact/hooks';

import { inbox, loadNotifications, markAllRead, markRead } from '../app';
import type { Notification } from '../contract';
import { fullTime } from '../format';
import { jobAddress, safeAddress } from '../route';
import { Ago } from './Ago';
import { Icon } from './Icon';

/** Where a notification's button leads; nothing where it leads nowhere safe. */
function actionOf(item: Notification): { href: string; text: string; external: boolean } | undefined {
  const href = safeAddress(item.actionUrl, document.baseURI);
  if (href) return { href, text: item.actionButtonText || 'Open', external: new URL(href).origin !== location.origin };
  const job = item.metadata?.['jobId'];
  return typeof job === 'string' ? { href: jobAddress(job), text: 'View job', external: false } : undefined;
}

function Item({ item, onFollow }: { item: Notification; onFollow: () => void }) {
  const action = actionOf(item);
  return (
    <li
      class="notification"
      data-testid="notification"
      data-notification-id={item.id}
      data-read={item.read}
      data-severity={item.severity ?? 'info'}
    >
      <p class="notification-title">{item.title}</p>
      <p class="notification-text">{item.message}</p>
      <div class="notification-foot">
        {item.createdAt && (
          <time class="muted" dateTime={item.createdAt} title={fullTime(item.createdAt)}>
            <Ago time={item.createdAt} />
          </time>
        )}
        {action && (
          <a
            class="text-button"
            href={action.href}
            target={action.external ? '_blank' : undefined}
            rel="noopener noreferrer"
            data-testid="notification-action"
            onClick={() => {
              if (!item.read) markRead(item.id);
              if (!action.external) onFollow();
            }}
          >
            {action.text}
          </a>
        )}
        {!item.read && (
          <button class="text-button" data-testid="mark-read" onClick={() => markRead(item.id)}>
            Mark as read
          </button>
        )}
      </div>
    </li>
  );
}

export function Notifications() {
  const [open, setOpen] = useState(false);
  const root = useRef<HTMLDivElement>(null);
  const bell = useRef<HTMLButtonElement>(null);
  const { items, unread, total } = inbox.value;

  useEffect(() => {
    if (!open) return;
    loadNotifications();
    const outside = (event: MouseEvent) => {
      if (!root.current?.contains(event.target as Node)) setOpen(false);
    };
    const escape = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      setOpen(false);
      bell.current?.focus();
    };
    document.addEventListener('mousedown', outside);
    document.addEventListener('keydown', escape);
    return () => {
      document.removeEventListener('mousedown', outside);
      document.removeEventListener('keydown', escape);
    };
  }, [open]);

  return (
    <div class="bell" ref={root}>
      <button
        ref={bell}
        class="quiet icon-only"
        data-testid="bell"
        aria-label={unread > 0 ? `Notifications, ${unread} unread` : 'Notifications'}
        aria-expanded={open}
        aria-controls="notifications"
        onClick={() => setOpen(!open)}
      >
        <Icon name="bell" />
        {unread > 0 && (
          <span class="count" data-testid="unread-count" aria-hidden="true">
            {unread > 99 ? '99+' : unread}
          </span>
        )}
      </button>
      {open && (
        <section id="notifications" class="panel" aria-label="Notifications" data-testid="notification-panel">
          <div class="panel-head">
            <h2>Notifications</h2>
            <button class="text-button" data-testid="mark-all-read" disabled={unread === 0} onClick={markAllRead}>
              Mark all as read
            </button>
          </div>
          {items.length === 0 ? (
            <p class="muted empty-line">Nothing yet. You are told here when a job ends.</p>
          ) : (
            <ul>
              {items.map((item) => (
                <Item key={item.id} item={item} onFollow={() => setOpen(false)} />
              ))}
            </ul>
          )}
          {total !== undefined && items.length < total && (
            <button class="text-button wide" data-testid="more-notifications" onClick={() => loadNotifications(30, items.length)}>
              Show earlier
            </button>
          )}
        </section>
      )}
    </div>
  );
}
