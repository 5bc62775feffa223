import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { builtInMapping } from '../../../src/check/sigma/mapping.js';
import { Workplace } from '../../helpers/cli.js';
import { root } from '../../helpers/corpus.js';

const page = readFileSync(join(root, 'docs', 'check-sigma.md'), 'utf8');
const examples = [...page.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1] as string);

test.for([
  ['the first example', 0, 'Service Reloaded By A Script', 1],
  ['the mapping', 1, 'Program Of An Administrator', 4],
] as const)('%s of docs/check-sigma.md has findings', async ([, index, title, count]) => {
  const place = new Workplace();
  try {
    const result = await place.run(`set -e\n${examples[index]?.trimEnd()} --format json`);
    expect(result.exit, result.stderr).toBe(0);
    const { findings } = JSON.parse(result.stdout) as { findings: { rule: string }[] };
    expect(findings.map(({ rule }) => rule)).toEqual(Array.from({ length: count }, () => title));
  } finally {
    place.remove();
  }
});

test('docs/check-sigma.md names every field', () => {
  const fields = builtInMapping.flatMap((source) => [
    ...Object.keys(source.fields ?? {}),
    ...source.records.flatMap((record) => Object.keys(record.fields ?? {})),
  ]);
  const undocumented = [...new Set(fields)].filter(
    (field) => !/^a\d+$|^type$|^syscall$/.test(field) && !page.includes(`\`${field}\``),
  );
  expect(undocumented).toEqual([]);
});
