// Who is signed in: the token, where it is kept, and what it says of itself. The server decides
// whether it is good; here it is only read.

import { addressOf } from './base';

export interface Session {
  token: string;
  user: string;
  expiresAt?: number; // ms since 1970
  remember: boolean;
}

// Servers may share an origin, each below its own path.
const key = () => `rushes-token${addressOf('/').pathname.slice(0, -1)}`;

export function decodeClaims(token: string): Record<string, unknown> | undefined {
  const parts = token.split('.');
  const payload = parts[1];
  if (parts.length !== 3 || !payload) return undefined;
  try {
    const bytes = Uint8Array.from(atob(payload.replace(/-/g, '+').replace(/_/g, '/')), (c) => c.charCodeAt(0));
    const claims: unknown = JSON.parse(new TextDecoder().decode(bytes));
    return claims !== null && typeof claims === 'object' ? (claims as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

function userOf(claims: Record<string, unknown>): string | undefined {
  return [claims['sub'], claims['userId'], claims['id']].find(
    (id): id is string => typeof id === 'string' && id !== '',
  );
}

/** The session of a token, or one sentence that says why there is none. */
export function openSession(pasted: string, remember: boolean): Session | string {
  const token = pasted.trim().replace(/^bearer\s+/i, '');
  if (token === '') return 'Paste your token first.';
  const claims = decodeClaims(token);
  if (!claims) return 'This is not a JSON Web Token: it has three parts, separated by dots.';
  const user = userOf(claims);
  if (!user) return 'The token names no user: its claim “sub” is missing.';
  const exp = claims['exp'];
  const expiresAt = typeof exp === 'number' ? exp * 1000 : undefined;
  if (expiresAt !== undefined && expiresAt <= Date.now()) return 'This token has expired. Ask for a new one.';
  return { token, user, expiresAt, remember };
}

// A browser may forbid storage; the session then lives as long as the page.
function quietly<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

export function keepSession(session: Session): void {
  forgetSession();
  quietly(() => (session.remember ? localStorage : sessionStorage).setItem(key(), session.token));
}

export function forgetSession(): void {
  quietly(() => localStorage.removeItem(key()));
  quietly(() => sessionStorage.removeItem(key()));
}

/** What was kept; one sentence where it is no longer of use; nothing where nothing was kept. */
export function keptSession(): Session | string | undefined {
  const here = quietly(() => sessionStorage.getItem(key()));
  const token = here ?? quietly(() => localStorage.getItem(key()));
  if (!token) return undefined;
  const session = openSession(token, !here);
  if (typeof session === 'string') forgetSession();
  return session;
}
