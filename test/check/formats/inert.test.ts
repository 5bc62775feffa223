import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import type { ReportedFinding } from '../../../src/check/finding.js';
import { FindingIds } from '../../../src/check/fingerprint.js';
import type { RunReport } from '../../../src/check/report.js';
import {
  dangersIn,
  finding,
  hostileTexts,
  report,
  rule,
  sarifFaults,
  written,
} from '../../helpers/findings.js';

// Puts random texts with special characters of all formats into every field of a finding and a
// report. Each format must keep the shape that it has with harmless texts.

const pieces = [
  ...hostileTexts,
  ...[
    '\n',
    '\r',
    '\r\n',
    '\x1b]0;x\x07',
    '\u2028',
    '\u2029',
    '\u2066',
    '\u2069',
    '\u202d',
    '\u200f',
    '\u061c',
    '\u{e0041}',
  ],
  ...[
    '\ud800',
    '\udc00',
    '\ud83d',
    '\u{1f480}',
    '\u0300\u0301\u0302',
    '\ufdd0',
    '\ufffd',
    '\u3164',
  ],
  ...[
    '::',
    '::error::x',
    '::endgroup::',
    '%0A',
    '%0D',
    '%',
    '##[',
    '##',
    '[',
    '#',
    '\\',
    '\\n',
    '"',
    "'",
    '`',
    '```',
    '~~~',
  ],
  ...[
    '<',
    '>',
    '</code>',
    '<!--',
    '-->',
    '<![CDATA[',
    ']]>',
    '<?xml?>',
    '<!DOCTYPE x>',
    '&lt;',
    '&#10;',
    '&',
    '</testcase>',
  ],
  ...[
    '|',
    '| --- |',
    '\t',
    '- ',
    '# ',
    '> ',
    '1. ',
    '* * *',
    '![',
    '](',
    '](javascript:x)',
    'http://x.example',
    'www.x.example',
  ],
  ...[
    '{0}',
    '{',
    '}',
    '{{1}}',
    '$(id)',
    '`id`',
    '=1+1',
    ',',
    ';',
    ':',
    '@all',
    '../..',
    '/',
    '//',
    '.',
    '..',
    'file:///etc',
  ],
  ...[
    'process: ',
    'time: ',
    'critical',
    'nginx',
    ' ',
    '',
    'x'.repeat(700),
    '\u202e'.repeat(400),
    '|'.repeat(1500),
    '<'.repeat(1100),
  ],
];

const seeds = process.env.SFKIT_THOROUGH === undefined ? 10 : 200;

/** Pseudo-random numbers, the same in every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Findings and a report; every text in them is random. */
function randomRun(seed: number): { findings: ReportedFinding[]; run: RunReport } {
  const random = randomNumbers(seed);
  const text = () =>
    Array.from({ length: random(6) }, () => pieces[random(pieces.length)]).join('');
  const maybe = <Value>(value: Value) => (random(3) === 0 ? undefined : value);
  const levels = ['critical', 'error', 'warning', 'notice', 'debug', 'high', 'low'];
  const ids = new FindingIds();
  const names = () => ({
    pid: random(9),
    name: maybe(text()),
    exe: text(),
    exepath: maybe(text()),
    cmdline: text(),
  });
  const rules = Array.from({ length: 25 }, (_, line) => ({
    rule: text(),
    language: ['falco', 'sysflow', 'sigma', 'sql'][random(4)] as string,
    level: levels[random(levels.length)] as string,
    tags: [text(), text(), 'T1059'],
    author: maybe(text()),
    location: { file: text(), line: line + 1 },
  }));
  const findings = Array.from({ length: 60 }, () => {
    const made = finding({
      ...(rules[random(rules.length)] as (typeof rules)[0]),
      capture: text(),
      output: text(),
      eventType: text(),
      fields: { [text()]: text(), list: [text(), 1, true] },
      count: 1 + random(3),
      lastTs: maybe('1700000000123456790'),
      process: maybe({
        ...names(),
        cwd: text(),
        user: maybe(text()),
        ancestors: Array.from({ length: random(9) }, names),
      }) as ReportedFinding['process'],
      file: maybe({ path: text(), target: text() }),
      connection: maybe({ protocol: text(), name: text() }),
      container: maybe({
        id: text(),
        name: maybe(text()),
        image: text(),
      }) as ReportedFinding['container'],
      suppression:
        random(8) === 0 ? { reason: text(), location: { file: text(), line: 1 } } : undefined,
      evidence: maybe([{ number: 41, ts: '1', eventType: text(), text: text() }]),
      id: '',
    });
    return JSON.parse(JSON.stringify({ ...made, id: ids.next(made) })) as ReportedFinding;
  });
  const blind = rule(finding({ rule: text(), location: { file: text(), line: 999 } }), {
    description: text(),
  });
  const run = report(findings, {
    rules: [{ rule: blind, state: 'unevaluated', reason: text(), matches: 0, leftOut: 0 }],
    failed: [{ capture: text(), message: text() }],
  });
  return {
    findings,
    run: {
      ...run,
      rules: run.rules.map((outcome) => ({
        ...outcome,
        rule: { ...outcome.rule, description: text() },
      })),
      captures: run.captures.map((one) => ({ ...one, capture: text() })),
      book: { ...run.book, notes: [text()] },
    },
  };
}

