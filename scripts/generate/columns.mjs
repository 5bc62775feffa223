import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeIfChanged } from './write.mjs';

/** The virtual table of all events and flows. */
const ALL = {
  name: 'sysflow',
  kind: 'all',
  record: '',
  doc: 'all events and flows in output order, with the columns of every kind',
};

/** Columns of these types hold the numbers of a column in another form. */
const physicalTypes = ['i32', 'i64', 'str', 'bool'];

/** Units of numbers and times; text, booleans and lists have none. */
const units = [
  'ns',
  'seconds',
  'ns since 1970',
  'UTC',
  'bytes',
  'calls',
  'count',
  'KiB',
  'bits',
  'port',
  'id',
  'number',
];

/**
 * From native/tables/columns.json: src/engine/columns.gen.ts, native/generated/columns.gen.h and
 * ops.gen.h.
 */
export function generate(root) {
  const source = JSON.parse(readFileSync(join(root, 'native/tables/columns.json'), 'utf8'));
  check(source);
  const { flags } = JSON.parse(readFileSync(join(root, 'native/tables/names.json'), 'utf8'));
  const captureTables = source.captureTables.map(({ name, doc, at }) => {
    return { name, kind: 'capture', record: '', doc, ...(at && { at }) };
  });
  const model = {
    ...source,
    tables: [...source.tables, ALL],
    captureTables,
    tableColumns: layout(source),
  };
  model.openFlags = openFlags(flags.file_flags);
  model.captureColumns = source.captureTables.flatMap(({ name: table, columns }) =>
    columns.map((column) => ({ ...column, id: `${table}_${column.name}` })),
  );
  writeIfChanged(join(root, 'src/engine/columns.gen.ts'), typescript(model));
  writeIfChanged(join(root, 'native/generated/columns.gen.h'), cpp(model));
  writeIfChanged(join(root, 'native/generated/ops.gen.h'), opsSource(source.ops));
}

function check({ schema, tables, columns, captureTables, ops, views }) {
  const tableNames = new Set(tables.map((table) => table.name));
  const byName = new Map(columns.map((column) => [column.name, column]));
  const fail = (message) => {
    throw new Error(`native/tables/columns.json: ${message}`);
  };
  if (byName.size !== columns.length) fail('two columns have the same name');
  if (ops.length > 31) fail('more operations than bits in an int');
  for (const column of [...columns, ...captureTables.flatMap((table) => table.columns)]) {
    if ((column.from === undefined) !== (column.group !== undefined))
      fail(`column ${column.name}: exactly one of "from" and "group" is required`);
  }
  for (const { name, type, unit, since, added = {} } of [
    ...columns,
    ...captureTables.flatMap((table) => table.columns),
    ...views.flatMap((view) => view.columns),
  ]) {
    if (
      ![since, ...Object.values(added)].every(
        (version) => Number.isInteger(version) && 1 <= version && version <= schema,
      )
    )
      fail(`column ${name}: "since" is the schema version that added it, 1 to ${schema}`);
    const isNumber = ['i32', 'i64', 'ts'].includes(type);
    if (isNumber ? !units.includes(unit) : unit !== undefined)
      fail(
        `column ${name}: a number or time has one of these units, and nothing else has one: ${units.join(', ')}`,
      );
  }
  for (const column of columns) {
    for (const table of column.tables) {
      if (!tableNames.has(table)) fail(`column ${column.name} names the unknown table ${table}`);
    }
    const physical = physicalTypes.includes(column.type);
    if (physical === 'from' in column)
      fail(`column ${column.name}: type ${column.type} and "from" disagree`);
    if (
      column.from &&
      !column.tables.every((table) => byName.get(column.from)?.tables.includes(table))
    ) {
      fail(`column ${column.name}: ${column.from} is not in all of its tables`);
    }
  }
}

/** Names of open flags with their bits, lowest first. The access mode is a number in two bits. */
function openFlags(fileFlags) {
  return fileFlags.filter(([, bits]) => bits !== 0).sort(([, left], [, right]) => left - right);
}

