import type { SharedValue } from '../sql/row-rule.js';
import { withoutTexts } from '../sql/tuples.js';

/**
 * Values that several rules compute from the same columns, such as a command line in lower case.
 */
export class SigmaValues {
  readonly values: Record<string, SharedValue> = {};
  readonly #names = new Map<string, string>();

  /** The name of a value. `ofRow`: see SharedValue. */
  share(sql: string, ofRow = false): string {
    const known = this.#names.get(sql);
    if (known !== undefined) return known;
    const name = `"sigma ${this.#names.size}"`;
    this.#names.set(sql, name);
    this.values[name] = { sql, from: this.namesIn(sql), ofRow };
    return name;
  }

  /** Names of shared values in SQL. */
  namesIn(sql: string): string[] {
    return [...new Set(withoutTexts(sql).match(/"sigma [0-9]+"/g))];
  }

  /** The SQL of these values and of the values they use. */
  sqlOf(names: readonly string[]): string[] {
    return names.flatMap((name) => {
      const { sql, from = [] } = this.values[name] as SharedValue;
      return [sql, ...this.sqlOf(from)];
    });
  }
}
