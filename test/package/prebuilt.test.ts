import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, it } from 'vitest';
import { addonCandidates } from '../../src/engine/addon.js';
import { root } from '../helpers/corpus.js';

it('looks for a prebuilt engine where the package has it', async () => {
  const { prebuiltCandidates } = await import(
    pathToFileURL(join(root, 'scripts/lib/prebuilt.mjs')).href
  );
  expect(prebuiltCandidates().length).toBeGreaterThan(0);
  expect(addonCandidates()).toEqual([expect.stringContaining('Release'), ...prebuiltCandidates()]);
});
