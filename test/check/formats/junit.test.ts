import { XMLParser, XMLValidator } from 'fast-xml-parser';
import { describe, expect, it } from 'vitest';
import type { ReportedFinding } from '../../../src/check/finding.js';
import {
  dangersIn,
  finding,
  hostileFindings,
  hostileTexts,
  manyFindings,
  report,
  rule,
  written,
} from '../../helpers/findings.js';

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  processEntities: true,
  isArray: (name) => ['testcase', 'property'].includes(name),
  parseAttributeValue: false,
});

interface Case {
  classname: string;
  name: string;
  failure?: { message: string; type: string; '#text': string };
  skipped?: { message: string };
  error?: { message: string };
  'system-out'?: string;
}

async function suiteOf(findings: readonly ReportedFinding[], run = report(findings)) {
  const text = await written('junit', findings, run);
  expect(XMLValidator.validate(text)).toBe(true);
  const { testsuites } = parser.parse(text);
  const { testcase = [], ...suite } = testsuites.testsuite as { testcase?: Case[] } & Record<
    string,
    string
  >;
  return { text, suite, cases: testcase };
}

describe('JUnit', () => {
  it('has a test case for each rule: failed, passed, or skipped with the reason', async () => {
    const found = finding();
    const { suite, cases } = await suiteOf(
      [found],
      report([found], {
        rules: [
          { rule: rule(finding({ rule: 'Quiet' })), state: 'unmatched', matches: 0, leftOut: 0 },
          {
            rule: rule(finding({ rule: 'Blind' })),
            state: 'unevaluated',
            reason: 'no name server',
            matches: 0,
            leftOut: 0,
          },
        ],
      }),
    );
    expect(suite).toMatchObject({
      name: 'sfkit check',
      tests: '3',
      failures: '1',
      errors: '0',
      skipped: '1',
    });
    expect(cases.map(({ classname, name }) => [classname, name])).toEqual([
      ['sfkit.falco', 'Shell in container'],
      ['sfkit.falco', 'Quiet'],
      ['sfkit.falco', 'Blind'],
    ]);
    expect(cases[0]?.failure?.message).toBe(
      '1 finding, 1 event: Shell in container (command=sh -c id)',
    );
    expect(cases[0]?.failure?.['#text']).toContain('process: sh 312 < nginx 7 (ana)');
    expect(cases[2]?.skipped?.message).toBe('no name server');
  });

  it('passes a rule if all its findings are suppressed, and reports that', async () => {
    const { suite, cases } = await suiteOf([
      finding({ suppression: { reason: 'known', location: { file: 's', line: 1 } } }),
    ]);
    expect(suite).toMatchObject({ tests: '1', failures: '0' });
    expect(cases[0]?.failure).toBeUndefined();
    expect(cases[0]?.['system-out']).toBe('1 suppressed finding');
  });

  it('has an error for each capture that could not be read', async () => {
    const { suite, cases } = await suiteOf(
      [],
      report([], { failed: [{ capture: 'x.scap', message: 'x.scap: is empty' }] }),
    );
    expect(suite).toMatchObject({ tests: '1', errors: '1' });
    expect(cases).toEqual([
      { classname: 'sfkit.captures', name: 'x.scap', error: { message: 'x.scap: is empty' } },
    ]);
  });

  it('has unique names', async () => {
    const findings = ['a', 'b', 'b'].map((file, line) => finding({ location: { file, line } }));
    const { cases } = await suiteOf(findings);
    expect(new Set(cases.map(({ name }) => name)).size).toBe(3);
  });

  it('stays below 30 MB with 30,000 findings of 30,000 rules, and counts all', async () => {
    const findings = manyFindings(30_000, () => '\x1b<&"'.repeat(200)).map((one, line) => ({
      ...one,
      rule: `Rule ${line} ${'r'.repeat(300)}`,
      location: { file: 'rules/own.yaml', line },
    }));
    const { text, suite, cases } = await suiteOf(findings);
    expect(Buffer.byteLength(text)).toBeLessThan(30_000_000);
    expect(suite).toMatchObject({ tests: '30000', failures: '30000' });
    expect(new Set(cases.map(({ name }) => name)).size).toBe(30_000);
  });

  it('writes captured text as valid XML that parses to the same text', async () => {
    const findings = hostileFindings();
    const { text, cases } = await suiteOf(findings);
    expect(dangersIn(text)).toEqual([]);
    const shown = cases[0]?.failure?.['#text'] ?? '';
    expect(shown).toContain('<script>alert(1)</script><!-- --> </testcase> ]]> &amp; &#0;');
    expect(shown.match(/ {2}output: /g)).toHaveLength(hostileTexts.length);
  });
});
