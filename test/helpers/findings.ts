import { createRequire } from 'node:module';
import draft4 from 'ajv-draft-04';
import formats from 'ajv-formats';
import type { ReportedFinding, Rule, RuleOutcome } from '../../src/check/finding.js';
import { FindingIds } from '../../src/check/fingerprint.js';
import type { WriterOptions } from '../../src/check/formats/format.js';
import { formatNamed } from '../../src/check/formats/index.js';
import type { RunReport } from '../../src/check/report.js';
import type { Summary } from '../../src/engine/session.js';
import { emptySummary } from './batches.js';
import { memorySink } from './sinks.js';

/** A finding like those of Falco rules. */
export function finding(
  parts: { [Key in keyof ReportedFinding]?: ReportedFinding[Key] | undefined } = {},
): ReportedFinding {
  const made: ReportedFinding = {
    id: '',
    rule: 'Shell in container',
    language: 'falco',
    level: 'warning',
    tags: ['container', 'mitre_execution', 'T1059.004'],
    location: { file: 'rules/own.yaml', line: 7 },
    capture: 'build.scap',
    ts: '1700000000123456789',
    count: 1,
    pid: 312,
    tid: 312,
    eventType: 'execve',
    eventNumber: 41,
    output: 'Shell in container (command=sh -c id)',
    fields: { 'proc.cmdline': 'sh -c id', 'proc.pid': 312 },
    process: {
      pid: 312,
      name: 'sh',
      exe: 'sh',
      exepath: '/usr/bin/sh',
      cmdline: 'sh -c id',
      user: 'ana',
      ancestors: [{ pid: 7, name: 'nginx', exepath: '/usr/sbin/nginx' }],
    },
    container: { id: 'c0ffee000000', name: 'web', image: 'shop/web' },
    ...parts,
  } as ReportedFinding;
  return { ...made, id: parts.id ?? new FindingIds().next(made) };
}

export function rule(
  { rule: name, language, level, tags, location }: ReportedFinding,
  parts: Partial<Rule> = {},
): Rule {
  return {
    name,
    language,
    level,
    tags,
    location,
    description: 'Says more.',
    enabled: true,
    needs: [],
    ...parts,
  };
}

/** A run with the rules of these findings, and further members. */
export function report(
  findings: readonly ReportedFinding[],
  { rules = [], summary = {}, ...parts }: Partial<RunReport> & { summary?: Partial<Summary> } = {},
): RunReport {
  const byPlace = new Map(findings.map((one) => [JSON.stringify([one.rule, one.location]), one]));
  const matched = [...byPlace.values()].map(
    (one): RuleOutcome => ({ rule: rule(one), state: 'matched', matches: 1, leftOut: 0 }),
  );
  const all = [...matched, ...rules];
  return {
    book: { diagnostics: [], rules: all.map((outcome) => outcome.rule), notes: [], sets: [] },
    captures: [{ capture: 'build.scap', summary: { ...emptySummary, ...summary }, rules: all }],
    failed: [],
    rules: all,
    suppressions: [],
    ...parts,
  };
}

/** The output of a format for findings. */
export async function written(
  format: string,
  findings: readonly ReportedFinding[],
  run = report(findings),
  options: WriterOptions = {},
): Promise<string> {
  const sink = memorySink();
  const writer = formatNamed(format)?.open(sink, options);
  for (const one of findings) await writer?.finding(one);
  await writer?.end(run);
  return sink.text();
}

/** Many different findings, of 60 rules with every level. */
export function manyFindings(
  count: number,
  text = (index: number) => `found ${index}`,
): ReportedFinding[] {
  const words = [
    'emergency',
    'alert',
    'critical',
    'error',
    'warning',
    'notice',
    'informational',
    'debug',
  ];
  const ids = new FindingIds();
  return Array.from({ length: count }, (_, index) => {
    const one = finding({
      rule: `Rule ${index % 60}`,
      level: words[(index % 60) % words.length] as string,
      location: { file: 'rules/own.yaml', line: 1 + (index % 60) },
      eventNumber: index + 1,
      output: text(index),
      fields: { 'proc.cmdline': text(index) },
    });
    return { ...one, id: ids.next(one) };
  });
}

/** Texts with an effect in some output if they are not escaped. */
export const hostileTexts = [
  '::error file=a::pwned',
  '\n::error::pwned',
  '\r\n  ::add-mask::x',
  'x ##[error]pwned',
  '##vso[task.setvariable variable=a]b ##teamcity[x]',
  'section_start:1:x\r\x1b[0K',
  '\x1b[31mred\x1b]8;;http://evil.example\x07link',
  '\u202etxt.exe \u200b\u00a0\ufeff',
  '<script>alert(1)</script><!-- --> </testcase> ]]> &amp; &#0;',
  '| a | `code` ``` \n```\n# heading',
  '[click](http://evil.example) ![x](http://evil.example/x.png) http://evil.example www.evil.example a@evil.example @team #1',
  '{0} {1} %0A::error::x %s',
  '"quoted" \\"\\',
  '=cmd()',
  '\ud800 half, \udc00 half',
  '\x00\x01\x08\x0b\x0c\x0e\x1f\x7f\x85\ufffe\uffff',
  '*'.repeat(3000),
];

/** Findings in which every captured text is one of these. */
export function hostileFindings(): ReportedFinding[] {
  const ids = new FindingIds();
  return hostileTexts.map((text) => {
    const one = finding({
      output: text,
      eventType: 'openat',
      fields: { 'fd.name': text },
      process: {
        pid: 1,
        name: text,
        exe: text,
        exepath: `/usr/${text}`,
        cmdline: text,
        user: text,
        ancestors: [{ pid: 2, name: text }],
      },
      file: { path: text, target: text },
      connection: { protocol: 'unix', name: text },
      container: { id: text, name: text, image: text },
      evidence: [{ number: 41, ts: '1', eventType: 'openat', text }],
    });
    return { ...one, id: ids.next(one) };
  });
}

/** Patterns that no output may contain. */
export function dangersIn(text: string): string[] {
  const lines = text.split('\n');
  return [
    ...(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u202e\ufeff\ufffe\uffff]/.test(text)
      ? ['hidden characters']
      : []),
    ...(Buffer.from(text).toString() === text ? [] : ['half a character']),
    ...(/##[a-z]*\[/i.test(text) ? ['a command inside a line'] : []),
    ...lines.filter((line) => line.trimStart().startsWith('::')),
  ];
}

const load = createRequire(import.meta.url);
const schema = load('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json');
const validator = new draft4.default({ strict: false, allErrors: true, unicodeRegExp: false });
formats.default(validator as never);
const validate = validator.compile(schema);

/** Violations of the published schema in a SARIF file. */
export function sarifFaults(text: string): string[] {
  validate(JSON.parse(text));
  return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath}: ${message}`);
}
