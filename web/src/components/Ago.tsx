import { signal } from '@preact/signals';

import { ago } from '../format';

const now = signal(Date.now());
setInterval(() => (now.value = Date.now()), 30_000);

/** A time as `3 minutes ago`, kept up. */
export function Ago({ time }: { time: string }) {
  return <>{ago(time, now.value)}</>;
}
