import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { sigma } from '../../../src/check/sigma/sigma.js';
import { textLiteral } from '../../../src/check/sql/literals.js';
import { CheckTables } from '../../../src/check/sql/tables.js';
import { sqlTypes } from '../../../src/duckdb/sql-text.js';
import { opNames, type TableName, tableColumns } from '../../../src/engine/columns.gen.js';
import { type FormsRow, matches } from './naive.js';
import { addresses, cell, numbers, Random, type RandomFields, rule, text } from './random-rules.js';

// Random rules of each category on random tables: a run must find the same rows as the naive
// evaluator.

const ruleCount = 70;
const rowCount = 60;

const directory = mkdtempSync(join(tmpdir(), 'sfkit-sigma-'));
afterAll(() => rmSync(directory, { recursive: true }));

interface Made {
  table: TableName;
  columns: Readonly<Record<string, string | number | boolean | null>>;
  /** The row as records of the category's log; a rule matches if it matches one of them. */
  records: readonly FormsRow[];
}

function bits(...names: string[]): number {
  return names.reduce((sum, name) => sum | (1 << opNames.indexOf(name)), 0);
}

function processOf(random: Random) {
  const value = () => cell(random, 'text');
  const number = () => (random.chance(20) ? null : random.of(numbers));
  const [exe, parentExe, user, parentUser, name, parentName] = [
    value(),
    value(),
    value(),
    value(),
    value(),
    value(),
  ];
  const [args, parentArgs] = [text(random, false), text(random, false)];
  const [pid, parentPid] = [number(), number()];
  // Either everything is known about a process, or nothing.
  const [line, parentLine] = [
    name === null ? null : text(random, false),
    parentName === null ? null : text(random, false),
  ];
  const named = (start: string | null, rest: string) =>
    start === null ? null : rest === '' ? start : `${start} ${rest}`;
  const columns = {
    ...{
      proc_pid: pid,
      proc_exe: exe,
      proc_name: name,
      proc_args: args,
      proc_cmdline: line,
      proc_user: user,
    },
    ...{
      pproc_pid: parentPid,
      pproc_exe: parentExe,
      pproc_name: parentName,
      pproc_args: parentArgs,
    },
    ...{ pproc_cmdline: parentLine, pproc_user: parentUser },
  };
  const fields = {
    ...{ Image: exe, User: user, ProcessId: pid, CommandLine: [line, named(name, args)] },
    ...{ ParentImage: parentExe, ParentUser: parentUser, ParentProcessId: parentPid },
    ParentCommandLine: [parentLine, named(parentName, parentArgs)],
  };
  return { columns, fields };
}

const ofProcess = [
  ...[
    'Image',
    'CommandLine',
    'User',
    'ProcessId',
    'ParentImage',
    'ParentUser',
    'ParentProcessId',
    'ParentCommandLine',
  ],
];

