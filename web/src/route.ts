// Where in the page the user is: the part of the address after `#`.

import { signal } from '@preact/signals';

import { addressOf } from './base';

export type Route =
  | { name: 'jobs' }
  | { name: 'job'; id: string }
  | { name: 'analysis'; id: string }
  | { name: 'history' };

export function parseRoute(hash: string): Route {
  const [name, id] = hash.replace(/^#?\/?/, '').split('/');
  try {
    if (name === 'job' && id) return { name: 'job', id: decodeURIComponent(id) };
    if (name === 'analysis' && id) return { name: 'analysis', id: decodeURIComponent(id) };
  } catch {
    return { name: 'jobs' }; // a bad escape
  }
  return name === 'history' ? { name: 'history' } : { name: 'jobs' };
}

export const route = signal<Route>({ name: 'jobs' });

export function followAddress(): void {
  const follow = () => {
    route.value = parseRoute(location.hash);
    scrollTo(0, 0);
  };
  addEventListener('hashchange', follow);
  follow();
}

export const jobAddress = (id: string) => `#/job/${encodeURIComponent(id)}`;
export const analysisAddress = (id: string) => `#/analysis/${encodeURIComponent(id)}`;

/**
 * An address that someone else wrote, if following it is harmless, from where `base`, a page of the server, is; nothing for
 * `javascript:` and its like.
 */
export function safeAddress(address: string | undefined, base: string): string | undefined {
  if (!address) return undefined;
  try {
    const url = addressOf(address, base);
    return url.protocol === 'http:' || url.protocol === 'https:' ? url.href : undefined;
  } catch {
    return undefined;
  }
}
