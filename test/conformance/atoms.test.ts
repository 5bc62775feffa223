import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { corpus, root } from '../helpers/corpus.js';

// Evaluates 1,153 single checks and macros of Falco's rules on every capture of the corpus, and
// compares the passing events (time, thread, name) with those of the Falco engine. atoms.json lists
// kinds of differences with reasons and numbers of passing events. SFKIT_UPDATE_GOLDEN=1 updates
// the numbers; a difference of no known kind still fails.

interface Kind {
  why: string;
  /** The checks that may differ so: regular expressions for the whole condition. */
  conditions: string[];
  /** The captures in which; all of them when absent. */
  captures?: string[];
  /** By check and capture: how many events pass. */
  passed: Record<string, Record<string, number>>;
}

const file = join(root, 'test/conformance/atoms.json');
const kinds = JSON.parse(readFileSync(file, 'utf8')) as Kind[];
const rules = join(corpus, 'rules');
const truth = join(rules, 'truth/falco/atoms');
const program = ['.', 'Release']
  .map((folder) => join(root, 'native/build', folder, 'sfkit_filter_trial'))
  .find(existsSync);
const isThere = existsSync(truth) && program !== undefined;

/** Name and condition of each check. */
const checks = isThere
  ? [
      ...readFileSync(join(rules, 'falco/atoms.yaml'), 'utf8').matchAll(
        /^- rule: (".*")\n.*\n {2}condition: (".*")$/gm,
      ),
    ].map(([, rule, condition]) => ({
      rule: JSON.parse(rule as string) as string,
      condition: JSON.parse(condition as string) as string,
    }))
  : [];

const captures = isThere
  ? readdirSync(truth).map((name) => {
      const capture = name.replace(/\.jsonl\.gz$/, '');
      const places = [
        join(corpus, `${capture.replace('.', '/')}.scap`),
        join(rules, `captures/${capture}.scap`),
      ];
      return { capture, path: places.find(existsSync) as string };
    })
  : [];

interface Answer {
  count: number;
  hash: string;
}

function recorded(capture: string): Map<string, Answer> {
  const lines = gunzipSync(readFileSync(join(truth, `${capture}.jsonl.gz`)))
    .toString()
    .trimEnd()
    .split('\n');
  return new Map(
    lines.map((line) => {
      const { rule, n, fnv1a } = JSON.parse(line) as { rule: string; n: number; fnv1a: string };
      return [rule, { count: n, hash: fnv1a }];
    }),
  );
}

function found(path: string): Answer[] {
  const input = `${checks.map(({ condition }) => condition).join('\0')}\0`;
  const output = execFileSync(program as string, [path], {
    input,
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  return output
    .trimEnd()
    .split('\n')
    .map((line) => {
      const [count, hash] = line.split(' ');
      return { count: Number(count), hash: hash as string };
    });
}

const kindOf = (condition: string, capture: string) =>
  kinds.find(
    ({ conditions, captures }) =>
      (captures === undefined || captures.includes(capture)) &&
      conditions.some((pattern) => new RegExp(`^${pattern}$`, 's').test(condition)),
  );

describe.skipIf(!isThere)(
  "checks of Falco's rules pass the events that Falco passes (needs ../shared)",
  () => {
    const met = new Map<Kind, Record<string, Record<string, number>>>(
      kinds.map((kind) => [kind, {}]),
    );

    it.each(captures)('$capture', ({ capture, path }) => {
      const wanted = recorded(capture);
      const unexplained: string[] = [];
      for (const [index, answer] of found(path).entries()) {
        const { rule, condition } = checks[index] as (typeof checks)[number];
        const other = wanted.get(rule);
        if (other === undefined ? answer.count === 0 : answer.hash === other.hash) continue;
        const kind = kindOf(condition, capture);
        const cases = kind && met.get(kind);
        if (cases === undefined) {
          unexplained.push(`${condition}: ${answer.count} events, ${other?.count ?? 0} in Falco`);
        } else {
          cases[rule] = { ...cases[rule], [capture]: answer.count };
        }
      }
      expect(unexplained).toEqual([]);
    });

    it('and differ as recorded', () => {
      const now = kinds.map((kind) => ({ ...kind, passed: met.get(kind) as Kind['passed'] }));
      if (process.env.SFKIT_UPDATE_GOLDEN)
        writeFileSync(file, `${JSON.stringify(now, undefined, 1)}\n`);
      expect(now).toEqual(JSON.parse(readFileSync(file, 'utf8')));
      expect(kinds.filter((kind) => Object.keys(met.get(kind) ?? {}).length === 0)).toEqual([]);
      expect(checks.length).toBe(1153);
    });
  },
);
