import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openColumns } from '../../src/engine/session.js';
import { recordLines } from '../../src/live/line.js';
import { fixtures } from '../helpers/corpus.js';

async function linesOf(
  options: Partial<Parameters<typeof recordLines>[1]> = {},
): Promise<string[]> {
  const lines: string[] = [];
  const session = openColumns({
    input: join(fixtures, 'webserver.scap'),
    kind: 'capture',
    tables: ['sysflow'],
  });
  for await (const batch of session)
    lines.push(...recordLines(batch, { columns: 80, color: false, env: false, ...options }));
  return lines;
}

it('a record is one short line', async () => {
  const lines = await linesOf();
  expect(lines.length).toBeGreaterThan(20);
  for (const line of lines) {
    expect(line).toMatch(/^\d\d:\d\d:\d\d\.\d{3} [A-Z0-9]+ .*\n$/);
    expect(line.length).toBeLessThanOrEqual(81);
  }
  const wide = await linesOf({ columns: 400 });
  expect(wide.filter((line) => line.includes(' NF ')).join('')).toMatch(
    / NF \S+\[\d+\] \S+ \S+:\d+ -> \S+:\d+ read \d+ written \d+/,
  );
  expect(wide.filter((line) => line.includes(' FF ')).join('')).toMatch(
    / FF \S+\[\d+\] \S+ \/\S+ read \d+ written \d+/,
  );
});

it('has colors on request only, around text that is escaped', async () => {
  const plain = await linesOf();
  const colored = await linesOf({ color: true });
  expect(plain.join('')).not.toContain('\x1b');
  expect(colored.map((line) => line.replace(/\x1b\[\d*m/g, ''))).toEqual(plain);
  for (const line of colored) expect(line.match(/\x1b\[\d+m/g)).toHaveLength(2 + 2);
});
