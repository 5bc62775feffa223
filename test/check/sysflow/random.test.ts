import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { textLiteral } from '../../../src/check/sql/literals.js';
import { CheckTables } from '../../../src/check/sql/tables.js';
import { parsePolicy } from '../../../src/check/sysflow/grammar.js';
import { sysflow } from '../../../src/check/sysflow/sysflow.js';
import { sqlTypes } from '../../../src/duckdb/sql-text.js';
import { tableColumns } from '../../../src/engine/columns.gen.js';
import { holds, type NaiveRecord } from './naive.js';
import {
  attributesOf,
  type Columns,
  type RecordKind,
  randomColumns,
  randomText,
  tableNames,
} from './records.js';

// Random rules on random rows: DuckDB must find the same rows as the naive evaluator.

const ruleCount = 150;
const rowCount = 100;

/** Pseudo-random numbers, the same in every run. */
function generator(seed: number) {
  let state = seed;
  const next = (below: number) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
  const pick = <Item>(items: readonly Item[]) => items[next(items.length)] as Item;
  return { next, pick };
}

const random = generator(20261129);

const kinds = Object.keys(tableNames) as RecordKind[];

interface Row {
  columns: Columns;
  record: NaiveRecord;
}

/** A row with the columns that its table has. */
function rowOf(idx: number): Row {
  const kind = kinds[idx % kinds.length] as RecordKind;
  const made = randomColumns(random, kind, idx);
  const own = tableColumns[tableNames[kind]].map(({ name }) => [name, made[name] ?? null] as const);
  const columns = Object.fromEntries(own) as Columns;
  return { columns, record: attributesOf(columns) };
}

const rows = Array.from({ length: rowCount }, (_, idx) => rowOf(idx));
const [sample] = rows as [Row];
const integers = Object.keys(sample.record).filter(
  (name) => typeof sample.record[name] === 'bigint',
);
const attributes = [...Object.keys(sample.record), 'sf.nosuch', 'sf.ke.message[items.0.namespace]'];

/** A value for a policy: quoted with a quote that it does not contain, or a word. */
function atom(): string {
  const value = randomText(random, 4).replaceAll("'", '');
  if (random.next(3) === 0)
    return random.pick([
      'bash',
      'sh',
      '1',
      '22',
      '007',
      'OPEN',
      'EXEC',
      'true',
      'false',
      'FF',
      'NF',
      'KE',
      'RECV',
      'WRITE',
      "'<NA>'",
      '2.5',
    ]);
  // Two adjacent quotes would start a longer text.
  return `'${value.replaceAll('"', '') || 'x'}'`;
}

function term(depth: number): string {
  const kind = random.next(depth > 2 ? 5 : 8);
  const operator = () =>
    random.pick(['=', '!=', 'contains', 'icontains', 'startswith', 'endswith']);
  if (kind === 0) return `${random.pick(attributes)} exists`;
  if (kind === 1) return `${random.pick(attributes)} ${operator()} ${random.pick(attributes)}`;
  if (kind === 2)
    return `${random.pick(integers)} ${random.pick(['<', '<=', '>', '>='])} ${random.pick(['1', '2', '1030', 'x', 'sf.proc.uid', '99999999999999999999'])}`;
  if (kind === 3)
    return `${random.pick(attributes)} ${random.pick(['in', 'pmatch'])} (${atom()}, ${atom()}, lst)`;
  if (kind === 4) return `${random.pick(attributes)} ${operator()} ${atom()}`;
  if (kind === 5) return `not ${term(depth + 1)}`;
  if (kind === 6) return random.pick(['m1', 'm2', 'nosuchmacro']);
  return `(${expression(depth + 1)})`;
}

function expression(depth: number): string {
  return Array.from({ length: 1 + random.next(3) }, () => term(depth)).join(
    random.pick([' and ', ' or ']),
  );
}

const directory = mkdtempSync(join(tmpdir(), 'sfkit-random-'));
const definitions = `- list: lst
  items: [bash, 'x,y', "22"]
- macro: m1
  condition: sf.proc.uid > 0
- macro: m2
  condition: m1 or sf.proc.exe contains sh
`;

beforeAll(async () => {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  const literal = (value: Columns[string] | undefined) =>
    value === undefined || value === null
      ? 'NULL'
      : typeof value === 'string'
        ? textLiteral(value)
        : String(value);
  for (const kind of kinds) {
    const table = tableNames[kind];
    const columns = tableColumns[table].filter(({ derived }) => !derived);
    const names = columns.map(({ name }) => `"${name}"`).join(', ');
    const values = rows
      .filter((row) => row.columns.type === kind)
      .map((row) =>
        columns
          .map(({ name, type }) => `CAST(${literal(row.columns[name])} AS ${sqlTypes[type]})`)
          .join(', '),
      );
    const path = join(directory, `${table}.parquet`);
    await connection.run(
      `COPY (SELECT * FROM (VALUES ${values.map((row) => `(${row})`).join(', ')}) t(${names})) TO '${path}' (FORMAT parquet)`,
    );
  }
  connection.closeSync();
  instance.closeSync();
});

afterAll(() => rmSync(directory, { recursive: true }));

test(`${ruleCount * rowCount} pairs of random rules and rows`, { timeout: 300_000 }, async () => {
  const conditions = Array.from({ length: ruleCount }, () => expression(0));
  const policy = `${definitions}${conditions.map((condition, n) => `- rule: r${n}\n  desc: d\n  condition: ${condition}\n`).join('')}`;
  const items = parsePolicy(policy);
  const known = {
    macros: new Map(
      items.flatMap((item) =>
        item.kind === 'macro' ? [[item.name, item.condition] as const] : [],
      ),
    ),
    lists: new Map([['lst', ['bash', 'x', 'y', '22']]]),
  };
  const set = sysflow.load([{ name: 'random.yaml', content: policy }]);
  expect(set.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const tables = new CheckTables(directory);
  const found = new Map<string, number[]>();
  try {
    const run = set.run(directory, {
      rules: set.rules,
      allMatching: true,
      foldRepeats: false,
      tables,
    });
    for await (const { rule, eventNumber } of run)
      found.set(rule, [...(found.get(rule) ?? []), eventNumber]);
    expect(
      run
        .outcomes()
        .filter(({ reason = '' }) => !/^(the input does not describe .*)?$/.test(reason)),
    ).toEqual([]);
  } finally {
    tables.close();
  }
  const rules = items.filter((item) => item.kind === 'rule');
  const expected = rules.map(({ name, condition }) => ({
    name,
    rows: rows.flatMap(({ record }, idx) => (holds(condition, record, known) ? [idx] : [])),
  }));
  expect(expected.some(({ rows: some }) => some.length > 0 && some.length < rowCount)).toBe(true);
  const ours = rules.map(({ name }) => ({
    name,
    rows: (found.get(name) ?? []).sort((one, other) => one - other),
  }));
  const wrong = ours.flatMap(({ name, rows: own }, index) => {
    const wanted = expected[index]?.rows ?? [];
    const different = rows.flatMap((_, idx) =>
      own.includes(idx) === wanted.includes(idx) ? [] : [idx],
    );
    return different.length === 0
      ? []
      : [[name, conditions[index], different, rows[different[0] as number]?.columns]];
  });
  expect(wrong).toEqual([]);
});
