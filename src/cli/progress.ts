import type { Summary } from '../engine/session.js';

/** How often the line is written anew, in ms. */
const interval = 200;

export interface Progress {
  update(summary: Summary): void;
  /** Takes the line away. */
  end(): void;
}

/** A line on standard error that counts; nothing where that is no terminal. */
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
