import { createInterface, type Interface } from 'node:readline';
import type { Screen } from '../../draw/types.js';
import { SfkitError } from '../../engine/errors.js';
import { type ByteSink, openSink } from '../../output/sink.js';
import type { Dataset } from '../dataset.js';
import { explained } from '../errors/explained.js';
import { all } from '../errors/names.js';
import { tablesOf } from '../errors/surroundings.js';
import type { SqlTable } from '../errors/types.js';
import { runQuery } from '../run.js';
import { findQuery, listQueries } from '../saved/library.js';
import { type ParameterValues, parameterValues } from '../saved/parameters.js';
import { tokensOf } from '../sql-tokens.js';
import { checkStatements } from '../statements.js';
import { type DotCommand, dotCommandIn, dotCommands } from './commands.js';
import { complete, type Vocabulary } from './completion.js';
import type { History } from './history.js';
import type { ShellHost } from './host.js';
import { StatementReader } from './reader.js';
import { saveDatabase } from './save.js';
import { drawOf, formatOf, type ShellSettings } from './settings.js';

const prompt = 'sfkit> ';
const morePrompt = '  ...> ';

/** Maximum files that read one another. */
const maxDepth = 16;

/** ms between interrupts of a statement. */
const interruptInterval = 100;

export interface ShellOptions {
  settings: ShellSettings;
  history: History;
  /** Values for $NAME in statements. */
  parameters: ParameterValues;
}

/** Reads statements and commands from a terminal and shows their answers, until the user leaves. */
export class Shell {
  readonly settings: ShellSettings;
  readonly #host: ShellHost;
  readonly #dataset: Dataset;
  readonly #history: History;
  readonly #parameters: ParameterValues;
  readonly #reader = new StatementReader();
  readonly #lines: Interface;
  /** Lines that were typed or pasted while something ran. */
  #typed: string[] = [];
  #wake: (() => void) | undefined;
  /** The lines of the current statement, as typed. */
  #entered = '';
  /** The history of the line editor. */
  #shown: string[] | undefined;
  #isLeaving = false;
  #wasInterrupted = false;
  #depth = 0;
  #words: Promise<Pick<Vocabulary, 'functions' | 'keywords'>> | undefined;
  #redirected: ByteSink | undefined;

