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

// Random rules about random rows: what DuckDB finds is what the naive evaluator finds.

const ruleCount = 200;
const rowCount = 60;

/** A generator of numbers that are the same in every run. */
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

const pieces = [
  'a',
  'A',
  'b',
  'sh',
  '/bin/',
  'bash',
  ',',
  ',,',
  ' ',
  "'",
  '"',
  '%',
  '_',
  '\\',
  ';--',
  '1',
  '22',
  '0',
  'ä',
  '.',
];
const text = (most: number) => Array.from({ length: random.next(most) }, () => random.pick(pieces)).join('');

interface Row {
  columns: Record<string, string | number | boolean | null>;
  record: NaiveRecord;
}

/** Blanks at the ends do not count in some attributes. */
const trim = (value: string) => value.trim();

function rowOf(idx: number): Row {
  const [exe, args, user, id, path] = [text(4), text(6), text(3), text(3), text(5)].map((value) => value || 'x');
  const [pid, uid, gid, fd] = [random.next(4), random.next(3), random.next(30), random.next(3)];
  const [tty, ops] = [random.next(2) === 1, random.next(2 ** 11)];
  const columns = {
    ...{
      idx,
      type: 'FF',
      opflags_bitmap: ops,
      ts_uts: 1000 + idx,
      endts_uts: 2000 + idx,
      proc_pid: pid,
      proc_tid: pid,
    },
    ...{ proc_exe: exe, proc_args: args, proc_user: user, proc_uid: uid, proc_gid: gid, proc_tty: tty, file_fd: fd },
    ...{ container_id: id, file_path: path, file_oid: '00', filename: 'f', node_id: 'n', schema: 5 },
  } as Row['columns'];
  const has = (bit: number) => ((ops >> bit) & 1) === 1;
  const names = ['CLONE', 'EXEC', 'EXIT', 'SETUID', 'SETNS', 'ACCEPT', 'CONNECT', 'OPEN', 'READ', 'WRITE', 'CLOSE'];
  const record = {
    ...{ 'sf.type': 'FF', 'sf.opflags': names.filter((_, bit) => has(bit)).join(','), 'sf.ts': BigInt(1000 + idx) },
    ...{ 'sf.proc.exe': trim(exe as string), 'sf.proc.args': trim(args as string), 'sf.proc.user': user as string },
    ...{
      'sf.proc.pid': BigInt(pid as number),
      'sf.proc.uid': BigInt(uid as number),
      'sf.proc.gid': BigInt(gid as number),
    },
    ...{ 'sf.proc.tty': tty, 'sf.file.fd': BigInt(fd as number), 'sf.container.id': id as string },
    ...{ 'sf.file.path': trim(path as string), 'sf.proc.cmdline': `${trim(exe as string)} ${trim(args as string)}` },
  };
  return { columns, record };
}

const texts = [
  'sf.proc.exe',
  'sf.proc.args',
  'sf.proc.user',
  'sf.container.id',
  'sf.file.path',
  'sf.proc.cmdline',
  'sf.opflags',
];
const integers = ['sf.proc.pid', 'sf.proc.uid', 'sf.proc.gid', 'sf.file.fd', 'sf.ts'];
const attributes = [...texts, ...integers, 'sf.proc.tty', 'sf.type', 'sf.nosuch'];

/** A value that a policy can hold: quoted with the quote that it does not have, or a word. */
function atom(): string {
  const value = text(4).replaceAll("'", '');
  if (random.next(3) === 0)
    return random.pick(['bash', 'sh', '1', '22', '007', 'OPEN', 'EXEC', 'true', 'false', 'FF', '2.5']);
  // Two quotes with nothing between them would begin a longer text.
  return `'${value.replaceAll('"', '') || 'x'}'`;
}

function term(depth: number): string {
  const kind = random.next(depth > 2 ? 5 : 8);
  const operator = () => random.pick(['=', '!=', 'contains', 'icontains', 'startswith', 'endswith']);
  if (kind === 0) return `${random.pick(attributes)} exists`;
  if (kind === 1) return `${random.pick(attributes)} ${operator()} ${random.pick(attributes)}`;
  if (kind === 2)
    return `${random.pick(integers)} ${random.pick(['<', '<=', '>', '>='])} ${random.pick(['1', '2', '1030', 'x', 'sf.proc.uid', '99999999999999999999'])}`;
  if (kind === 3) return `${random.pick(attributes)} ${random.pick(['in', 'pmatch'])} (${atom()}, ${atom()}, lst)`;
  if (kind === 4) return `${random.pick(attributes)} ${operator()} ${atom()}`;
  if (kind === 5) return `not ${term(depth + 1)}`;
  if (kind === 6) return random.pick(['m1', 'm2', 'nosuchmacro']);
  return `(${expression(depth + 1)})`;
}

function expression(depth: number): string {
  return Array.from({ length: 1 + random.next(3) }, () => term(depth)).join(random.pick([' and ', ' or ']));
}

const directory = mkdtempSync(join(tmpdir(), 'sfkit-random-'));
const rows = Array.from({ length: rowCount }, (_, idx) => rowOf(idx));
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
  const columns = tableColumns.file_flow.filter(({ derived }) => !derived);
  const values = rows.map((row) => {
    const literal = (value: string | number | boolean | null | undefined) =>
      value === undefined || value === null ? 'NULL' : typeof value === 'string' ? textLiteral(value) : String(value);
    return `(${columns.map(({ name, type }) => `CAST(${literal(row.columns[name])} AS ${sqlTypes[type]})`).join(', ')})`;
  });
  const names = columns.map(({ name }) => `"${name}"`).join(', ');
  const path = join(directory, 'file_flow.parquet');
  await connection.run(`COPY (SELECT * FROM (VALUES ${values.join(', ')}) t(${names})) TO '${path}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
});

afterAll(() => rmSync(directory, { recursive: true }));

test(`${ruleCount * rowCount} pairs of random rules and rows`, { timeout: 300_000 }, async () => {
  const conditions = Array.from({ length: ruleCount }, () => expression(0));
  const policy = `${definitions}${conditions.map((condition, n) => `- rule: r${n}\n  desc: d\n  condition: ${condition}\n`).join('')}`;
  const items = parsePolicy(policy);
  const known = {
    macros: new Map(items.flatMap((item) => (item.kind === 'macro' ? [[item.name, item.condition] as const] : []))),
    lists: new Map([['lst', ['bash', 'x', 'y', '22']]]),
  };
  const set = sysflow.load([{ name: 'random.yaml', content: policy }]);
  expect(set.diagnostics.filter(({ severity }) => severity === 'error')).toEqual([]);
  const tables = new CheckTables(directory);
  const found = new Map<string, number[]>();
  try {
    const run = set.run(directory, { rules: set.rules, allMatching: true, folds: false, tables });
    for await (const { rule, eventNumber } of run) found.set(rule, [...(found.get(rule) ?? []), eventNumber]);
    expect(run.outcomes().filter(({ reason }) => reason !== undefined)).toEqual([]);
  } finally {
    tables.close();
  }
  const rules = items.filter((item) => item.kind === 'rule');
  const expected = rules.map(({ name, condition }) => ({
    name,
    rows: rows.flatMap(({ record }, idx) => (holds(condition, record, known) ? [idx] : [])),
  }));
  expect(expected.some(({ rows: some }) => some.length > 0 && some.length < rowCount)).toBe(true);
  const ours = rules.map(({ name }) => ({ name, rows: (found.get(name) ?? []).sort((one, other) => one - other) }));
  expect(ours).toEqual(expected);
});
