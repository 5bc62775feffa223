import { opNames } from '../../engine/columns.gen.js';
import { foldCase } from '../sql-tokens.js';
import { columnOfField } from './fields.js';
import { all, either, similarNames } from './names.js';
import { chainFrom, chainTo, textOf } from './tokens.js';
import type { Advice, Problem, SqlTable } from './types.js';

// Advice on names that do not exist.

/** Table functions and files take other errors; this is about names. */
export function missingTable({ error, tables }: Problem): Advice | undefined {
  const { missing, name } = error;
  const unknown =
    missing === 'Table'
      ? name
      : /^Table with name "?(.+?)"? does not exist/.exec(error.message)?.[1];
  if (unknown === undefined) return undefined;
  const names = tables.map((table) => table.name);
  const similar = similarNames(unknown, names);
  const list = `tables: ${names.join(', ')}`;
  return {
    message: `no table '${unknown}'`,
    hint: similar.length === 0 ? list : `did you mean ${either(similar)}? ${list}`,
  };
}

/** A column without a table. */
export function missingColumn(problem: Problem): Advice | undefined {
  const { error, tokens, at, named, tables } = problem;
  if (error.missing !== 'Column' || error.name === undefined) return undefined;
  const { name } = error;
  if (/FROM clause is missing/.test(error.message)) {
    const owners = ownersOf(name, tables);
    const from = owners.length === 0 ? undefined : `from ${owners[0]} select ${name}`;
    return { message: `no column '${name}': the statement has no FROM`, hint: from };
  }
  const message = `no column '${name}'${inTables(named.map(({ table }) => table.name))}`;
  const token = tokens[at];
  const isQuoted = token?.kind === 'name';
  const operation = opNames.find((each) => each === name.toUpperCase());
  if (operation !== undefined)
    return { message, hint: `names are texts: list_contains(opflags, '${operation}')` };
  if (!isQuoted && /^E[A-Z0-9]{2,}$/.test(name)) {
    return { message, hint: `the table events has the names of errors: where error = '${name}'` };
  }
  const known = named.flatMap(({ table }) => table.columns.map((column) => column.name));
  const field = isQuoted ? fieldHint(name, problem) : undefined;
  if (field !== undefined) return { message, hint: field };
  const similar = similarNames(name, known);
  if (similar.length > 0) return { message, hint: `did you mean ${either(similar)}?` };
  if (isQuoted)
    return { message, hint: `a text has single quotes: '${name.replaceAll("'", "''")}'` };
  return { message, hint: hintOfOtherTables(name, problem) };
}

/** A column of a table or alias that exists. */
export function missingColumnOf({ error, tokens, at, named, tables }: Problem): Advice | undefined {
  const [, owner, name] =
    /^Values list "(.*)" does not have a column named "(.*)"/.exec(error.message) ?? [];
  if (owner === undefined || name === undefined) return undefined;
  const found = named.find(({ aliases }) => aliases.includes(foldCase(owner)));
  const message = `no column '${name}' in ${owner}`;
  const known = found?.table.columns.map((column) => column.name) ?? [];
  const similar = similarNames(name, known);
  const place = tokens[at + 2] === undefined ? {} : { at: at + 2 };
  if (similar.length > 0) {
    return {
      message,
      ...place,
      hint: `did you mean ${either(similar.map((each) => `${owner}.${each}`))}?`,
    };
  }
  return { message, ...place, hint: hintOfOtherTables(name, { named, tables }) };
}

/** A dotted name whose first word is no table: a field of filters or policies, or a wrong alias. */
export function missingOwner(problem: Problem): Advice | undefined {
  const { error, tokens, at, named } = problem;
  const owner = /^Referenced table "(.*)" not found/.exec(error.message)?.[1];
  if (owner === undefined) return undefined;
  const chain = at < 0 ? undefined : (chainFrom(tokens, at) ?? chainTo(tokens, at));
  const dotted = chain === undefined ? owner : textOf(problem.sql, tokens, chain.first, chain.last);
  const hint = fieldHint(dotted, problem);
  if (hint !== undefined) return { message: `no column '${dotted}'`, hint };
  const aliases = named.flatMap((each) => each.aliases);
  const similar = similarNames(owner, aliases);
  const message = `no table or alias '${owner}' in the statement`;
  if (similar.length > 0) return { message, hint: `did you mean ${either(similar)}?` };
  return {
    message,
    hint: aliases.length === 0 ? undefined : `the statement has ${all([...new Set(aliases)])}`,
  };
}

