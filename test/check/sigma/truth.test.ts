import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { corpus } from '../../helpers/corpus.js';
import { load, type Row, ruleOf, withRows } from './rows.js';

// Compares with the reference implementation, rule by rule.

const rules = join(corpus, 'rules', 'sigma', 'rules');
const truth = join(corpus, 'rules', 'truth', 'sigma');

const categories = { process_creation: 144, file_event: 18, network_connection: 5 };

describe.skipIf(!existsSync(truth))('rules of Sigma (needs ../shared)', () => {
  test.for(Object.entries(categories))(
    '%s: every rule finds the same rows',
    async ([category, count]) => {
      const rows = linesOf(gunzipSync(readFileSync(join(truth, `${category}.rows.jsonl.gz`)))).map(
        fieldsOf,
      );
      const expected = JSON.parse(
        String(gunzipSync(readFileSync(join(truth, `${category}.truth.json.gz`)))),
      ) as Record<string, { file: string; rows: number[] }>;
      expect(Object.keys(expected)).toHaveLength(count);
      const different = await withRows(rows, async (matching) => {
        const found: string[] = [];
        for (const { file, rows } of Object.values(expected)) {
          const { detection } = ruleOf(readFileSync(join(rules, file), 'utf8'));
          const matches = detection === undefined ? [] : await matching(detection);
          if (JSON.stringify(matches) !== JSON.stringify(rows))
            found.push(`${file}: ${matches} for ${rows}`);
        }
        return found;
      });
      expect(different).toEqual([]);
    },
  );

  const cases = linesOf(readFileSync(join(truth, 'modifiers.jsonl'))) as unknown as ModifierCase[];

  test('there are 65 cases', () => expect(cases).toHaveLength(65));

  test.for(cases.map((one) => [one.name, one] as const))(
    '%s',
    async ([, { rule, rows, match }]) => {
      const { rules, diagnostics } = load(rule);
      if (match === undefined) {
        const isWrong = diagnostics.some(({ severity }) => severity === 'error');
        expect(isWrong || rules[0]?.detection === undefined || !hasFields(rule)).toBe(true);
        return;
      }
      expect(diagnostics).toEqual([]);
      const detection = rules[0]?.detection;
      if (detection === undefined) throw new Error(rules[0]?.unsupported);
      expect(await withRows(rows, (matching) => matching(detection))).toEqual(match);
    },
  );
});

interface ModifierCase {
  name: string;
  rule: string;
  rows: Row[];
  match?: number[];
}

/** Keywords are rejected later, when a rule is compiled for a log; see compile.test.ts. */
function hasFields(rule: string): boolean {
  return !rule.includes('kw:');
}

function linesOf(bytes: Uint8Array): Row[] {
  return String(bytes)
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Row);
}

function fieldsOf({ row, from, ...fields }: Row): Row {
  return fields;
}
