import type { Summary } from '../engine/session.js';

/** Time between updates of the line, in ms. */
const interval = 200;

export interface Progress {
  update(summary: Summary): void;
  /** Removes the line. */
  end(): void;
}

/** A progress line on standard error; does nothing if that is not a terminal. */
export function progress(label: string): Progress {
  if (!process.stderr.isTTY) return { update: () => {}, end: () => {} };
  let last = Date.now();
  let shown = false;
  return {
    update(summary) {
      if (Date.now() - last < interval) return;
      last = Date.now();
      shown = true;
      const megabytes = (Number(summary.bytes) / 1e6).toFixed(0);
      process.stderr.write(`\r\x1b[K${label}: ${megabytes} MB, ${summary.events} events`);
    },
    end() {
      if (shown) process.stderr.write('\r\x1b[K');
    },
  };
}