const linesOf = (text: string) => text.trimEnd().split('\n');

/** Words that start a line about a finding. */
const fact = '(?:time|process|thread|command|container|file|connection|times|output|event): ';

/** Checks the shape of each format, independent of its texts. */
const shapes: Record<string, (text: string, given: ReturnType<typeof randomRun>) => void> = {
  table: (text) => {
    const known = new RegExp(`^(?:[┌├└│]|$|(?:- |  )${fact.slice(0, -2)}:|[a-z]+: |  )`);
    for (const line of linesOf(text)) expect(line).toMatch(known);
  },
  json: (text, { findings }) => {
    expect(JSON.parse(text).findings).toEqual(findings);
  },
  jsonl: (text, { findings }) => {
    expect(linesOf(text).map((line) => JSON.parse(line))).toEqual(findings);
  },
  sarif: (text, { findings }) => {
    expect(sarifFaults(text)).toEqual([]);
    const [run] = JSON.parse(text).runs;
    expect(run.results).toHaveLength(findings.length);
    for (const { message, locations } of run.results) {
      expect(message.text.length).toBeLessThanOrEqual(1024);
      expect(message.text.replace(/ \(\[rule\]\(1\)\)$/, '')).not.toContain('](');
      const { uri } = locations[0].physicalLocation.artifactLocation;
      expect(uri).toMatch(/^captured\/[\w\-.~%/]+$/);
      expect(uri.split('/').slice(1)).not.toContain('..');
    }
    const places = run.results.map(({ ruleId, locations }: never) =>
      JSON.stringify([ruleId, locations]),
    );
    expect(new Set(places).size).toBe(places.length);
    for (const one of run.tool.driver.rules) expect(one.id.length).toBeLessThanOrEqual(255);
  },
  junit: (text, { run }) => {
    expect(XMLValidator.validate(text)).toBe(true);
    const parsed = new XMLParser({ ignoreAttributes: false, processEntities: false }).parse(text);
    const { testsuite } = parsed.testsuites;
    expect(Object.keys(testsuite).filter((name) => !name.startsWith('@'))).toEqual([
      'properties',
      'testcase',
      'system-err',
    ]);
    expect(testsuite.testcase).toHaveLength(run.rules.length + run.failed.length);
    const names = testsuite.testcase.map((one: Record<string, string>) => one['@_name']);
    expect(new Set(names).size).toBe(names.length);
    for (const one of testsuite.testcase) {
      const inside = Object.keys(one).filter((name) => !name.startsWith('@'));
      expect(['failure', 'skipped', 'error', 'system-out']).toEqual(expect.arrayContaining(inside));
    }
  },
  markdown: (text) => {
    let fence = '';
    for (const line of linesOf(text)) {
      const [, ticks, rest] = /^(`{3,})(.*)$/.exec(line) ?? [];
      if (fence !== '') {
        if (line === fence) fence = '';
        else {
          expect(line).toMatch(new RegExp(`^${fact}`));
          expect(line).not.toContain(fence);
        }
      } else if (ticks !== undefined) {
        expect(rest).toBe('text');
        fence = ticks;
      } else {
        expect(line).toMatch(
          /^(?:## sfkit check: |\d+ rules on |- <code>|\| |### [a-z]+: <code>|and \d+ more\.|$)/,
        );
        const bare = line.replace(/<\/?code>|<!-- -->|&#\d+;/g, '').replace(/^(?:#+|- )/, '');
        expect(bare).not.toMatch(/[<>&`*_[\]\\~@#]|:\/\/|\bwww\./);
        expect(line.split('|').length).toBe(line.startsWith('|') ? 7 : 1);
      }
    }
    expect(fence).toBe('');
  },
  github: (text) => {
    const lines = linesOf(text);
    expect(lines.length).toBeLessThanOrEqual(20);
    for (const line of lines) {
      // The runner reads everything up to the next :: as properties.
      const [, properties = ''] = /^::(?:error|warning|notice) (.*?)::/.exec(line) ?? [];
      expect(properties).toMatch(/^(?:file=[^,:]*,line=\d+,)?title=[^,:]*$/);
    }
  },
  gitlab: (text, { findings }) => {
    const issues = JSON.parse(text);
    expect(issues).toHaveLength(
      findings.filter(({ suppression }) => suppression === undefined).length,
    );
    expect(new Set(issues.map(({ fingerprint }: never) => fingerprint)).size).toBe(issues.length);
    for (const issue of issues) {
      expect(issue.description.length).toBeLessThanOrEqual(1024);
      expect(Object.keys(issue)).toEqual([
        'description',
        'check_name',
        'fingerprint',
        'severity',
        'location',
      ]);
    }
  },
};

describe.each(Object.entries(shapes))('%s', (format, expectShape) => {
  it('keeps its shape with any texts', async () => {
    for (let seed = 1; seed <= seeds; seed++) {
      const given = randomRun(seed);
      const text = await written(format, given.findings, given.run);
      expect(
        dangersIn(text).filter((danger) => format !== 'github' || !danger.startsWith('::')),
      ).toEqual([]);
      expectShape(text, given);
    }
  });
});