  constructor(host: ShellHost, dataset: Dataset, { settings, history, parameters }: ShellOptions) {
    this.#host = host;
    this.#dataset = dataset;
    this.settings = settings;
    this.#history = history;
    this.#parameters = parameters;
    this.#lines = createInterface({
      input: host.input,
      output: host.output,
      terminal: true,
      history: [...history.entries],
      historySize: Math.max(1, history.entries.length + 1000),
      tabSize: 4,
      completer: (line: string, done: (error: null, result: [string[], string]) => void) => {
        this.#complete(line).then(
          (completion) => done(null, completion),
          () => done(null, [[], line]),
        );
      },
    });
  }

  async run(): Promise<void> {
    this.#lines.on('line', (line) => {
      this.#typed.push(line);
      this.#wake?.();
    });
    this.#lines.on('history', (list) => {
      this.#shown = list;
      this.#showHistory();
    });
    this.#lines.on('SIGINT', () => this.#clear());
    this.#lines.on('close', () => {
      this.#isLeaving = true;
      this.#wake?.();
    });
    try {
      for (let line = await this.#next(); line !== undefined; line = await this.#next())
        await this.#take(line);
    } finally {
      this.#lines.close();
    }
    await this.redirect(undefined);
  }

  leave(): void {
    this.#isLeaving = true;
    this.#typed = [];
  }

  /** The next line; undefined at the end. */
  async #next(): Promise<string | undefined> {
    if (this.#typed.length === 0 && !this.#isLeaving) {
      this.#lines.setPrompt(this.#reader.pending === '' ? prompt : morePrompt);
      this.#lines.prompt();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
    return this.#typed.shift();
  }

  /** The history of the editor has statements and commands; the editor itself would add lines. */
  #showHistory(): void {
    this.#shown?.splice(0, this.#shown.length, ...this.#history.entries);
  }

  /** Ctrl-C while typing. */
  #clear(): void {
    this.#lines.write(null, { ctrl: true, name: 'e' });
    this.#host.output.write('^C\n');
    this.#lines.write(null, { ctrl: true, name: 'u' });
    this.#reader.clear();
    this.#lines.setPrompt(prompt);
    this.#lines.prompt();
  }

  /** Takes a typed line. */
  async #take(line: string): Promise<void> {
    this.#entered = this.#reader.pending === '' ? line : `${this.#entered}\n${line}`;
    await this.#atWork(() => this.#process(line));
    if (this.#reader.pending !== '') return;
    this.#history.add(this.#entered);
    this.#showHistory();
  }

  /** Runs what a line completes. */
  async #process(line: string): Promise<void> {
    try {
      if (this.#reader.pending === '') {
        const found = dotCommandIn(line);
        if (found !== undefined) return await this.#command(found);
        if (/^\s*@/.test(line)) return await this.#runSaved(line.trim().replace(/;$/, ''));
      }
    } catch (error) {
      return this.#report(error);
    }
    for (const statement of this.#reader.add(line)) {
      if (!this.#wasInterrupted) await this.#statement(statement, this.#used(statement));
    }
  }

  async #command({ command, argument }: { command: DotCommand; argument: string }): Promise<void> {
    await command.run(this, argument);
  }

  async #runSaved(line: string): Promise<void> {
    const [name = '', ...given] = wordsOf(line);
    const query = findQuery(name.slice(1));
    await this.#statement(query.sql, parameterValues(given, query));
  }

  /** The values that a statement has names for. */
  #used(sql: string): ParameterValues {
    const names = new Set(
      tokensOf(sql).flatMap(({ kind, text }) => (kind === 'parameter' ? [text.slice(1)] : [])),
    );
    return Object.fromEntries(Object.entries(this.#parameters).filter(([name]) => names.has(name)));
  }

  async #statement(sql: string, parameters: ParameterValues): Promise<void> {
    const { connection, onDemand } = this.#dataset;
    const started = performance.now();
    const isOnScreen = this.#redirected === undefined;
    try {
      await this.#interruptible(async (signal) => {
        await checkStatements(connection, sql);
        await onDemand?.require(sql, { parameters, signal });
        await runQuery(connection, sql, formatOf(this.settings.mode), '-', {
          draw: drawOf(this.settings, isOnScreen ? this.screen() : undefined),
          parameters,
          open: () => this.#open(),
        });
      });
    } catch (error) {
      this.#report(this.#wasInterrupted ? error : await explained(error, sql, this.#dataset));
    }
    if (this.settings.showsTime) {
      this.#host.output.write(`${((performance.now() - started) / 1000).toFixed(3)} s\n`);
    }
  }

  /** Runs work that Ctrl-C stops. */
  async #interruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { connection } = this.#dataset;
    const abort = new AbortController();
    let repeat: NodeJS.Timeout | undefined;
    const release = this.#host.onInterrupt(() => {
      this.#wasInterrupted = true;
      this.#typed = [];
      abort.abort();
      connection.interrupt();
      // DuckDB ignores an interrupt that comes before its statement starts.
      repeat ??= setInterval(() => connection.interrupt(), interruptInterval);
    });
    try {
      await work(abort.signal);
    } finally {
      clearInterval(repeat);
      release();
    }
  }

  /**
   * Gives the terminal back while something runs: keys such as Ctrl-C then do what they usually do.
   */
  async #atWork(work: () => Promise<void>): Promise<void> {
    const { input } = this.#host;
    this.#wasInterrupted = false;
    this.#lines.pause();
    input.setRawMode(false);
    try {
      await work();
    } finally {
      input.setRawMode(true);
    }
  }

  #report(error: unknown): void {
    if (this.#host.isEnough(error)) return;
    if (this.#wasInterrupted) this.#host.output.write('\ninterrupted\n');
    else this.#host.report(error);
  }

  screen(): Screen | undefined {
    return this.#host.screen();
  }

  tables(): Promise<SqlTable[]> {
    return tablesOf(this.#dataset.connection);
  }

  /** Writes a text to where answers go; a listing always goes to the screen. */
  async show(text: string): Promise<void> {
    const sink = this.#host.open();
    try {
      await sink.write(text);
      await sink.close();
    } catch (error) {
      sink.discard();
      throw error;
    }
  }

  /** Where the next answer goes. */
  #open(): ByteSink {
    const file = this.#redirected;
    if (file === undefined) return this.#host.open();
    // The file goes on after this answer.
    return { write: (chunk) => file.write(chunk), close: async () => {}, discard: () => {} };
  }

  /** Writes later answers to a file, or to the screen. Completes the file before it. */
  async redirect(file: string | undefined): Promise<void> {
    const before = this.#redirected;
    this.#redirected = undefined;
    await before?.close();
    if (file !== undefined) this.#redirected = openSink(file);
  }

  async save(file: string): Promise<void> {
    const { connection, onDemand } = this.#dataset;
    const tables = await this.tables();
    const partial: readonly string[] = onDemand?.partial() ?? [];
    const whole = tables.map(({ name }) => name).filter((name) => !partial.includes(name));
    await this.#interruptible(() => saveDatabase(connection, file, whole));
    const left =
      partial.length === 0 ? '' : `; not ${all(partial)}, which no statement needed as a whole`;
    await this.show(`${file}: ${whole.length} tables${left}\n`);
  }

  /** Runs the statements and commands of a text. */
  async read(text: string): Promise<void> {
    if (this.#depth === maxDepth)
      throw new SfkitError(
        'INVALID_ARGUMENT',
        `.read: more than ${maxDepth} files read one another`,
      );
    this.#depth += 1;
    try {
      for (const line of text.split('\n')) {
        if (this.#wasInterrupted || this.#isLeaving) break;
        await this.#process(line.replace(/\r$/, ''));
      }
      for (const statement of this.#reader.finish()) {
        if (!this.#wasInterrupted) await this.#statement(statement, this.#used(statement));
      }
    } finally {
      this.#reader.clear();
      this.#depth -= 1;
    }
  }

  async #complete(line: string): Promise<[string[], string]> {
    this.#words ??= this.#readWords();
    const queries = new Map(
      listQueries().map(({ name, parameters }) => [name, parameters.map((each) => each.name)]),
    );
    const vocabulary: Vocabulary = {
      ...(await this.#words),
      tables: await this.tables(),
      queries,
      commands: new Map(dotCommands.map(({ name, argument }) => [name, argument])),
    };
    return complete(
      line,
      this.#reader.pending,
      vocabulary,
      this.#lines.line.slice(this.#lines.cursor),
    );
  }

  async #readWords(): Promise<Pick<Vocabulary, 'functions' | 'keywords'>> {
    const { connection } = this.#dataset;
    const read = async (sql: string) => {
      const result = await connection.runAndReadAll(sql);
      return result.getRows().map(([name]) => String(name));
    };
    const named =
      "regexp_matches(function_name, '^[a-z][a-z0-9_]*$') AND NOT starts_with(function_name, 'sfkit_')";
    return {
      functions: await read(
        `SELECT DISTINCT function_name FROM duckdb_functions() WHERE ${named} ORDER BY 1`,
      ),
      keywords: await read('SELECT keyword_name FROM duckdb_keywords() ORDER BY 1'),
    };
  }
}

/** Words separated by blanks; a part in quotes can have blanks: name='a b'. */
function wordsOf(line: string): string[] {
  const words = line.match(/(?:'[^']*'|"[^"]*"|[^\s'"]|['"])+/g) ?? [];
  return words.map((word) => word.replace(/(['"])(.*?)\1/g, '$2'));
}
