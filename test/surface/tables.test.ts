import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../helpers/corpus.js';

// The columns that users' programs depend on, one file for each schema version. A version is never
// changed after its release: a changed column needs a new one.

interface Column {
  name: string;
  type: string;
  unit?: string;
  nullable: boolean;
  since: number;
  tables?: string[];
  added?: Record<string, number>;
}

/** Facts by table and column. */
type Snapshot = Record<string, Record<string, string>>;

const source = JSON.parse(readFileSync(join(root, 'native/tables/columns.json'), 'utf8'));
const version: number = source.schema;
const directory = join(root, 'test/surface/tables');
const pathOf = (number: number) => join(directory, `${number}.json`);

const listOf = (table: string): Column[] =>
  [...source.captureTables, ...source.views].find(({ name }) => name === table)?.columns ??
  source.columns.filter(({ tables }: Column) => tables?.includes(table));
const names: string[] = [...source.tables, ...source.captureTables, ...source.views].map(
  ({ name }) => name,
);

/** The version that added the table. */
const sinceOf = (table: string): number =>
  source.tables.find(({ name }: { name: string }) => name === table)?.since ?? 1;

function current(): Snapshot {
  const fact = ({ type, unit, nullable }: Column) =>
    `${type}${nullable ? '' : ', always'}${unit === undefined ? '' : `, ${unit}`}`;
  return Object.fromEntries(
    names.map((table) => [
      table,
      Object.fromEntries(listOf(table).map((column) => [column.name, fact(column)])),
    ]),
  );
}

function snapshot(number: number): Snapshot {
  return JSON.parse(readFileSync(pathOf(number), 'utf8'));
}

const advice = `The columns of native/tables/columns.json differ from version ${version}, test/surface/tables/${version}.json.
If version ${version} is released: set "schema" to ${version + 1}, and "since" of each new column to ${version + 1} ("added" for
a further table of an old column). If it is not: delete test/surface/tables/${version}.json.
Then run SFKIT_UPDATE_SURFACE=1 npx vitest run test/surface/tables.test.ts and node scripts/docs.mjs.`;

describe('the columns of the tables', () => {
  it('are those of their schema version', () => {
    if (process.env.SFKIT_UPDATE_SURFACE && !existsSync(pathOf(version)))
      writeFileSync(pathOf(version), `${JSON.stringify(current(), null, 2)}\n`);
    expect(existsSync(pathOf(version)), advice).toBe(true);
    expect(current(), advice).toEqual(snapshot(version));
  });

  const versions = () =>
    readdirSync(directory)
      .map((name) => Number.parseInt(name, 10))
      .sort((left, right) => left - right);

  it('have a snapshot for each version', () => {
    expect(versions()).toEqual(Array.from({ length: version }, (_, index) => index + 1));
  });

  it('keep name, type and values of earlier versions', () => {
    const now = current();
    for (const number of versions()) {
      for (const [table, columns] of Object.entries(snapshot(number))) {
        for (const [name, fact] of Object.entries(columns)) {
          // Version 1 has no units.
          const kept =
            number === 1
              ? now[table]?.[name]?.split(', ').slice(0, fact.split(', ').length)
              : undefined;
          expect(
            kept?.join(', ') ?? now[table]?.[name],
            `${table}.${name} of version ${number}`,
          ).toBe(fact);
        }
      }
    }
  });

  it('name the version that added them', () => {
    for (const table of names) {
      for (const { name, since, added } of listOf(table)) {
        const first = versions().find((number) => snapshot(number)[table]?.[name] !== undefined);
        const own = Math.max(added?.[table] ?? since, sinceOf(table));
        expect(own, `${table}.${name}`).toBe(first);
      }
    }
  });
});
