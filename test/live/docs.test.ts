import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Workplace } from '../helpers/cli.js';
import { root } from '../helpers/corpus.js';
import { liveTitle, noLive } from '../helpers/live.js';

const text = readFileSync(join(root, 'docs/live.md'), 'utf8');
const examples = [...text.matchAll(/```sh\n([^`]*)```/g)].map((match) => match[1] as string);

describe.skipIf(noLive !== undefined)(liveTitle('the examples of docs/live.md'), () => {
  const place = new Workplace();
  afterAll(() => place.remove());

  it('exist', () => {
    expect(examples.length).toBeGreaterThan(5);
  });

  it.each(examples)('%s', async (script) => {
    const { exit, stderr } = await place.run(`set -e\n${script}`);
    expect([exit, stderr]).toEqual([0, expect.not.stringMatching(/lost: [^n]/)]);
  });
});
