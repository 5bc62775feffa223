import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new directory, and what removes it. */
export function directory(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'sfkit-completion-'));
  return { path, remove: () => rmSync(path, { recursive: true }) };
}
