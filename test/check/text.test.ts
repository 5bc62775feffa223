import { expect, it } from 'vitest';
import { UniqueNames } from '../../src/check/text.js';

it('makes names unique within the maximum length', () => {
  const names = new UniqueNames();
  const given = ['a', 'a', 'a 2', 'a', 'b', 'a 3', 'x'.repeat(20), 'x'.repeat(20)];
  expect(given.map((name) => names.take(name, 20))).toEqual([
    'a',
    'a 2',
    'a 2 2',
    'a 3',
    'b',
    'a 3 2',
    'x'.repeat(20),
    `${'x'.repeat(11)}… 2`,
  ]);
  expect([names.has('a 3 2'), names.has('a 4')]).toEqual([true, false]);
});

it('numbers many equal names in linear time', () => {
  const names = new UniqueNames();
  const count = 50_000;
  // Counting from 2 for each name would take a billion steps.
  const taken = Array.from({ length: count }, (_, nth) =>
    names.take(`${'x'.repeat(300)}${nth % 3}`, 255),
  );
  expect(new Set(taken).size).toBe(count);
  expect(taken.at(-1)).toMatch(/^x{246}… \d+$/);
});