const categories: Readonly<Record<string, RandomFields & { make: (random: Random) => Made }>> = {
  process_creation: {
    ...{ all: ofProcess, address: 'User', number: 'ProcessId' },
    make(random) {
      const { columns, fields } = processOf(random);
      const [operation, ret] = [
        random.of(['EXEC', 'EXEC', 'EXEC', 'CLONE']),
        random.of([0, 0, 0, -2]),
      ];
      return {
        table: 'process_event',
        columns: { ...columns, opflags_bitmap: bits(operation), ret },
        records: operation === 'EXEC' && ret === 0 ? [fields] : [],
      };
    },
  },
  file_event: {
    ...{
      all: [...ofProcess, 'TargetFilename', 'TargetFilename'],
      address: 'TargetFilename',
      number: 'ProcessId',
    },
    make(random) {
      const { columns, fields } = processOf(random);
      const [path, newPath] = [cell(random, 'text'), cell(random, 'text')];
      const writes = random.chance(70);
      if (random.chance(40)) {
        const isOpen = random.chance(80);
        return {
          table: 'file_flow',
          columns: {
            ...{ ...columns, file_path: path, opflags_bitmap: bits(isOpen ? 'OPEN' : 'CLOSE') },
            file_is_open_write: writes,
          },
          records: isOpen && writes ? [{ ...fields, TargetFilename: path }] : [],
        };
      }
      const some = random.list(2, () =>
        random.of(['MKDIR', 'LINK', 'SYMLINK', 'RENAME', 'UNLINK']),
      );
      const ret = random.of([0, 0, -17]);
      const links = some.some((name) => ['LINK', 'SYMLINK', 'RENAME'].includes(name));
      return {
        table: 'file_event',
        columns: {
          ...columns,
          file_path: path,
          file_newpath: newPath,
          opflags_bitmap: bits(...some),
          ret,
        },
        records: [
          ...(some.includes('MKDIR') && ret === 0 ? [{ ...fields, TargetFilename: path }] : []),
          ...(links ? [{ ...fields, TargetFilename: newPath }] : []),
        ],
      };
    },
  },
  network_connection: {
    all: [
      ...ofProcess,
      'DestinationIp',
      'DestinationPort',
      'SourceIp',
      'SourcePort',
      'Protocol',
      'Initiated',
    ],
    ...{ address: 'DestinationIp', number: 'DestinationPort' },
    make(random) {
      const { columns, fields } = processOf(random);
      const [source, target] = [random.of(addresses), random.of(addresses)];
      const [from, to] = [random.of(numbers), random.of(numbers)];
      const [protocol, name] = random.of([
        [1, 'icmp'],
        [6, 'tcp'],
        [17, 'udp'],
        [254, null],
      ] as const);
      const operation = random.of(['CONNECT', 'ACCEPT']);
      const ofConnection = {
        ...{
          SourceIp: source,
          SourcePort: from,
          DestinationIp: target,
          DestinationPort: to,
          Protocol: name,
        },
        Initiated: String(operation === 'CONNECT'),
      };
      return {
        table: 'network_flow',
        columns: {
          ...{ ...columns, net_sip: source, net_dip: target, net_sport: from, net_dport: to },
          ...{ net_proto: protocol, opflags_bitmap: bits(operation) },
        },
        records: [{ ...fields, ...ofConnection }],
      };
    },
  },
};

async function write(path: string, rows: readonly (Made & { idx: number })[]): Promise<void> {
  mkdirSync(path);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  for (const table of new Set(rows.map((row) => row.table))) {
    const physical = tableColumns[table].filter(({ derived }) => !derived);
    const values = rows
      .filter((row) => row.table === table)
      .map(({ columns, idx }) => {
        const cells: Made['columns'] = { ...columns, idx, ts_uts: 1000 + idx, filename: 'f' };
        const literal = (value: Made['columns'][string]) =>
          typeof value === 'string' ? textLiteral(value) : String(value);
        return `(${physical.map(({ name, type }) => `CAST(${literal(cells[name] ?? null)} AS ${sqlTypes[type]})`).join(', ')})`;
      });
    const names = physical.map(({ name }) => `"${name}"`).join(', ');
    await connection.run(
      `COPY (SELECT * FROM (VALUES ${values.join(', ')}) t(${names})) TO '${join(path, table)}.parquet' (FORMAT parquet)`,
    );
  }
  connection.closeSync();
  instance.closeSync();
}

test.for(Object.entries(categories))(
  '%s',
  { timeout: 240_000 },
  async ([category, { make, ...fields }]) => {
    const random = new Random(20261129);
    const rows = Array.from({ length: rowCount }, (_, idx) => ({ ...make(random), idx }));
    const rules = Array.from({ length: ruleCount }, () => rule(random, fields));
    const path = join(directory, category);
    await write(path, rows);
    const set = sigma.load(
      rules.map((one, number) => {
        const content = { ...one, title: `r${number}`, logsource: { category, product: 'linux' } };
        return { name: `${number}.yml`, content: stringify(content, { version: '1.1' }) };
      }),
    );
    expect(set.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
    const found = new Map<string, number[]>();
    const tables = new CheckTables(path);
    try {
      const run = set.run(path, {
        rules: set.rules,
        allMatching: true,
        foldRepeats: false,
        tables,
      });
      for await (const one of run)
        found.set(one.rule, [...(found.get(one.rule) ?? []), one.eventNumber]);
    } finally {
      tables.close();
    }
    let positive = 0;
    const wrong = rules.flatMap((one, number) => {
      const expected = rows
        .filter(({ records }) => records.some((record) => matches(one, record)))
        .map(({ idx }) => idx);
      const own = (found.get(`r${number}`) ?? []).sort((a, b) => a - b);
      positive += own.length;
      const odd = rows.find(({ idx }) => own.includes(idx) !== expected.includes(idx));
      return odd === undefined ? [] : [{ rule: one.detection, own, expected, odd }];
    });
    expect(wrong).toEqual([]);
    // Both outcomes must be frequent.
    expect(positive).toBeGreaterThan(500);
    expect(positive).toBeLessThan((ruleCount * rowCount * 4) / 5);
  },
);
