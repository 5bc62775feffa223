import { expect, test } from 'vitest';
import { stringify } from 'yaml';
import { matches } from './naive.js';
import { cell, Random, rule } from './random-rules.js';
import { type Row, ruleOf, withRows } from './rows.js';

// Random rules on random rows: DuckDB must find the same rows as the naive evaluator.

const ruleCount = 250;
const rowCount = 60;

const kinds = { DestinationIp: 'address', DestinationPort: 'number' } as const;
const fields = {
  all: ['Image', 'CommandLine', 'User', ...Object.keys(kinds)],
  address: 'DestinationIp',
  number: 'DestinationPort',
};

function row(random: Random): Row {
  return Object.fromEntries(
    fields.all.map((field) => [field, cell(random, kinds[field as keyof typeof kinds] ?? 'text')]),
  );
}

test('random rules find what the naive evaluator finds', { timeout: 120_000 }, async () => {
  const random = new Random(2026);
  const rows = Array.from({ length: rowCount }, () => row(random));
  const rules = Array.from({ length: ruleCount }, () => rule(random, fields));
  let positive = 0;
  const different = await withRows(rows, async (matching) => {
    const wrong: string[] = [];
    for (const one of rules) {
      const source = stringify(
        { ...one, logsource: { category: 'process_creation', product: 'linux' } },
        { version: '1.1' },
      );
      const { detection } = ruleOf(source);
      if (detection === undefined) throw new Error(`refused: ${source}`);
      const expected = rows.flatMap((cells, number) => (matches(one, cells) ? [number] : []));
      const found = await matching(detection);
      positive += found.length;
      if (JSON.stringify(found) !== JSON.stringify(expected)) {
        const odd = [...found, ...expected].find(
          (number) => found.includes(number) !== expected.includes(number),
        );
        wrong.push(
          `${source}\nfound ${found}, expected ${expected}: ${JSON.stringify(rows[odd ?? 0])}`,
        );
      }
    }
    return wrong;
  });
  expect(different).toEqual([]);
  expect(ruleCount * rowCount).toBeGreaterThan(10_000);
  // Both outcomes must be frequent.
  expect(positive).toBeGreaterThan(2_000);
  expect(positive).toBeLessThan(20_000);
});
