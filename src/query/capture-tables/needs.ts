import { openDatabase, sealedConnection } from '../../duckdb/database.js';
import { quoteText } from '../../duckdb/sql-text.js';
import { captureTables, type TableName, tableColumns } from '../../engine/columns.gen.js';
import type { ParameterValues } from '../saved/parameters.js';
import { conditionOn, isFiltered } from './condition.js';
import { findMoments, isAtMoment, type NamedMoment } from './moments.js';

// Finds what a statement needs from the tables that only captures have, in the syntax tree that
// json_serialize_sql() of DuckDB returns.

/** The part of one table that a statement needs. */
export interface TableNeeds {
  table: TableName;
  /** Physical columns. */
  columns: readonly string[];
  /**
   * For a table that takes one: a filter that passes every event that the statement looks at; ''
   * for all.
   */
  filter: string;
  /** For the state at a moment: the moments. */
  moments: readonly NamedMoment[];
  /** False if the name may refer to something that the SQL defines. */
  isCertain: boolean;
}

/** Columns of views that stand for another column. */
const madeOf: Readonly<Record<string, string>> = {
  arguments: 'arguments_json',
  buffer: 'buffer_base64',
};

/** A node of the tree: every object in it has a class or a type. */
interface Node {
  [member: string]: unknown;
}

/** The needs of the SQL for each capture table that it names. */
export async function findNeeds(
  sql: string,
  parameters: ParameterValues = {},
): Promise<TableNeeds[]> {
  const named = captureTables.filter(({ name }) => namesWord(sql, name));
  if (named.length === 0) return [];
  // Sealed: the text comes from the user, and only its syntax is needed.
  const sealed = await sealedConnection();
  const result = await sealed.runAndReadAll(`SELECT json_serialize_sql(${quoteText(sql)})`);
  const tree = JSON.parse(String(result.getRows()[0]?.[0])) as {
    error?: boolean;
    statements?: unknown;
  };
  // DuckDB serializes only SELECT.
  const needs = tree.error === true ? named.map(everything) : needsOf(tree.statements, parameters);
  const atMoments = needs.filter(({ table }) => isAtMoment(table));
  if (atMoments.length === 0) return needs;
  // Moments are expressions of the user, and are executed.
  const { connection, close } = await openDatabase({ sealed: true });
  try {
    for (const need of atMoments)
      need.moments = await findMoments(connection, sql, need.table, parameters);
  } finally {
    close();
  }
  return needs;
}

function namesWord(sql: string, name: string): boolean {
  return new RegExp(`\\b${name}\\b`, 'i').test(sql);
}

function everything({ name: table }: { name: TableName }): TableNeeds {
  return { table, columns: physicalOf(table), filter: '', moments: [], isCertain: false };
}

/** The physical columns that the named columns of a table are made of. */
function physicalNamed(table: TableName, names: ReadonlySet<string>): string[] {
  const physical = tableColumns[table].filter(({ derived }) => !derived);
  const wanted = new Set([...names].map((name) => madeOf[name] ?? name));
  for (const column of tableColumns[table])
    if (wanted.has(column.name)) wanted.add(physical[column.physical]?.name as string);
  return physical
    .filter(({ name, hidden }) => wanted.has(name) || hidden === true)
    .map(({ name }) => name);
}

function physicalOf(table: TableName): string[] {
  return tableColumns[table].filter(({ derived }) => !derived).map(({ name }) => name);
}

/** The needs of serialized statements. */
export function needsOf(tree: unknown, parameters: ParameterValues = {}): TableNeeds[] {
  const names = new Set<string>();
  const alone = new Set<string>();
  const defined = new Set<string>();
  const found = new Map<TableName, { filters: (string | undefined)[]; aliases: string[] }>();
  let needsAll = false;
  const pending: unknown[] = [tree];
  // Conditions on tables that are alone in their FROM.
  const conditions = new Map<unknown, string | undefined>();
  while (pending.length > 0) {
    const node = pending.pop();
    if (Array.isArray(node)) pending.push(...node);
    if (!isNode(node)) continue;
    const { type, from_table: from, where_clause: where } = node;
    const only = type === 'SELECT_NODE' && isNode(from) ? captureTableOf(from) : undefined;
    if (isNode(from) && isFiltered(only) && from.sample === null) {
      const alias = String(from.alias || from.table_name);
      conditions.set(from, conditionOn(where, { table: only, alias, parameters }));
    }
    const table = captureTableOf(node);
    if (table !== undefined) {
      const uses = found.get(table) ?? { filters: [], aliases: [] };
      found.set(table, uses);
      uses.filters.push(conditions.get(node));
      uses.aliases.push(lower(String(node.alias || node.table_name || table)));
      if (!isEmpty(node.column_name_alias)) needsAll = true;
    }
    for (const name of definitionsIn(node)) defined.add(name);
    if (node.class === 'STAR' || type === 'POSITIONAL_REFERENCE' || node.ref_type === 'NATURAL')
      needsAll = true;
    if (node.class === 'COLUMN_REF') {
      const parts = (node.column_names as string[]).map(lower);
      for (const part of parts) names.add(part);
      if (parts.length === 1) alone.add(parts[0] as string);
    }
    if (Array.isArray(node.using_columns))
      for (const name of node.using_columns) names.add(lower(String(name)));
    pending.push(
      ...Object.values(node).filter((value) => typeof value === 'object' && value !== null),
    );
  }
  return [...found].map(([table, { filters, aliases }]) => {
    const physical = physicalOf(table);
    const chosen = physicalNamed(table, names);
    // A table name used as an expression means the whole row.
    const isWhole = needsAll || aliases.some((alias) => alone.has(alias));
    return {
      table,
      // A row needs at least one column.
      columns: isWhole ? physical : chosen.length > 0 ? chosen : physical.slice(0, 1),
      filter: filters.some((each) => each === undefined) ? '' : [...new Set(filters)].join(' or '),
      moments: [],
      isCertain: !defined.has(table),
    };
  });
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function captureTableOf(node: Node): TableName | undefined {
  const { type } = node;
  if (type === 'TABLE_FUNCTION' && isNode(node.function)) {
    const called = lower(String(node.function.function_name));
    return captureTables.find(({ name, at }) => name === called && at === true)?.name;
  }
  if (type !== 'BASE_TABLE') return undefined;
  const name = lower(String(node.table_name));
  return captureTables.find((table) => table.name === name)?.name;
}

/** Names that WITH defines. */
function definitionsIn(node: Node): string[] {
  const map = isNode(node.cte_map) ? node.cte_map.map : undefined;
  return Array.isArray(map)
    ? map.flatMap((entry) => (isNode(entry) ? [lower(String(entry.key))] : []))
    : [];
}

function isEmpty(list: unknown): boolean {
  return !Array.isArray(list) || list.length === 0;
}

function lower(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
