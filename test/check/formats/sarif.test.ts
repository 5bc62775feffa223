import { describe, expect, it } from 'vitest';
import type { ReportedFinding } from '../../../src/check/finding.js';
import { FindingIds } from '../../../src/check/fingerprint.js';
import { reasonCount } from '../../../src/engine/reasons.js';
import {
  dangersIn,
  finding,
  hostileFindings,
  manyFindings,
  report,
  rule,
  sarifFaults,
  written,
} from '../../helpers/findings.js';

interface Result {
  ruleId: string;
  ruleIndex: number;
  level: string;
  message: { text: string };
  locations: [
    {
      physicalLocation: {
        artifactLocation: { uri: string };
        region: { startLine: number; endLine: number };
      };
    },
  ];
  relatedLocations?: { physicalLocation: { artifactLocation: { uri: string } } }[];
  partialFingerprints: { primaryLocationLineHash: string };
  properties: Record<string, unknown>;
  suppressions?: { kind: string; justification: string }[];
  codeFlows?: { threadFlows: { locations: { location: { message: { text: string } } }[] }[] }[];
}

async function runOf(findings: readonly ReportedFinding[], run = report(findings)) {
  const text = await written('sarif', findings, run);
  expect(sarifFaults(text)).toEqual([]);
  const [parsed] = JSON.parse(text).runs;
  const notifications = parsed.invocations[0].toolExecutionNotifications as {
    descriptor: { id: string };
    message: { text: string };
  }[];
  return {
    text,
    results: parsed.results as Result[],
    rules: parsed.tool.driver.rules as {
      id: string;
      name: string;
      properties: { tags: string[] } & Record<string, unknown>;
      relationships?: { target: { id: string; index: number } }[];
      [text: string]: unknown;
    }[],
    taxa: parsed.taxonomies[0].taxa as { id: string; name?: string; helpUri: string }[],
    notifications: notifications.map(({ descriptor, message }) => [descriptor.id, message.text]),
  };
}

const placeOf = ({ ruleId, locations: [{ physicalLocation }] }: Result) =>
  [ruleId, physicalLocation.artifactLocation.uri, physicalLocation.region.startLine].join(' ');

