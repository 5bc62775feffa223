import type { SharedValue } from '../sql/row-rule.js';
import { withoutTexts } from '../sql/tuples.js';

/** What several rules make of the same columns, such as a command line in lower case, by names of its own. */
export class SigmaValues {
  readonly values: Record<string, SharedValue> = {};
  readonly #names = new Map<string, string>();

  /** The name of a value. `ofRow`: rows are alike where it is the same, whatever it is made of. */
  share(sql: string, ofRow = false): string {
    const known = this.#names.get(sql);
    if (known !== undefined) return known;
    const name = `"sigma ${this.#names.size}"`;
    this.#names.set(sql, name);
    this.values[name] = { sql, from: this.namesIn(sql), ofRow };
    return name;
  }

  /** The names that SQL speaks of. */
  namesIn(sql: string): string[] {
    return [...new Set(withoutTexts(sql).match(/"sigma [0-9]+"/g))];
  }

  /** The SQL that these values come to, with that of the values they use. */
  sqlOf(names: readonly string[]): string[] {
    return names.flatMap((name) => {
      const { sql, from = [] } = this.values[name] as SharedValue;
      return [sql, ...this.sqlOf(from)];
    });
  }
}
