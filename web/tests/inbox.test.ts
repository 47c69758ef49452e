import { describe, expect, it } from 'vitest';

import type { Notification } from '../src/contract';
import {
  emptyInbox,
  withAllRead,
  withAnnouncement,
  withInitial,
  withList,
  withNew,
  withoutAnnouncement,
  withRead,
  withReadHere,
  withUnread,
} from '../src/state/inbox';

function item(id: string, minute: number, read = false): Notification {
  return { id, title: id, message: '', read, createdAt: `2026-01-01T00:0${minute}:00Z` };
}

describe('the inbox', () => {
  it('begins with what is unread, newest first', () => {
    const inbox = withInitial(emptyInbox, [item('a', 1), item('b', 2)], 2);
    expect(inbox.items.map((one) => one.id)).toEqual(['b', 'a']);
    expect(inbox.unread).toBe(2);
  });

  it('counts a new one once, however often it comes', () => {
    const once = withNew(emptyInbox, item('a', 1));
    expect(once.unread).toBe(1);
    expect(withNew(once, item('a', 1))).toBe(once);
  });

  it('believes the count of the server', () => {
    expect(withUnread(withNew(emptyInbox, item('a', 1)), 7).unread).toBe(7);
  });

  it('marks one as read here, and hears of it from the server without counting it twice', () => {
    const here = withReadHere(withInitial(emptyInbox, [item('a', 1), item('b', 2)], 2), 'a');
    expect(here.unread).toBe(1);
    expect(here.items.find((one) => one.id === 'a')?.read).toBe(true);
    expect(withRead(withUnread(here, 1), 'a')).toBe(here);
    expect(withReadHere(here, 'a')).toBe(here);
    expect(withReadHere(here, 'unknown')).toBe(here);
  });

  it('hears that another tab marked one as read: the count first, then which', () => {
    const before = withInitial(emptyInbox, [item('a', 1), item('b', 2)], 2);
    const inbox = withRead(withUnread(before, 1), 'a');
    expect(inbox.unread).toBe(1);
    expect(inbox.items.find((one) => one.id === 'a')?.read).toBe(true);
  });

  it('marks all as read', () => {
    const inbox = withAllRead(withInitial(emptyInbox, [item('a', 1), item('b', 2)], 120));
    expect(inbox.unread).toBe(0);
    expect(inbox.items.every((one) => one.read)).toBe(true);
  });

  it('learns on coming back what was read elsewhere', () => {
    const before = withInitial(emptyInbox, [item('a', 1), item('b', 2)], 2);
    const inbox = withInitial(before, [item('b', 2)], 1);
    expect(inbox.items.find((one) => one.id === 'a')?.read).toBe(true);
    expect(inbox.unread).toBe(1);
  });

  it('does not take the rest for read where only the first hundred were told', () => {
    const before = withInitial(emptyInbox, [item('old', 1)], 1);
    const many = Array.from({ length: 100 }, (_, index) => item(`n${index}`, 2));
    expect(withInitial(before, many, 101).items.find((one) => one.id === 'old')?.read).toBe(false);
  });

  it('merges earlier ones without doubles', () => {
    const inbox = withList(withNew(emptyInbox, item('b', 2)), [item('b', 2, true), item('a', 1, true)], 2);
    expect(inbox.items.map((one) => [one.id, one.read])).toEqual([
      ['b', true],
      ['a', true],
    ]);
    expect(inbox.total).toBe(2);
  });
});

describe('announcements', () => {
  it('stand until they are closed, each once', () => {
    const twice = withAnnouncement(withAnnouncement(emptyInbox, item('a', 1)), item('a', 1));
    expect(twice.announcements).toHaveLength(1);
    expect(withoutAnnouncement(twice, 'a').announcements).toHaveLength(0);
  });
});
