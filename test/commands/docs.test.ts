import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { Workplace } from '../helpers/cli.js';
import { root } from '../helpers/corpus.js';

const examples = [...readFileSync(join(root, 'docs/cli.md'), 'utf8').matchAll(/```sh\n([\s\S]*?)```/g)].map(
  (match) => match[1] as string,
);

describe.concurrent('the examples of docs/cli.md', () => {
  it.each(examples)('%s', async (script) => {
    const place = new Workplace();
    try {
      const result = await place.run(`set -e\n${script}`);
      expect(result.exit, result.stderr).toBe(0);
    } finally {
      place.remove();
    }
  });
});

it('README.md shows what the commands print', async () => {
  const session = readFileSync(join(root, 'README.md'), 'utf8').match(/```console\n([\s\S]*?)```/)?.[1] as string;
  const place = new Workplace();
  try {
    let shown = '';
    for (const [, command] of session.matchAll(/^\$ (.*)$/gm)) {
      const { stdout } = await place.run(command as string);
      shown += `$ ${command}\n${stdout}`;
    }
    const steady = (text: string) => text.replace(/ in \S+ s \(.*? events\/s\)/g, '');
    expect(steady(shown)).toBe(steady(session));
  } finally {
    place.remove();
  }
});

it('docs/formats.md lists the columns there are', () => {
  const { status, stderr } = spawnSync(process.execPath, [join(root, 'scripts/docs.mjs'), '--check'], {
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
});