/** Columns per table, in order; `physical` is the index of the column's values in a batch. */
function layout({ tables, columns, captureTables }) {
  const rowTables = tables.filter((table) => table.kind !== 'entity').map((table) => table.name);
  const select = (table, wanted, nullable, from = columns) => {
    const chosen = from.filter(wanted);
    const places = new Map(
      chosen.filter((column) => !column.from).map((column, place) => [column.name, place]),
    );
    return chosen.map((column) => ({
      name: column.name,
      type: column.type,
      nullable: nullable(column),
      physical: places.get(column.from ?? column.name),
      derived: column.from !== undefined,
      since: column.added?.[table] ?? column.since,
      ...(column.field !== undefined && { field: column.field }),
      ...(column.hidden && { hidden: true }),
    }));
  };
  const result = {};
  for (const { name } of tables) {
    result[name] = select(
      name,
      (column) => column.tables.includes(name),
      (column) => column.nullable,
    );
  }
  result[ALL.name] = select(
    ALL.name,
    (column) => column.tables.some((table) => rowTables.includes(table)),
    (column) => column.nullable || !rowTables.every((table) => column.tables.includes(table)),
  );
  for (const { name, columns: own } of captureTables)
    result[name] = select(
      name,
      () => true,
      (column) => column.nullable,
      own,
    );
  for (const { name } of captureTables) {
    for (const column of result[name]) column.id = `${name}_${column.name}`;
  }
  return result;
}

function typescript({
  schema,
  ops,
  openFlags,
  tables,
  captureTables,
  columns,
  tableColumns,
  views,
}) {
  const lines = (items) => items.map((item) => `  ${JSON.stringify(item)},`).join('\n');
  const perTable = Object.entries(tableColumns)
    .map(
      ([name, list]) =>
        `  ${name}: [\n${list.map(({ id: _, ...item }) => `    ${JSON.stringify(item)},`).join('\n')}\n  ],`,
    )
    .join('\n');
  return `// Made by scripts/generate.mjs from native/tables/columns.json.

/**
 * i32, i64, str and bool are what a batch holds; ops (list of operation names), flags (list of open
 * flags) and ts (time) are made from one of those.
 */
export type ColumnType = 'i32' | 'i64' | 'str' | 'bool' | 'ops' | 'flags' | 'ts';

/** Version of the tables' columns. It grows whenever a column is added or changed. */
export const schemaVersion = ${schema};

export type TableName = ${[...tables, ...captureTables].map((table) => `'${table.name}'`).join(' | ')};

export interface TableSpec {
  readonly name: TableName;
  /**
   * 'all' is the virtual table of all events and flows; a 'capture' table describes a capture, not
   * its records.
   */
  readonly kind: 'event' | 'flow' | 'entity' | 'all' | 'capture';
  /** Value of the column \`type\`; empty for entities and the virtual table. */
  readonly record: string;
  readonly doc: string;
  /** A 'capture' table of the state at a moment: SQL reads it as a function of the moment. */
  readonly at?: true;
}

export interface ColumnSpec {
  readonly name: string;
  readonly type: ColumnType;
  /** Unit of a number or time. */
  readonly unit?: string;
  /** The column whose values this one represents in another form. */
  readonly from?: string;
  readonly tables: readonly string[];
  readonly nullable: boolean;
  /** The schema version that added it. */
  readonly since: number;
  /** Later versions that added it to further tables. */
  readonly added?: Readonly<Record<string, number>>;
  readonly doc: string;
}

export interface ViewSpec {
  readonly name: string;
  readonly doc: string;
  readonly reads: readonly TableName[];
  /** Its columns; if it shows the columns of a table too, those that follow them. */
  readonly columns: readonly Omit<ColumnSpec, 'tables'>[];
  /** The table whose columns come first. */
  readonly extends?: TableName;
}

export interface TableColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly nullable: boolean;
  /**
   * Index of its values in a batch of the engine.
   * @internal
   */
  readonly physical: number;
  /** Derived from the values of another column. */
  readonly derived: boolean;
  /** The schema version that added it to the table. */
  readonly since: number;
  /** For a capture table: the event field with the same values. */
  readonly field?: string;
  /** Serves to select rows and is not shown. */
  readonly hidden?: true;
}

/** Operation names; the index is the bit in opflags_bitmap. */
export const opNames: readonly string[] = ${JSON.stringify(ops)};

/**
 * Names and bits of open flags, lowest bit first. O_RDONLY, O_WRONLY and O_RDWR are values of the
 * lowest two bits.
 */
export const openFlagNames: readonly (readonly [name: string, bits: number])[] = ${JSON.stringify(openFlags)};

export const tables: readonly TableSpec[] = [
${lines(tables)}
];

/** Tables that only captures have: SQL reads them, and no format has files for them. */
export const captureTables: readonly TableSpec[] = [
${lines(captureTables)}
];

/** Every column of records once, in declared order. */
export const columns: readonly ColumnSpec[] = [
${lines(columns.map(({ group: _, ...column }) => column))}
];

/** Views that SQL has besides the tables: what they show, and the tables that they read. */
export const views: readonly ViewSpec[] = [
${lines(views)}
];

/** The columns of each table, in order. */
export const tableColumns: Readonly<Record<TableName, readonly TableColumn[]>> = {
${perTable}
};
`;
}

