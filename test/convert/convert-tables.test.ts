import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { convert } from '../../src/convert/convert.js';
import { planOne } from '../../src/export/plan.js';
import { singleInputs } from '../../src/query/inputs.js';
import { fixtures, root } from '../helpers/corpus.js';
import { readSf } from '../helpers/sf.js';

const hostileTrial = ['.', 'Release']
  .map((folder) => join(root, 'native/build', folder, 'sfkit_hostile_trial'))
  .find(existsSync);

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'sfkit-tables-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** The records of a capture as a .sf file has them, and those of one that was made of tables of it. */
async function bothWays(capture: string, format: 'parquet' | 'arrow', name: string) {
  const path = (part: string) => join(directory, `${name}-${format}-${part}`);
  const options = { fileOnly: false, fileReadMode: 'all' } as const;
  await convert(planOne(capture, false, 'avro', path('want.sf')), options);
  await convert(planOne(capture, false, format, path('tables/')), options);
  const [input] = singleInputs([path('tables/')]);
  await convert(planOne(path('tables/'), false, 'avro', path('got.sf')), { tables: input?.tables });
  return { want: await readSf(path('want.sf')), got: await readSf(path('got.sf')) };
}

it.each(['parquet', 'arrow'] as const)(
  '%s tables make the SysFlow file of their capture',
  async (format) => {
    const { want, got } = await bothWays(join(fixtures, 'webserver.scap'), format, 'webserver');
    expect(got).toEqual(want);
  },
  60_000,
);

it.skipIf(hostileTrial === undefined)(
  'the kinds of a file that changes are at their places',
  async () => {
    const capture = join(directory, 'kinds.scap');
    execFileSync(hostileTrial as string, ['write', 'kinds_of_files', '3', capture]);
    const { want, got } = await bothWays(capture, 'parquet', 'kinds');
    expect(got).toEqual(want);
    expect(want.filter(({ type, fields }) => type === 'File' && fields.state === 'MODIFIED')).not.toEqual([]);
  },
  60_000,
);
