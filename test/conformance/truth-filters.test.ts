import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { listEvents } from '../../src/export/events.js';
import { corpusCaptures } from '../helpers/corpus.js';
import { memorySink } from '../helpers/sinks.js';
import { type Row, readTruth } from './truth.js';

// Captures that sysdig 0.29.3 cannot read: which events pass is computed from the truth tables of
// the corpus.

const text = (name: string) => (row: Row) => row[name] ?? '';
const number = (name: string) => (row: Row) => (row[name] === '' ? Number.NaN : Number(row[name]));
const has = (row: Row, name: string) => (row[name] ?? '') !== '';

const filters: Record<string, (row: Row) => boolean> = {
  'evt.type in (openat, close, read)': (row) =>
    ['openat', 'close', 'read'].includes(text('evt.type')(row)),
  'evt.res = ENOENT': (row) => text('evt.res')(row) === 'ENOENT',
  'evt.rawres > 4096': (row) => number('evt.rawres')(row) > 4096,
  'evt.rawres <= -1 and evt.rawres >= -4095': (row) =>
    number('evt.rawres')(row) <= -1 && number('evt.rawres')(row) >= -4095,
  'proc.name = python3': (row) => text('proc.name')(row) === 'python3',
  'proc.exe endswith sh': (row) => text('proc.exe')(row).endsWith('sh'),
  'proc.exepath startswith /usr/bin/': (row) => text('proc.exepath')(row).startsWith('/usr/bin/'),
  'proc.exepath pmatch (/usr/bin, /tmp)': (row) =>
    /^\/(usr\/bin|tmp)(\/|$)/.test(text('proc.exepath')(row)),
  'proc.cwd contains tmp': (row) => text('proc.cwd')(row).includes('tmp'),
  'proc.args contains "-"': (row) => text('proc.args')(row).includes('-'),
  'proc.exe != val(proc.name)': (row) => text('proc.exe')(row) !== text('proc.name')(row),
  'user.uid = 1001': (row) => number('user.uid')(row) === 1001,
  'container.id != host': (row) => has(row, 'container.id'),
  'fd.num >= 5': (row) => number('fd.num')(row) >= 5,
  'fd.typechar in (f, d)': (row) => ['f', 'd'].includes(text('fd.typechar')(row)),
  'fd.typechar = 4 or fd.typechar = 6': (row) => ['4', '6'].includes(text('fd.typechar')(row)),
  'fd.name regex "/etc/.*"': (row) => /^\/etc\/.*$/.test(text('fd.name')(row)),
  'fd.name glob "*.so*" and not evt.type = mmap': (row) =>
    text('fd.name')(row).includes('.so') && text('evt.type')(row) !== 'mmap',
  'toupper(proc.name) contains A': (row) => text('proc.name')(row).toUpperCase().includes('A'),
  'len(proc.name) > 4': (row) => text('proc.name')(row).length > 4,
};

const names = ['a_files', 'd_gcc', 'g_modern', 'n_table', 't_small'].map(
  (name) => `modern/${name}`,
);
const captures = corpusCaptures()
  .filter(({ name }) => names.includes(name))
  .map(({ path }) => ({ path, truth: path.replace(/\.scap$/, '.events.tsv.gz') }))
  .filter(({ truth }) => existsSync(truth))
  .map(({ path, truth }) => ({ path, rows: readTruth(truth) }));

describe.skipIf(captures.length === 0)(
  'filters pass the events of the truth tables (needs ../shared)',
  () => {
    it.each(Object.entries(filters))('%s', async (filter, passes) => {
      let passed = 0;
      for (const { path, rows } of captures) {
        const wanted = [...rows]
          .filter(([, row]) => text('evt.type')(row) !== 'procinfo' && passes(row))
          .map(([blk]) => blk);
        const sink = memorySink();
        await listEvents(
          path,
          { format: 'text', line: '%evt.num', filter: `(${filter}) and not evt.type = procinfo` },
          sink,
        );
        const found = sink
          .text()
          .split('\n')
          .filter((line) => line !== '')
          .map(Number)
          .filter((blk) => rows.has(blk));
        expect(found).toEqual(wanted.sort((a, b) => a - b));
        passed += found.length;
      }
      expect(passed).toBeGreaterThan(0);
    });
  },
);
