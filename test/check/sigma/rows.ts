import type { Expression } from '../../../src/check/sigma/expression.js';
import { type LoadedFile, loadSigmaFile, type SigmaRule } from '../../../src/check/sigma/rule.js';
import { sqlOf } from '../../../src/check/sigma/sql.js';
import { textLiteral } from '../../../src/check/sql/literals.js';
import { quoteIdentifier } from '../../../src/duckdb/sql-text.js';
import { openPassingDatabase } from '../../../src/query/dataset.js';

export type Value = string | number | null | undefined;
export type Row = Readonly<Record<string, Value>>;

/** Rows whose columns are the fields of rules, all of them text. */
export async function withRows<Result>(
  rows: readonly Row[],
  use: (matching: (detection: Expression) => Promise<number[]>) => Promise<Result>,
): Promise<Result> {
  const { connection, close } = await openPassingDatabase();
  try {
    const names = [...new Set(rows.flatMap((row) => Object.keys(row)))];
    await connection.run(
      `CREATE TABLE rows (number INTEGER, ${names.map((name) => `${quoteIdentifier(name)} VARCHAR`).join(', ')})`,
    );
    for (let from = 0; from < rows.length; from += 200) {
      const values = rows.slice(from, from + 200).map((row, index) => {
        const cells = names.map((name) =>
          row[name] == null ? 'NULL' : textLiteral(String(row[name])),
        );
        return `(${[from + index, ...cells].join(', ')})`;
      });
      if (names.length > 0) await connection.run(`INSERT INTO rows VALUES ${values.join(', ')}`);
    }
    return await use(async (detection) => {
      const sql = sqlOf(detection, (field) =>
        field !== undefined && names.includes(field)
          ? [{ sql: quoteIdentifier(field), type: 'text' }]
          : [],
      );
      const result = await connection.runAndReadAll(
        `SELECT number FROM rows WHERE ${sql} ORDER BY number`,
      );
      return result.getRows().map(([number]) => Number(number));
    });
  } finally {
    close();
  }
}

export function load(content: string, name = 'rule.yml'): LoadedFile {
  return loadSigmaFile({ name, content });
}

/** The only rule of a text that has no error. */
export function ruleOf(content: string): SigmaRule {
  const { rules, diagnostics } = load(content);
  const errors = diagnostics.filter(({ severity }) => severity === 'error');
  const [rule] = rules;
  if (errors.length > 0 || rule === undefined)
    throw new Error(errors.map(({ message }) => message).join('; '));
  return rule;
}
