import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { convert } from '../../src/convert/convert.js';
import { planOne } from '../../src/export/plan.js';
import { singleInputs } from '../../src/query/inputs.js';
import { fixtures } from '../helpers/corpus.js';
import { readSf } from '../helpers/sf.js';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-tables-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

it.each(['parquet', 'arrow'] as const)(
  '%s tables make the SysFlow file of their capture',
  async (format) => {
    const path = (name: string) => join(directory, `${format}-${name}`);
    const capture = join(fixtures, 'webserver.scap');
    await convert(planOne(capture, false, 'avro', path('want.sf')));
    await convert(planOne(capture, false, format, path('tables/')));
    const [input] = singleInputs([path('tables/')]);
    await convert(planOne(path('tables/'), false, 'avro', path('got.sf')), { tables: input?.tables });
    expect(await readSf(path('got.sf'))).toEqual(await readSf(path('want.sf')));
  },
  60_000,
);