/** A dotted name whose first word is a column without parts. */
export function missingPart(problem: Problem): Advice | undefined {
  const { error, tokens, sql } = problem;
  const [, part, column] =
    /^Cannot extract field '(.*)' from expression "(.*)" because/.exec(error.message) ?? [];
  if (part === undefined || column === undefined) return undefined;
  const at = tokens.findIndex((_, index) => {
    const [first, second] = chainFrom(tokens, index)?.parts ?? [];
    return first === foldCase(column) && second === foldCase(part);
  });
  const chain = chainFrom(tokens, at);
  const dotted =
    chain === undefined ? `${column}.${part}` : textOf(sql, tokens, chain.first, chain.last);
  return { message: `no column '${dotted}'`, hint: fieldHint(dotted, problem), at };
}

/** The column for a field such as fd.name, in the tables of the statement or in another one. */
function fieldHint(dotted: string, { named, tables }: Problem): string | undefined {
  if (!dotted.includes('.')) return undefined;
  for (const { table } of named) {
    const column = columnOfField(dotted, table);
    if (column !== undefined) return `${table.name} has it as ${column}`;
  }
  // Not in these tables: where else, grouped by the column's name.
  const found = new Map<string, string[]>();
  for (const table of tables) {
    const column = columnOfField(dotted, table);
    if (column !== undefined) found.set(column, [...(found.get(column) ?? []), table.name]);
  }
  const [first, second] = [...found].map(
    ([column, owners]) => `${column} of ${all(owners.slice(0, maxOwners))}`,
  );
  if (first === undefined) return undefined;
  return `the column is ${second === undefined ? first : `${first}, or ${second}`}`;
}

/** Maximum tables to name for one column. */
const maxOwners = 4;

function hintOfOtherTables(
  name: string,
  { named, tables }: Pick<Problem, 'named' | 'tables'>,
): string | undefined {
  const owners = ownersOf(name, tables);
  if (owners.length > 0)
    return `${all(owners.slice(0, maxOwners))} ${owners.length === 1 ? 'has' : 'have'} it`;
  const others = [
    ...new Set(tables.flatMap((table) => table.columns.map((column) => column.name))),
  ];
  const [similar] = similarNames(name, others);
  if (similar !== undefined)
    return `${all(ownersOf(similar, tables).slice(0, maxOwners))}: ${similar}`;
  const first = named[0]?.table.name;
  return first === undefined ? undefined : `"describe ${first}" lists its columns`;
}

function ownersOf(name: string, tables: readonly SqlTable[]): string[] {
  return tables
    .filter(({ columns }) => columns.some((column) => foldCase(column.name) === foldCase(name)))
    .map((table) => table.name);
}

function inTables(names: readonly string[]): string {
  return names.length === 0 ? '' : ` in ${all(names)}`;
}

/** Functions, types and others that the catalog lacks. */
export function missingOther({ error }: Problem): Advice | undefined {
  const { missing, name, candidates } = error;
  if (missing === undefined || name === undefined || !/does not exist/.test(error.message))
    return undefined;
  const similar = similarNames(name, candidates);
  const kind = missing.toLowerCase().replace(/^scalar /, '');
  return {
    message: `no ${kind} '${name}'`,
    hint: similar.length === 0 ? undefined : `did you mean ${either(similar)}?`,
  };
}

export function ambiguousColumn({ error }: Problem): Advice | undefined {
  const found = /^Ambiguous reference to column name "(.*)" \(use: (.*)\)/.exec(error.message);
  if (found === null) return undefined;
  const choices = [...(found[2] as string).matchAll(/"([^"]*)"/g)].map(
    ([, choice]) => choice as string,
  );
  return {
    message: `the column '${found[1]}' is in several tables`,
    hint: `write ${either(choices)}`,
  };
}

export function ungroupedColumn({ error, tokens }: Problem): Advice | undefined {
  const name = /^column "?(.*?)"? must appear in the GROUP BY clause/.exec(error.message)?.[1];
  if (name === undefined) return undefined;
  const isGrouped = tokens.some(
    (token) => token.kind === 'word' && token.text.toLowerCase() === 'group',
  );
  return {
    message: `the column '${name}' is neither grouped nor aggregated`,
    hint: isGrouped
      ? `add it to GROUP BY, or write any_value(${name})`
      : 'add GROUP BY ALL at the end',
  };
}

/** Values that the SQL names with $, and that are not given. */
export function missingValue({ error, tokens }: Problem): Advice | undefined {
  if (!/Expected \d+ parameters, but|Values were not provided for/.test(error.message))
    return undefined;
  const names = [
    ...new Set(tokens.filter(({ kind }) => kind === 'parameter').map(({ text }) => text)),
  ];
  const at = tokens.findIndex(({ kind }) => kind === 'parameter');
  return {
    message: `no value for ${all(names)}`,
    hint: `start with --param ${names[0]?.replace(/^\$/, '')}=VALUE`,
    ...(at < 0 ? {} : { at }),
  };
}
