import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { convert } from '../../src/convert/convert.js';
import { fixtures } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';
import { readSf } from '../helpers/sf.js';

const capture = join(fixtures, 'webserver.scap');
const directory = testDirectory();
const reason = new Error('enough');

describe('convert', () => {
  it('derives the format from the output name', async () => {
    const output = directory.path('a.sf');
    const { events, records } = await convert(capture, { output });
    expect(events).toBe(831n);
    expect((await readSf(output)).filter(({ type }) => type === 'Process')).toHaveLength(
      Number(records.Process),
    );
  });

  it('accepts a directory of tables as one input', async () => {
    const tables = directory.path('tables/');
    await convert(capture, { output: tables, format: 'arrow' });
    const rebuilt = directory.path('rebuilt.sf');
    const { records } = await convert(tables, { output: rebuilt });
    expect((await readSf(rebuilt)).filter(({ type }) => type === 'Process')).toHaveLength(
      Number(records.Process),
    );
  });

  it('rejects several inputs, and an output that is its own input', async () => {
    const captures = directory.path('captures');
    mkdirSync(captures);
    for (const name of ['a.scap', 'b.scap']) writeFileSync(join(captures, name), '');
    const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
    await expect(convert(captures, { output: directory.path('o/') })).rejects.toEqual(refused);
    await expect(convert(capture, { output: capture })).rejects.toEqual(refused);
  });

  it.each(['sf', 'jsonl', 'parquet'])(
    'writes no .%s when its signal is aborted and throws the reason',
    async (kind) => {
      const controller = new AbortController();
      const before = readdirSync(directory.path());
      const options = { output: directory.path(`a.${kind}`), signal: controller.signal };
      await expect(
        convert(capture, { ...options, onProgress: () => controller.abort(reason) }),
      ).rejects.toBe(reason);
      await expect(convert(capture, options)).rejects.toBe(reason);
      expect(readdirSync(directory.path())).toEqual(before);
    },
  );

  it('ends with tables as input too', async () => {
    // Concatenated captures make a long input; progress is reported every few thousand rows.
    const long = directory.path('long.scap');
    writeFileSync(long, Buffer.concat(Array.from({ length: 100 }, () => readFileSync(capture))));
    const tables = directory.path('tables/');
    await convert(long, { output: tables, format: 'arrow' });
    const controller = new AbortController();
    const onProgress = () => controller.abort(reason);
    const output = directory.path('a.sf');
    await expect(convert(tables, { output, onProgress, signal: controller.signal })).rejects.toBe(
      reason,
    );
    await expect(convert(tables, { output, signal: controller.signal })).rejects.toBe(reason);
    expect(readdirSync(directory.path()).sort()).toEqual(['long.scap', 'tables']);
  });
});
