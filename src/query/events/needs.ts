import { tableColumns } from '../../engine/columns.gen.js';
import { openDatabase } from '../../export/duckdb.js';
import { quoteText } from '../../export/sql-text.js';
import { conditionOn } from './condition.js';

// What a statement needs of the table `events`, found in its syntax tree as DuckDB's json_serialize_sql() gives it.

/** What has to be made of a capture's events so that the statement has its answer. */
export interface EventNeeds {
  /** Physical columns. */
  columns: readonly string[];
  /** A filter that every event passes which the statement looks at; '' for all. */
  filter: string;
}

/** Columns of the table as SQL shows them that are made of another one. */
const madeOf: Readonly<Record<string, string>> = {
  ts: 'ts_uts',
  arguments: 'arguments_json',
  buffer: 'buffer_base64',
};

const physical = tableColumns.events.filter(({ derived }) => !derived).map(({ name }) => name);

/** For statements that cannot be looked into. */
const everything: EventNeeds = { columns: physical, filter: '' };

/** What the SQL needs of events; nothing where it does not name them. */
export async function findEventNeeds(sql: string): Promise<EventNeeds | undefined> {
  // Sealed: the text is the user's, and nothing but its syntax is wanted.
  const { connection, close } = await openDatabase({ sealed: true });
  try {
    const result = await connection.runAndReadAll(`SELECT json_serialize_sql(${quoteText(sql)})`);
    const tree = JSON.parse(String(result.getRows()[0]?.[0])) as { error?: boolean; statements?: unknown };
    // Only SELECT has a serial form.
    if (tree.error === true) return /\bevents\b/i.test(sql) ? everything : undefined;
    return eventNeeds(tree.statements);
  } finally {
    close();
  }
}

/** A part of the tree: every object in it has a class or a type. */
interface Node {
  [member: string]: unknown;
}

/** The needs of serialized statements; nothing where they do not name the table. */
export function eventNeeds(tree: unknown): EventNeeds | undefined {
  const names = new Set<string>();
  const alone = new Set<string>();
  const aliases = new Set<string>();
  const filters: (string | undefined)[] = [];
  let needsAll = false;
  const pending: unknown[] = [tree];
  // The conditions of a table that stands alone in its FROM.
  const conditions = new Map<unknown, string | undefined>();
  while (pending.length > 0) {
    const node = pending.pop();
    if (Array.isArray(node)) pending.push(...node);
    if (!isNode(node)) continue;
    const { type, from_table: from, where_clause: where } = node;
    if (type === 'SELECT_NODE' && isEvents(from) && from['sample'] === null)
      conditions.set(from, conditionOn(where, String(from['alias'] || from['table_name'])));
    if (isEvents(node)) {
      filters.push(conditions.get(node));
      aliases.add(lower(String(node['alias'] || node['table_name'])));
      if (!isEmpty(node['column_name_alias'])) needsAll = true;
    }
    if (node['class'] === 'STAR' || type === 'POSITIONAL_REFERENCE' || node['ref_type'] === 'NATURAL') needsAll = true;
    if (node['class'] === 'COLUMN_REF') {
      const parts = (node['column_names'] as string[]).map(lower);
      for (const part of parts) names.add(part);
      if (parts.length === 1) alone.add(parts[0] as string);
    }
    if (Array.isArray(node['using_columns'])) for (const name of node['using_columns']) names.add(lower(String(name)));
    pending.push(...Object.values(node).filter((value) => typeof value === 'object' && value !== null));
  }
  if (filters.length === 0) return undefined;
  // The name of the table as an expression is the whole row.
  if ([...aliases].some((alias) => alone.has(alias))) needsAll = true;
  const filter = filters.some((each) => each === undefined) ? '' : [...new Set(filters)].join(' or ');
  const wanted = new Set([...names].map((name) => madeOf[name] ?? name));
  const chosen = physical.filter((name) => wanted.has(name));
  // A row needs one column at least.
  return { columns: needsAll ? physical : chosen.length > 0 ? chosen : ['number'], filter };
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isEvents(node: unknown): node is Node {
  return isNode(node) && node['type'] === 'BASE_TABLE' && lower(String(node['table_name'])) === 'events';
}

function isEmpty(list: unknown): boolean {
  return !Array.isArray(list) || list.length === 0;
}

function lower(name: string): string {
  return name.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
