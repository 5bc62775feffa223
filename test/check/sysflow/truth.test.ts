import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Finding, Rule } from '../../../src/check/finding.js';
import type { RuleSet } from '../../../src/check/language.js';
import { CheckTables } from '../../../src/check/sql/tables.js';
import { sysflow } from '../../../src/check/sysflow/sysflow.js';
import { root } from '../../helpers/corpus.js';
import {
  fnv1a,
  hasTruth,
  operationsText,
  policyFiles,
  recordKey,
  recordLines,
  recordsPath,
  recordTruths,
  ruleTruths,
} from './truth.js';

// Compares with the SysFlow processor's results. truth-differences.json explains the differences.

interface Difference {
  policy: string;
  file: string;
  /** Affected rules. */
  rules: string[];
  /**
   * Records that only sfkit finds: file flows whose operations the processor names like those of
   * connections.
   */
  onlyOurs?: number;
  why: string;
}

const differences = JSON.parse(
  readFileSync(join(root, 'test/check/sysflow/truth-differences.json'), 'utf8'),
) as Difference[];

/** For rules with more records, only the number is compared. */
const maxHashed = 100;

const byRule = ruleTruths();
const byRecord = new Map(
  ['distribution', 'runtimeintegrity'].map((policy) => [policy, recordTruths(policy)]),
);
const sets = new Map<string, RuleSet>();
const files = new Set([
  ...[...byRule.values()].flatMap((found) => [...found.keys()]),
  ...[...byRecord.values()].flatMap((found) => [...found.keys()]),
]);

function setOf(policy: string): RuleSet {
  const set = sets.get(policy) ?? sysflow.load(policyFiles(policy));
  sets.set(policy, set);
  return set;
}

async function findingsOf(
  policy: string,
  file: string,
  tables: CheckTables,
  rules: readonly Rule[],
) {
  const findings: Finding[] = [];
  const run = setOf(policy).run(recordsPath(file), {
    rules,
    allMatching: true,
    foldRepeats: false,
    tables,
  });
  for await (const finding of run) findings.push(finding);
  return findings;
}

/** Number of records that each rule found. */
async function countsOf(policy: string, file: string, tables: CheckTables, rules: readonly Rule[]) {
  const run = setOf(policy).run(recordsPath(file), {
    rules,
    allMatching: true,
    foldRepeats: true,
    tables,
  });
  for await (const _ of run) break;
  return new Map(run.outcomes().map(({ rule, matches }) => [rule, matches]));
}

describe.skipIf(!hasTruth)('policies on SysFlow files (needs ../shared)', () => {
  const enabled = (policy: string) => setOf(policy).rules.filter((rule) => rule.enabled);

  // All files would take minutes: each run checks a part of them. SFKIT_THOROUGH=1 checks all.
  const isDifferent = (file: string) => differences.some((one) => one.file === file);
  const isThorough = process.env.SFKIT_THOROUGH !== undefined;
  const asked = [...files]
    .sort()
    .filter((file, index) => isThorough || index % 4 === 0 || isDifferent(file));
  it.skipIf(!isThorough)(`${files.size - asked.length} more files (needs SFKIT_THOROUGH=1)`, () => {
    expect(asked).toHaveLength(files.size);
  });

  it.each(asked)('%s', { timeout: 300_000 }, async (file) => {
    const tables = new CheckTables(recordsPath(file));
    tables.want([
      'process_event',
      'file_event',
      'network_flow',
      'file_flow',
      'k8s_event',
      'process',
      'header',
    ]);
    const found: unknown[] = [];
    const expected: unknown[] = [];
    try {
      for (const [policy, truths] of byRecord) {
        const findings = await findingsOf(policy, file, tables, enabled(policy));
        const known = differences.find(
          (one) => one.policy === policy && one.file === file && one.onlyOurs !== undefined,
        );
        const types =
          known === undefined ? new Map<string, string>() : await typesOfOperations(tables, policy);
        const isOurs = ({ rule, eventType }: Finding) => {
          const [type, operations = ''] = eventType.split(' ');
          return (
            known?.rules.includes(rule) === true && type === 'FF' && types.get(operations) === 'NF'
          );
        };
        found.push([policy, recordLines(findings.filter((finding) => !isOurs(finding)))]);
        expected.push([policy, truths.get(file) ?? []]);
        found.push([policy, findings.filter(isOurs).length]);
        expected.push([policy, known?.onlyOurs ?? 0]);
      }
      for (const [policy, truths] of byRule) {
        const truth = truths.get(file);
        if (truth === undefined) continue;
        const rules = enabled(policy);
        const counts = await countsOf(policy, file, tables, rules);
        const isKnown = (rule: Rule) =>
          differences.some(
            (one) => one.policy === policy && one.file === file && one.rules.includes(rule.name),
          );
        const hashed = rules.filter((rule) => {
          const count = counts.get(rule) ?? 0;
          return count > 0 && count <= maxHashed;
        });
        const findings = await findingsOf(policy, file, tables, hashed);
        const types = await typesOfOperations(tables, policy);
        for (const rule of rules.filter((rule) => !isKnown(rule))) {
          const own = findings
            .filter((finding) => finding.rule === rule.name)
            .sort((a, b) => a.eventNumber - b.eventNumber);
          const lines = own.map((finding) => {
            const [type = '', operations = ''] = finding.eventType.split(' ');
            return `${hashedKey(finding)} ${operationsText(finding.eventType, types.get(operations) ?? type)}\n`;
          });
          const { n = 0, fnv1a: hash } = truth.get(rule.name) ?? {};
          found.push([
            policy,
            rule.name,
            counts.get(rule),
            hashed.includes(rule) && n > 0 ? fnv1a(lines.join('')) : '',
          ]);
          expected.push([
            policy,
            rule.name,
            n,
            (counts.get(rule) ?? 0) <= maxHashed && n > 0 ? hash : '',
          ]);
        }
      }
    } finally {
      tables.close();
    }
    expect(found).toEqual(expected);
  });

  it('differences refer to existing files', () => {
    expect(differences.filter(({ file }) => !files.has(file))).toEqual([]);
  });
});

/** Kubernetes events have no process; the reference hashes contain Python's name for that. */
function hashedKey(finding: Finding): string {
  return finding.pid === undefined ? `${finding.ts} KE None None` : recordKey(finding);
}

/**
 * The processor caches the names of operations by their bits, from the first record with these bits
 * that passes its filters. (filter.yaml drops file flows.)
 */
async function typesOfOperations(
  tables: CheckTables,
  policy: string,
): Promise<Map<string, string>> {
  const connection = await tables.open();
  const dropped = policy === 'filter' ? "'PF', 'FF'" : "'PF'";
  const result = await connection.runAndReadAll(
    `SELECT array_to_string(any_value(opflags), '|'), arg_min(type, idx) FROM sysflow
     WHERE type NOT IN (${dropped}) GROUP BY opflags_bitmap`,
  );
  return new Map(result.getRows() as [string, string][]);
}
