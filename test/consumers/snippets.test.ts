import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../helpers/corpus.js';

const python = process.env.SFKIT_CONSUMERS_PYTHON;

it.skipIf(python === undefined)(
  `the examples for quick consumers read the files${python === undefined ? ' (skipped: SFKIT_CONSUMERS_PYTHON names no Python with their packages)' : ''}`,
  { timeout: 120_000 },
  () => {
    const output = execFileSync(python as string, [join(root, 'test/consumers/snippets.py')], { encoding: 'utf8' });
    expect(output.match(/: ok$/gm)?.length).toBeGreaterThan(5);
  },
);
