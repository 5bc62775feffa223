import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { TableLoader } from '../../duckdb/database.js';
import { captureTables, type TableName, tableColumns } from '../../engine/columns.gen.js';
import type { CollectorOptions } from '../../engine/config.js';
import type { QueryInput } from '../inputs.js';
import { macrosIn, withDefinitions } from '../macros/macros.js';
import type { ParameterValues } from '../saved/parameters.js';
import { answerable, createCaptureView, loadCaptureTables } from './load.js';
import type { NamedMoment } from './moments.js';
import { findNeeds, type TableNeeds } from './needs.js';

/** What is made of a table: the events that pass one of the filters, with these columns. */
interface Made {
  columns: ReadonlySet<string>;
  /** '' passes everything. */
  filters: ReadonlySet<string>;
  /** For the state at a moment: those of the last statement. */
  moments: readonly NamedMoment[];
}

/** Beyond this number of filters, the whole table is made. */
const maxFilters = 8;

export interface StatementOptions {
  parameters: ParameterValues;
  signal: AbortSignal;
}

/** Makes capture tables for one statement after another, and keeps what it made. */
export class TablesOnDemand {
  readonly #connection: DuckDBConnection;
  readonly #scratch: string;
  readonly #inputs: readonly QueryInput[];
  readonly #collector: CollectorOptions;
  readonly #made = new Map<TableName, Made>();
  #loads = 0;

  /** `scratch`: a directory of this dataset. */
  constructor(
    connection: DuckDBConnection,
    scratch: string,
    inputs: readonly QueryInput[],
    collector: CollectorOptions,
  ) {
    this.#connection = connection;
    this.#scratch = scratch;
    this.#inputs = inputs;
    this.#collector = collector;
  }

  /**
   * Makes every capture table without rows, so that statements can be checked before anything is
   * read.
   */
  async declare(
    names: readonly TableName[] = captureTables.map(({ name }) => name),
  ): Promise<void> {
    await new TableLoader(this.#connection, this.#scratch).create(names);
    for (const name of names) {
      await createCaptureView(this.#connection, { table: name, moments: [] });
      this.#made.set(name, { columns: new Set(), filters: new Set(), moments: [] });
    }
  }

  /**
   * Makes what a statement needs and does not exist yet. A statement with an error needs nothing.
   */
  async require(sql: string, { parameters, signal }: StatementOptions): Promise<void> {
    const readable = withDefinitions(sql, macrosIn(sql));
    const needs = (await findNeeds(readable, parameters)).filter(({ table }) =>
      this.#made.has(table),
    );
    const wanted = needs.filter((need) => !this.#has(need)).map((need) => this.#extended(need));
    if (wanted.length === 0 || !(await this.#isValid(sql))) return;
    const possible = new Set(
      answerable(
        wanted.map(({ need }) => need),
        this.#inputs,
      ),
    );
    this.#loads += 1;
    const directory = join(this.#scratch, `load-${this.#loads}`);
    mkdirSync(directory, { mode: 0o700 });
    const loader = new TableLoader(this.#connection, directory);
    try {
      if (possible.size > 0)
        await loadCaptureTables(
          loader,
          this.#inputs,
          [...possible],
          { ...this.#collector, signal },
          { readings: 1, cached: undefined },
        );
      await loader.finish();
    } finally {
      loader.close();
      rmSync(directory, { recursive: true });
    }
    for (const { need, made } of wanted) {
      if (!possible.has(need)) continue;
      await createCaptureView(this.#connection, need);
      this.#made.set(need.table, made);
    }
  }

  /** The tables that do not have all rows and columns. */
  partial(): TableName[] {
    return [...this.#made]
      .filter(([name, made]) => !this.#isWhole(name, made))
      .map(([name]) => name);
  }

  #isWhole(name: TableName, { columns, filters }: Made): boolean {
    return (
      filters.has('') &&
      tableColumns[name].every((column) => column.derived || columns.has(column.name))
    );
  }

  #has({ table, filter, columns, moments }: TableNeeds): boolean {
    const made = this.#made.get(table) as Made;
    if (!moments.every(({ key }) => made.moments.some((known) => known.key === key))) return false;
    const hasRows = made.filters.has('') || made.filters.has(filter);
    return hasRows && columns.every((name) => made.columns.has(name));
  }

  /** The table with what it has and what a statement needs. */
  #extended(need: TableNeeds): { need: TableNeeds; made: Made } {
    const made = this.#made.get(need.table) as Made;
    const columns = new Set([...made.columns, ...need.columns]);
    const all = new Set([...made.filters, need.filter]);
    const filters = all.has('') || all.size > maxFilters ? new Set(['']) : all;
    const filter = [...filters].join(' or ');
    return {
      need: { ...need, columns: [...columns], filter },
      made: { columns, filters, moments: need.moments },
    };
  }

  async #isValid(sql: string): Promise<boolean> {
    try {
      const statements = await this.#connection.extractStatements(sql);
      (await statements.prepare(0)).destroySync();
      return true;
    } catch {
      return false;
    }
  }
}
