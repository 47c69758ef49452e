// The user's notifications and the announcements to all. Pure functions over one value.

import type { Announcement, Notification } from '../contract';

export interface Inbox {
  items: readonly Notification[]; // newest first, no two with one id
  unread: number;
  announcements: readonly Announcement[]; // newest first
  /** How many there are on the server, once it was asked. */
  total?: number;
}

export const emptyInbox: Inbox = { items: [], unread: 0, announcements: [] };

/** `initial-notifications` says at most this many; more may be unread. */
const initialLimit = 100;

function merged(items: readonly Notification[], more: readonly Notification[]): Notification[] {
  const byId = new Map(items.map((item) => [item.id, item]));
  for (const item of more) byId.set(item.id, item);
  return [...byId.values()].sort((a, b) => (b.createdAt ?? '').localeCompare(a.createdAt ?? ''));
}

/** What was told on connecting: all that is unread. What we hold for unread beyond it was read elsewhere. */
export function withInitial(inbox: Inbox, unread: readonly Notification[], count: number): Inbox {
  const there = new Set(unread.map((item) => item.id));
  const all = unread.length < initialLimit;
  const known = inbox.items.map((item) => (all && !item.read && !there.has(item.id) ? { ...item, read: true } : item));
  return { ...inbox, items: merged(known, unread), unread: count };
}

export function withList(inbox: Inbox, items: readonly Notification[], total: number): Inbox {
  return { ...inbox, items: merged(inbox.items, items), total };
}

export function withNew(inbox: Inbox, item: Notification): Inbox {
  if (inbox.items.some((one) => one.id === item.id)) return inbox;
  return {
    ...inbox,
    items: merged(inbox.items, [item]),
    unread: inbox.unread + (item.read ? 0 : 1), // `unread-count` follows and is right
    total: inbox.total === undefined ? undefined : inbox.total + 1,
  };
}

export function withUnread(inbox: Inbox, count: number): Inbox {
  return inbox.unread === count ? inbox : { ...inbox, unread: count };
}

/** What `marked-as-read` tells. The count is not touched: `unread-count` came before it. */
export function withRead(inbox: Inbox, id: string): Inbox {
  if (!inbox.items.some((one) => one.id === id && !one.read)) return inbox;
  return { ...inbox, items: inbox.items.map((one) => (one.id === id ? { ...one, read: true } : one)) };
}

/** What the user did here, before the server has answered. */
export function withReadHere(inbox: Inbox, id: string): Inbox {
  const after = withRead(inbox, id);
  return after === inbox ? inbox : { ...after, unread: Math.max(0, inbox.unread - 1) };
}

export function withAllRead(inbox: Inbox): Inbox {
  return { ...inbox, items: inbox.items.map((item) => (item.read ? item : { ...item, read: true })), unread: 0 };
}

export function withAnnouncement(inbox: Inbox, announcement: Announcement): Inbox {
  const others = inbox.announcements.filter((one) => one.id !== announcement.id);
  return { ...inbox, announcements: [announcement, ...others] };
}

export function withoutAnnouncement(inbox: Inbox, id: string): Inbox {
  return { ...inbox, announcements: inbox.announcements.filter((one) => one.id !== id) };
}
