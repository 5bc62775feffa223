import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CheckOptions, check, readRules } from '../../src/check/check.js';
import { findingsWithEvidence } from '../../src/check/evidence.js';
import type { ReportedFinding } from '../../src/check/finding.js';
import { fixtures } from '../helpers/corpus.js';

const capture = join(fixtures, 'incident.scap');
const rules = join(fixtures, 'rules/incident.yaml');
const suppress = join(fixtures, 'accepted.yaml');

async function found(options: Partial<CheckOptions> = {}) {
  const run = check(capture, { rules, ...options });
  const findings: ReportedFinding[] = [];
  for await (const finding of run) findings.push(finding);
  return { findings, report: run.report() };
}

describe('the incident', () => {
  let plain: Awaited<ReturnType<typeof found>>;
  beforeAll(async () => {
    plain = await found();
  });

  it('is found, and what is harmless is not', () => {
    expect(plain.findings.map(({ rule, process, count }) => [rule, process?.name, count])).toEqual([
      ['Passwords are read', 'backup', 1],
      ['Web server starts a shell', 'sh', 1],
      ['Web server downloads from outside', 'curl', 1],
      ['File of temporary files is made a program', 'chmod', 1],
      ['Program runs from a directory for temporary files', '.u', 1],
      ['Passwords are read', '.u', 1],
      ['Data leaves for another network', '.u', 4],
      ['Scheduled job is written', '.u', 1],
      ['Program removes itself', '.u', 1],
    ]);
    expect(
      plain.report.rules.filter(({ state }) => state !== 'matched').map(({ rule, state }) => [rule.name, state]),
    ).toEqual([
      ['Kernel module is loaded', 'unmatched'],
      ['Known command server is contacted', 'unevaluated'],
    ]);
  });

  it('has ids that every run gives', async () => {
    const ids = plain.findings.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect((await found()).findings).toEqual(plain.findings);
    expect((await found({ evidence: 1, suppress, today: '2026-11-29' })).findings.map(({ id }) => id)).toEqual(ids);
    const all = (await found({ all: true })).findings.filter(({ rule }) => rule.startsWith('Data'));
    const first = plain.findings.find(({ rule }) => rule.startsWith('Data'))?.id;
    expect(all.map(({ id }) => id)).toEqual([first, `${first}-2`, `${first}-3`, `${first}-4`]);
  });

  it('has the events of the thread around each finding', async () => {
    const { findings } = await found({ evidence: 2 });
    const job = findings.find(({ rule }) => rule === 'Scheduled job is written');
    expect(job?.evidence?.map(({ eventType, text }) => [eventType, text.slice(0, 40)])).toEqual([
      ['sendto', expect.stringContaining('res=1280')],
      ['close', expect.any(String)],
      ['openat', expect.stringContaining('/etc/cron.d')],
      ['write', expect.stringContaining('res=54')],
      ['close', expect.any(String)],
    ]);
    expect(job?.evidence?.[2]).toMatchObject({ number: job?.eventNumber, ts: job?.ts });
    for (const { evidence, eventNumber } of findings) {
      expect(evidence?.filter(({ number }) => number === eventNumber)).toHaveLength(1);
      expect(evidence?.length).toBeGreaterThan(2);
      expect(evidence?.length).toBeLessThanOrEqual(5);
    }
    const start = findings.find(({ rule }) => rule.startsWith('Program runs'));
    expect(start?.evidence?.map(({ eventType }) => eventType)).toEqual(['clone', 'execve', 'openat', 'setuid']);
  });

  it('has all events of a thread where so many are asked for, and the same with --all', async () => {
    const { findings } = await found({ evidence: 50, all: true });
    const implant = findings.filter(({ process }) => process?.name === '.u');
    expect(implant).toHaveLength(8);
    for (const { evidence } of implant.slice(1)) expect(evidence).toEqual(implant[0]?.evidence);
  });

  it('is known in part where it is suppressed', async () => {
    const { findings } = await found({ suppress, today: '2030-12-31' });
    expect(findings.filter(({ suppression }) => suppression !== undefined).map(({ process }) => process?.name)).toEqual(
      ['backup'],
    );
    const expired = await found({ suppress, today: '2031-01-01' });
    expect(expired.findings).toEqual(plain.findings);
  });

  it('gets evidence for what counts only', async () => {
    const { findings } = await found({ suppress, today: '2030-12-31', evidence: 1 });
    expect(findings.filter(({ evidence }) => evidence === undefined).map(({ process }) => process?.name)).toEqual([
      'backup',
    ]);
  });

  it.each([-1, 1.5, 1001])('is not asked for %s events around findings', (evidence) => {
    expect(() => check(capture, { rules, evidence })).toThrow('a whole number from 0 to 1000');
  });

  it('cannot be read again from standard input', () => {
    expect(() => check('-', { rules: readRules(rules), evidence: 1 })).toThrow('standard input cannot be');
  });
});

it('evidence is bounded', () => {
  expect(findingsWithEvidence(1)).toBe(1000);
  expect(findingsWithEvidence(100)).toBe(99);
  expect(findingsWithEvidence(1000)).toBe(9);
});