const opName = (op) =>
  `kOp${op.toLowerCase().replace(/(?:^|_)([a-z0-9])/g, (_, letter) => letter.toUpperCase())}`;

/** The operations as bits. */
function opsSource(ops) {
  return `// Made by scripts/generate.mjs from native/tables/columns.json.
#pragma once

#include <cstdint>

namespace sfkit::sysflow {

// Operation bits of \`opFlags\`; an event carries one of them, a flow the union of what happened.
enum Op : uint32_t {
${ops.map((op, bit) => `  ${opName(op)} = 1u << ${bit},`).join('\n')}
};

// Of calls that move bytes from one descriptor to another: a read and a write.
inline constexpr uint32_t kOpTransfer = kOpReadRecv | kOpWriteSend;

}  // namespace sfkit::sysflow
`;
}

const pascal = (name) => name.replace(/(^|_)([a-z0-9])/g, (_, __, letter) => letter.toUpperCase());
const typeNames = { i32: 'kI32', i64: 'kI64', str: 'kStr', bool: 'kBool' };

function cpp({ tables: recordTables, captureTables, columns, captureColumns, tableColumns }) {
  const tables = [...recordTables, ...captureTables];
  const physical = [...columns, ...captureColumns].filter((column) => !column.from);
  const groups = [...new Set(physical.map(({ group }) => group))]
    .filter((group) => group !== 'always')
    .sort();
  if (groups.length > 31)
    throw new Error('native/tables/columns.json: more groups than bits in a set of groups');
  const enumerators = (items) =>
    items.map((item) => `  k${pascal(item.id ?? item.name)},`).join('\n');
  const tableLists = tables
    .map((table) => {
      const list = tableColumns[table.name].filter((column) => !column.derived);
      const rows = list
        .map((column) => `    {Column::k${pascal(column.id ?? column.name)}, ${column.nullable}},`)
        .join('\n');
      return `inline constexpr TableColumn k${pascal(table.name)}Columns[] = {\n${rows}\n};`;
    })
    .join('\n\n');
  return `// Made by scripts/generate.mjs from native/tables/columns.json.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sfkit::output {

enum class ColumnType : uint8_t { kI32, kI64, kStr, kBool };

// The columns of a batch; its reader computes derived columns.
enum class Column : uint16_t {
${enumerators(physical)}
};
inline constexpr size_t kColumnCount = ${physical.length};

struct ColumnSpec {
  std::string_view name;
  ColumnType type;
  std::string_view field;  // for a capture table: the event field (fields.json) that the column shows, if any
};

// Indexed by Column.
inline constexpr ColumnSpec kColumns[] = {
${physical.map((column) => `    {"${column.name}", ColumnType::${typeNames[column.type]}, "${column.field ?? ''}"},`).join('\n')}
};

// A group is a set of columns that have values in the same rows. A row is stored with the set of
// its groups, and the bitmaps of a group's columns are made together when the batch is complete.
// kAlways: every row. A nullable string needs no separate group: a missing string has its own
// dictionary index.
enum class Group : uint8_t {
${[...groups, 'always'].map((group) => `  k${pascal(group)},`).join('\n')}
};

// Indexed by Column.
inline constexpr Group kColumnGroups[] = {
${physical.map(({ group }) => `    Group::k${pascal(group)},`).join('\n')}
};

enum class Table : uint8_t {
${enumerators(tables)}
};
inline constexpr size_t kTableCount = ${tables.length};
// The last ones are those that only captures have.
inline constexpr size_t kCaptureTableCount = ${captureTables.length};

struct TableColumn {
  Column column;
  bool nullable;
};

${tableLists}

struct TableSpec {
  std::string_view name;
  std::string_view record;  // value of the column \`type\`; empty for entities and the virtual table
  bool at;                  // a table of the state at a moment
  std::span<const TableColumn> columns;
};

// Indexed by Table.
inline constexpr TableSpec kTables[] = {
${tables.map((table) => `    {"${table.name}", "${table.record}", ${table.at === true}, k${pascal(table.name)}Columns},`).join('\n')}
};

}  // namespace sfkit::output
`;
}
