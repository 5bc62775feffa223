import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { convert } from '../../src/convert/convert.js';
import type { TableName } from '../../src/engine/columns.gen.js';
import { selectedColumns } from '../../src/show/attributes.js';
import { readFilter } from '../../src/show/filter.js';
import { type ShowOptions, show, showInputs } from '../../src/show/show.js';
import type { ShowFormat } from '../../src/show/writers.js';
import { fixtures } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';
import { memorySink } from '../helpers/sinks.js';

const directory = testDirectory();
// Without IPv6, which .sf files lack.
const capture = join(fixtures, 'incident.scap');
const later = capture;
const earlier = join(fixtures, 'webserver.scap');

async function textOf(
  paths: readonly string[],
  format: ShowFormat,
  options: ShowOptions = {},
  table: TableName = 'sysflow',
): Promise<string> {
  const sink = memorySink();
  await show(showInputs(paths), table, format, sink, options);
  return sink.text();
}

type ShownRow = Record<string, unknown>;
const rowsIn = (text: string): ShownRow[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

const columns = (list: string) => ({ columns: selectedColumns(list, () => true) });

describe('formats', () => {
  it('have the selected columns, in their order and with their names', async () => {
    const some = columns('sf.proc.exe,opflags,proc_pid');
    const rows = rowsIn(await textOf([capture], 'jsonl', some));
    expect(rows.length).toBeGreaterThan(50);
    for (const row of rows)
      expect(Object.keys(row)).toEqual(['sf.proc.exe', 'opflags', 'proc_pid']);
    expect(JSON.parse(await textOf([capture], 'json', some))).toEqual(rows);
    const csv = (await textOf([capture], 'csv', some)).split('\r\n');
    expect(csv[0]).toBe('sf.proc.exe,opflags,proc_pid');
    expect(csv).toHaveLength(rows.length + 2);
    const { opflags, proc_pid, ...first } = rows[0] as { opflags: string[]; proc_pid: number };
    expect(csv[1]).toBe(`${Object.values(first)[0]},${opflags.join('|')},${proc_pid}`);
    const drawn = (await textOf([capture], 'table', some)).split('\n');
    expect(drawn[1]?.match(/[\w.]+/g)).toEqual(['sf.proc.exe', 'opflags', 'proc_pid']);
  });

  it('of sysprint have its names: flat, or objects in objects', async () => {
    const some = columns('ts_uts,sf_proc_exe,file.path,type,proc.pid');
    const plain = rowsIn(await textOf([capture], 'jsonl', some));
    const flat = rowsIn(await textOf([capture], 'flatjson', some));
    const nested = rowsIn(await textOf([capture], 'nestedjson', some));
    expect(flat).toEqual(
      plain.map(({ sf_proc_exe, ...row }) => ({ ...row, 'proc.exe': sf_proc_exe })),
    );
    expect(nested).toEqual(
      plain.map((row) => ({
        ts_uts: row.ts_uts,
        proc: { exe: row.sf_proc_exe, pid: row['proc.pid'] },
        file: { path: row['file.path'] },
        type: row.type,
      })),
    );
    // Sections at the end are closed too.
    const ends = rowsIn(await textOf([capture], 'nestedjson', columns('type,proc.pid,proc.tid')));
    expect(Object.keys(ends[0] as object)).toEqual(['type', 'proc']);
    const all = rowsIn(await textOf([capture], 'nestedjson'));
    expect(all.map(({ proc }) => (proc as ShownRow).exe)).toEqual(
      plain.map((row) => row.sf_proc_exe),
    );
  });

  it('without rows', async () => {
    const filter = readFilter('proc.exe = none', undefined);
    expect(await textOf([capture], 'json', { filter })).toBe('[]\n');
    expect(await textOf([capture], 'jsonl', { filter })).toBe('');
    expect(await textOf([capture], 'csv', { filter, ...columns('ts,ret') })).toBe('ts,ret\r\n');
  });
});

describe('inputs', () => {
  it('of a capture, its .sf file and its tables are the same', async () => {
    const some = columns('idx,type,ts_uts,proc.exe,file.path,res,flow.rbytes');
    const rows = rowsIn(await textOf([capture], 'jsonl', some));
    for (const [name, format] of [
      ['a.sf', undefined],
      ['a.parquet', undefined],
      ['a/', 'arrow'],
    ] as const) {
      const output = directory.path(name) + (name.endsWith('/') ? '/' : '');
      await convert(capture, { output, ...(format && { format }) });
      expect(rowsIn(await textOf([output], 'jsonl', some)), name).toEqual(rows);
      const filter = readFilter('type = FF and flow.rbytes > 0', undefined);
      expect(rowsIn(await textOf([output], 'jsonl', { ...some, filter })), name).toEqual(
        rows.filter((row) => row.type === 'FF' && Number(row['flow.rbytes']) > 0),
      );
      const files = rowsIn(await textOf([output], 'jsonl', {}, 'file_flow'));
      expect(files.map(({ idx }) => idx)).toEqual(
        rows.filter(({ type }) => type === 'FF').map(({ idx }) => idx),
      );
    }
  });

  it('are shown in the order of time, also those of directories', async () => {
    mkdirSync(directory.path('flows'));
    copyFileSync(later, directory.path('flows', 'a.scap'));
    copyFileSync(earlier, directory.path('flows', 'b.scap'));
    const some = columns('ts_uts,filename');
    const names = (text: string) => [...new Set(rowsIn(text).map(({ filename }) => filename))];
    const one = await textOf([earlier], 'jsonl', some);
    const other = await textOf([later], 'jsonl', some);
    expect(names(await textOf([later, earlier], 'jsonl', some))).toEqual([
      ...names(one),
      ...names(other),
    ]);
    expect(names(await textOf([directory.path('flows')], 'jsonl', some))).toEqual([
      'b.scap',
      'a.scap',
    ]);
    const filter = readFilter('type = PE', undefined);
    expect(names(await textOf([directory.path('flows')], 'jsonl', { ...some, filter }))).toEqual([
      'b.scap',
      'a.scap',
    ]);
  });

  it('that cannot be read do not keep others from being shown', async () => {
    writeFileSync(directory.path('text'), 'no records');
    const failed: unknown[] = [];
    const each = async <Result>(read: () => Promise<Result>) => {
      try {
        return await read();
      } catch (error) {
        failed.push(error);
        return undefined;
      }
    };
    const alone = await textOf([capture], 'jsonl');
    for (const filter of [undefined, readFilter('type exists', undefined)]) {
      failed.splice(0);
      const text = await textOf([directory.path('text'), capture], 'jsonl', { each, filter });
      expect(text).toBe(alone);
      expect(failed).toHaveLength(1);
    }
  });

  it('without the table are refused', async () => {
    await convert(capture, { output: directory.path('only.parquet'), table: 'process' });
    await expect(textOf([directory.path('only.parquet')], 'jsonl')).rejects.toThrow(
      /only\.parquet: it has no table sysflow; it has process/,
    );
  });
});
