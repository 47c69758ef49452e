import { afterEach, describe, expect, it, vi } from 'vitest';

import { problemOf } from '../src/api';
import { addressOf, isOfServer } from '../src/base';
import { about, ago, bytes, clock, stageLine } from '../src/format';
import { parseRoute, safeAddress } from '../src/route';
import { decodeClaims, openSession } from '../src/session';

function token(claims: object): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'HS256' })}.${part(claims)}.c2ln`;
}

describe('values in words', () => {
  it('times', () => {
    expect([0, 42.9, 190, 3725].map(clock)).toEqual(['0:00', '0:42', '3:10', '1:02:05']);
    expect([5, 60, 170, 7200].map(about)).toEqual([
      'less than a minute',
      'about 1 minute',
      'about 3 minutes',
      'about 2 hours',
    ]);
    const now = Date.parse('2026-01-01T12:00:00Z');
    expect(ago('2026-01-01T12:00:10Z', now)).toBe('just now'); // a server's clock may be ahead
    expect(ago('2026-01-01T11:57:00Z', now)).toBe('3 minutes ago');
    expect(ago('nonsense', now)).toBe('');
  });

  it('sizes', () => {
    expect([0, 999, 1500, 25_400_000, 2_147_483_648].map(bytes)).toEqual(['0 B', '999 B', '1.5 KB', '25 MB', '2.1 GB']);
  });

  it('a stage and what its message adds', () => {
    const line = (stage: string, message?: string) => stageLine({ stage, message, status: 'processing' });
    expect(line('Transcribing audio', 'Transcribing audio: 0:42 of 3:10')).toEqual({
      stage: 'Transcribing audio',
      detail: ': 0:42 of 3:10',
    });
    expect(line('queued', 'Job queued at position 2')).toEqual({ stage: 'Job queued at position 2', detail: '' });
    expect(line('Saving results')).toEqual({ stage: 'Saving results', detail: '' });
    expect(line('')).toEqual({ stage: 'processing', detail: '' });
  });
});

describe('an error answer', () => {
  it('is told in the words of the server', () => {
    const body = JSON.stringify({ title: 'Unprocessable', status: 422, code: 'URL_INVALID', message: 'Not a web address.' });
    expect(problemOf(422, body)).toMatchObject({ message: 'Not a web address.', status: 422, code: 'URL_INVALID' });
  });

  it('has a sentence even where it is a page of a proxy', () => {
    expect(problemOf(502, '<html>').message).toBe('The server answered 502. Try again later.');
  });

  it('keeps how long to wait', () => {
    expect(problemOf(429, '{"message":"Slowly."}', '30').retryAfter).toBe(30);
  });
});

describe('a token', () => {
  afterEach(() => vi.useRealTimers());

  it('names its user by sub, userId or id', () => {
    for (const claims of [{ sub: 'ann' }, { userId: 'ann' }, { sub: '', id: 'ann' }]) {
      expect(openSession(token(claims), false)).toMatchObject({ user: 'ann' });
    }
  });

  it('may be pasted with Bearer and blanks around it', () => {
    const good = token({ sub: 'ann' });
    expect(openSession(`  Bearer ${good}\n`, true)).toMatchObject({ token: good, remember: true });
  });

  it('that is none is refused with the reason', () => {
    expect(openSession('', false)).toMatch(/Paste/);
    expect(openSession('abc', false)).toMatch(/not a JSON Web Token/);
    expect(openSession('a.b.c', false)).toMatch(/not a JSON Web Token/);
    expect(openSession(token({ role: 'admin' }), false)).toMatch(/names no user/);
  });

  it('that has expired is refused', () => {
    vi.useFakeTimers({ now: 2_000_000 });
    expect(openSession(token({ sub: 'ann', exp: 2000 }), false)).toMatch(/expired/);
    expect(openSession(token({ sub: 'ann', exp: 2001 }), false)).toMatchObject({ expiresAt: 2_001_000 });
  });

  it('may name a user in any script', () => {
    expect(decodeClaims(token({ sub: 'Zoë 映画' }))).toEqual({ sub: 'Zoë 映画' });
  });
});

describe('addresses', () => {
  it('lead to the pages', () => {
    expect(parseRoute('')).toEqual({ name: 'jobs' });
    expect(parseRoute('#/job/a%20b')).toEqual({ name: 'job', id: 'a b' });
    expect(parseRoute('#/analysis/x')).toEqual({ name: 'analysis', id: 'x' });
    expect(parseRoute('#/history')).toEqual({ name: 'history' });
    expect(parseRoute('#/job/%')).toEqual({ name: 'jobs' });
    expect(parseRoute('#/job/')).toEqual({ name: 'jobs' });
  });

  it('of others are followed only where that is harmless', () => {
    const here = 'http://localhost:3000';
    expect(safeAddress('/#/analysis/x', here)).toBe('http://localhost:3000/#/analysis/x');
    expect(safeAddress('https://example.org/a', here)).toBe('https://example.org/a');
    expect(safeAddress('javascript:alert(1)', here)).toBeUndefined();
    expect(safeAddress('data:text/html,x', here)).toBeUndefined();
    expect(safeAddress(undefined, here)).toBeUndefined();
  });

  it('of the server are below the path that the page is at', () => {
    const page = 'https://app.example:8443/tools/rushes/#/history';
    expect(addressOf('/analyze/jobs?limit=3', page).href).toBe('https://app.example:8443/tools/rushes/analyze/jobs?limit=3');
    expect(safeAddress('/#/analysis/x', page)).toBe('https://app.example:8443/tools/rushes/#/analysis/x');
    expect(addressOf('/files/a/b.jpg', 'http://localhost:3000/').href).toBe('http://localhost:3000/files/a/b.jpg');
    expect(isOfServer(addressOf('/files/a', page), page)).toBe(true);
    for (const other of ['https://evil.example/tools/rushes/', 'https://app.example:8443/other/', '/../other', 'javascript:0']) {
      expect(isOfServer(addressOf(other, page), page)).toBe(false);
    }
    expect(addressOf('//evil.example/x', page).origin).toBe('https://app.example:8443');
  });
});
