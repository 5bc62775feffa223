import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach } from 'vitest';

/** A directory for each test of a file, removed after the test. */
export function testDirectory(): { path(...names: string[]): string } {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'sfkit-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  return { path: (...names) => join(directory, ...names) };
}