describe('SARIF', () => {
  it('is valid without findings, and with findings has everything that services need', async () => {
    expect((await runOf([])).results).toEqual([]);
    const { results, rules } = await runOf([finding()]);
    expect(results[0]).toMatchObject({
      ruleId: 'Shell in container',
      ruleIndex: 0,
      level: 'warning',
      message: { text: 'Shell in container (command=sh -c id) ([rule](1))' },
      locations: [{ physicalLocation: { artifactLocation: { uri: 'captured/usr/bin/sh' } } }],
      relatedLocations: [{ physicalLocation: { artifactLocation: { uri: 'rules/own.yaml' } } }],
    });
    expect(rules[0]).toMatchObject({
      shortDescription: { text: 'Shell in container' },
      fullDescription: { text: 'Says more.' },
      help: { text: expect.stringContaining('rules/own.yaml:7') },
      properties: { 'security-severity': '5.5', precision: 'medium' },
    });
  });

  it('includes the id of a rule in addition to its name', async () => {
    const ruleId = '5d0d2cd4-8a4c-4f38-9d0c-1f1a1c6b6a10';
    const found = finding({ ruleId });
    const own = rule(found, { id: ruleId });
    const run = report([found], {
      rules: [{ rule: own, state: 'matched', matches: 1, leftOut: 0 }],
    });
    const { results, rules } = await runOf([found], run);
    expect(results[0]).toMatchObject({ ruleId: 'Shell in container', properties: { ruleId } });
    expect(rules[0]).toMatchObject({ id: 'Shell in container', properties: { ruleId } });
    const without = await runOf([finding()]);
    expect(without.results[0]?.properties).not.toHaveProperty('ruleId');
    expect(without.rules[0]?.properties).not.toHaveProperty('ruleId');
  });

  it('keeps the most severe of 30,000 findings and counts the rest by rule', async () => {
    const findings = manyFindings(30_000);
    const { results, notifications, rules } = await runOf(findings);
    expect(results).toHaveLength(5000);
    const levels = results.map(({ level }) => ['error', 'warning', 'note'].indexOf(level));
    expect(levels).toEqual([...levels].sort((one, other) => one - other));
    expect(new Set(results.map(placeOf)).size).toBe(5000);
    expect(
      new Set(results.map(({ partialFingerprints }) => partialFingerprints.primaryLocationLineHash))
        .size,
    ).toBe(5000);
    expect(results.every(({ ruleId, ruleIndex }) => rules[ruleIndex]?.id === ruleId)).toBe(true);
    expect(rules).toHaveLength(60);
    expect(notifications).toEqual([
      [
        'findings-left-out',
        expect.stringMatching(/^the 25000 least severe of 30000 findings are left out/),
      ],
    ]);
  });

  it('stays below 10 MB and 1,024 characters with long texts', async () => {
    const { text, results, notifications, rules } = await runOf(
      manyFindings(8000, (index) => `${index} ${'\u202e"\\'.repeat(500)}`),
      report(manyFindings(60), {
        rules: Array.from({ length: 26_000 }, (_, index) => ({
          rule: rule(finding({ rule: `Other ${index} ${'r'.repeat(400)}` }), {
            description: 'd'.repeat(3000),
          }),
          state: 'unevaluated' as const,
          reason: 'no name server '.repeat(200),
          matches: 0,
          leftOut: 0,
        })),
      }),
    );
    expect(Buffer.byteLength(text)).toBeLessThan(10_000_000);
    expect(results.length).toBeGreaterThan(500);
    expect(rules.length).toBeLessThanOrEqual(25_000);
    for (const { message } of results) expect(message.text.length).toBeLessThanOrEqual(1024);
    for (const [, said = ''] of notifications) expect(said.length).toBeLessThanOrEqual(1024);
    for (const { id, name, fullDescription } of rules) {
      expect(Math.max(id.length, name.length)).toBeLessThanOrEqual(255);
      expect((fullDescription as { text: string }).text.length).toBeLessThanOrEqual(1024);
    }
    const left = Number(
      /\d+/.exec(notifications.find(([id]) => id === 'findings-left-out')?.[1] ?? '')?.[0],
    );
    expect(left + results.length).toBe(8000);
  });

  it('gives a finding the same location and hash in every run', async () => {
    const before = finding({
      fields: {
        'fd.name': '10.0.0.7:40000->203.0.113.9:443',
        'proc.pid': 312,
        'evt.time': '10:00',
      },
      connection: {
        protocol: 'tcp',
        client: { ip: '10.0.0.7', port: 40000 },
        server: { ip: '203.0.113.9', port: 443 },
      },
    });
    const after = finding({
      ...before,
      id: undefined,
      ...{
        ts: '1800000000000000000',
        pid: 999,
        tid: 999,
        eventNumber: 7,
        capture: '/other/place.scap',
        output: 'pid 999',
      },
      fields: {
        'fd.name': '10.0.0.7:51234->203.0.113.9:443',
        'proc.pid': 999,
        'evt.time': '11:11',
      },
      connection: {
        protocol: 'tcp',
        client: { ip: '10.0.0.7', port: 51234 },
        server: { ip: '203.0.113.9', port: 443 },
      },
    });
    const [one, other] = [(await runOf([before])).results[0], (await runOf([after])).results[0]];
    expect(placeOf(one as Result)).toBe(placeOf(other as Result));
    expect(one?.partialFingerprints).toEqual(other?.partialFingerprints);
    const different = finding({
      ...before,
      id: undefined,
      fields: { 'fd.name': '10.0.0.7:40000->203.0.113.8:443' },
    });
    expect((await runOf([different])).results[0]?.partialFingerprints).not.toEqual(
      one?.partialFingerprints,
    );
  });

  it('distinguishes equal findings', async () => {
    const ids = new FindingIds();
    const { results } = await runOf([1, 2, 3].map(() => finding({ id: ids.next(finding()) })));
    expect(new Set(results.map(placeOf)).size).toBe(3);
    const hashes = results.map(
      ({ partialFingerprints }) => partialFingerprints.primaryLocationLineHash,
    );
    expect(hashes.map((hash) => hash.split(':')[1])).toEqual(['1', '2', '3']);
  });

  it('distinguishes rules of the same name, with at most 10 tags and their ATT&CK techniques', async () => {
    const tags = [
      'T1059',
      'attack.t1053.003',
      'mitre_credential_access',
      'attack.command-and-control',
      'mitre:T1204',
      't1204',
    ];
    const many = [...tags, ...Array.from({ length: 30 }, (_, index) => `tag${index}`)];
    const { rules, taxa } = await runOf([
      finding({ tags: many }),
      finding({ location: { file: 'rules/other.yaml', line: 1 } }),
    ]);
    expect(rules.map(({ id }) => id)).toEqual(['Shell in container', 'Shell in container 2']);
    expect(rules[0]?.properties.tags).toEqual(['security', ...many.slice(0, 9)]);
    expect(rules[0]?.relationships?.map(({ target }) => target.id)).toEqual([
      ...['T1059', 'T1053.003', 'TA0006', 'TA0011', 'T1204'],
    ]);
    for (const { target } of rules.flatMap(({ relationships = [] }) => relationships))
      expect(taxa[target.index]?.id).toBe(target.id);
    expect(taxa[1]).toEqual({
      id: 'T1053.003',
      helpUri: 'https://attack.mitre.org/techniques/T1053/003/',
    });
  });

  it('has notifications for what the run could not see', async () => {
    const findings = [finding()];
    const { notifications } = await runOf(
      findings,
      report(findings, {
        rules: [
          {
            rule: rule(finding({ rule: 'Asks' })),
            state: 'unevaluated',
            reason: 'no name server',
            matches: 0,
            leftOut: 0,
          },
        ],
        summary: {
          damage: [
            {
              kind: 'cut',
              offset: 12n,
              skippedBytes: 20n,
              message: 'the file ends inside a block',
            },
          ],
          skipped: [reasonCount('recorder-drops', 3n)],
        },
        failed: [{ capture: 'x.scap', message: 'x.scap: no such file' }],
        suppressions: [
          {
            ...{
              rule: 'Shell*',
              reason: 'known',
              expires: '2020-01-01',
              location: { file: 's.yaml', line: 1 },
            },
            ...{ state: 'expired', findings: 1, namesRule: true },
          },
        ],
      }),
    );
    expect(notifications).toEqual([
      ['capture-failed', 'x.scap: no such file'],
      ['rule-not-evaluated', 'not evaluated: Asks (rules/own.yaml:7): no name server'],
      [
        'capture-damaged',
        'damaged: build.scap: at byte 12: the file ends inside a block, 20 bytes lost',
      ],
      ['capture-incomplete', 'build.scap: 3 times at which the recorder started to drop events'],
      [
        'suppression-expired',
        'expired: s.yaml:1: the suppression of Shell* expired on 2020-01-01; it matches 1 finding',
      ],
    ]);
  });

  it('has suppressed findings after the others, with the reason', async () => {
    const suppression = { reason: 'known', location: { file: 's.yaml', line: 3 } };
    const { results } = await runOf([
      finding({ level: 'critical', suppression }),
      finding({ level: 'debug' }),
    ]);
    expect(results.map(({ suppressions }) => suppressions)).toEqual([
      undefined,
      [{ kind: 'external', status: 'accepted', justification: 'known' }],
    ]);
  });

  it('has the events around a finding as steps, at most 100', async () => {
    const evidence = Array.from({ length: 301 }, (_, index) => ({
      ...{ number: index + 1, ts: `${index + 1}`, eventType: 'read', text: `read ${index + 1}` },
    }));
    const { results } = await runOf([finding({ eventNumber: 151, ts: '151', evidence })]);
    const steps = results[0]?.codeFlows?.[0]?.threadFlows[0]?.locations.map(
      ({ location }) => location.message.text,
    );
    expect(steps).toHaveLength(100);
    expect(steps).toContain('event 151: read 151');
    const many = manyFindings(400).map((one) => ({ ...one, ts: '151', evidence }));
    expect(Buffer.byteLength((await runOf(many)).text)).toBeLessThan(10_000_000);
  });

  it('makes captured text inert, and locations valid URIs', async () => {
    const { text, results } = await runOf(hostileFindings());
    expect(dangersIn(text)).toEqual([]);
    for (const { message, locations } of results) {
      expect(message.text.replace(/ \(\[rule\]\(1\)\)$/, '')).not.toMatch(/\]\(|(?<!\{)\{\d+\}/);
      const { uri } = locations[0].physicalLocation.artifactLocation;
      expect(uri).toMatch(/^captured\/[\w.~%/-]+$/);
      expect(decodeURIComponent(uri)).not.toMatch(/(^|\/)\.\.?(\/|$)/);
    }
  });

  it('links only rules in the repository', async () => {
    for (const file of ['/etc/falco/rules.yaml', '../rules.yaml', 'a/../../rules.yaml']) {
      const { results } = await runOf([finding({ location: { file, line: 1 } })]);
      expect(results[0]?.relatedLocations).toBeUndefined();
      expect(results[0]?.message.text).not.toContain('](1)');
    }
  });

  it('names the author of a rule', async () => {
    const { results } = await runOf([finding({ author: 'Ana <a@b.example>' })]);
    expect(results[0]?.message.text).toContain('(rule by Ana <a@b.example>)');
  });
});
