import { SfkitError } from '../../engine/errors.js';
import type { Diagnostic, Rule } from '../finding.js';
import type { RuleLanguage, RuleSet, RuleText, RunOptions } from '../language.js';
import { looksLikeSqlRule, readSqlRule, type SqlRemark, type SqlRuleFile } from './rule-file.js';
import { SqlRun } from './sql-run.js';

/** Rules in SQL: one per file, and each result row is a finding. */
export const sql: RuleLanguage = {
  name: 'sql',
  recognizes: looksLikeSqlRule,
  load: (files) => new SqlRuleSet(files),
};

class SqlRuleSet implements RuleSet {
  readonly language = 'sql';
  readonly diagnostics: readonly Diagnostic[];
  readonly rules: readonly Rule[];
  readonly notes: readonly string[] = [];
  readonly #files: ReadonlyMap<Rule, SqlRuleFile>;

  constructor(files: readonly RuleText[]) {
    const read = files.map(readSqlRule);
    this.diagnostics = read
      .flatMap(({ remarks }) => remarks)
      .map(diagnosticOf)
      .sort(errorsLast);
    const rules = read.flatMap(({ rule }) => (rule === undefined ? [] : [rule]));
    this.#files = new Map(rules.map((file) => [ruleOf(file), file]));
    this.rules = [...this.#files.keys()];
  }

  run(input: string, options: RunOptions): SqlRun {
    return new SqlRun(input, options, (rule) => (this.#files.get(rule) as SqlRuleFile).sql);
  }

  /** Prepares the SQL of each rule on empty tables, to find its errors. */
  async verify(): Promise<Diagnostic[]> {
    const { openDataset } = await import('../../query/dataset.js');
    const { prepareSelect } = await import('./sql-run.js');
    const { connection, close } = await openDataset([], 'SELECT 1', {}, { isolated: true });
    const wrong: Diagnostic[] = [];
    try {
      for (const { file, sql, sqlLine } of this.#files.values()) {
        try {
          const statement = await prepareSelect(connection, sql);
          statement.destroySync();
        } catch (error) {
          if (!(error instanceof SfkitError)) throw error;
          wrong.push(
            diagnosticOf({
              severity: 'error',
              code: 'SQL_ERROR',
              message: error.message,
              file,
              line: sqlLine,
            }),
          );
        }
      }
    } finally {
      close();
    }
    return wrong;
  }
}

function ruleOf({ file, id, title, level, tags, description }: SqlRuleFile): Rule {
  return {
    name: title,
    ...(id === undefined || id === '' ? {} : { id }),
    language: 'sql',
    level,
    tags,
    description,
    enabled: true,
    location: { file: file.name, line: 1 },
    needs: [],
  };
}

function diagnosticOf({ severity, code, message, file, line }: SqlRemark): Diagnostic {
  return { severity, code, message, file: file.name, line, column: 1 };
}

function errorsLast(one: Diagnostic, other: Diagnostic): number {
  return Number(one.severity === 'error') - Number(other.severity === 'error');
}
