import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { check, readRules } from '../../src/check/check.js';
import { damagedReason, type Finding } from '../../src/check/finding.js';
import { Workplace } from '../helpers/cli.js';
import { corpus, fixtures } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';
import { hasTruth } from './falco/truth.js';

const capture = join(fixtures, 'webserver.scap');
const rules = join(fixtures, 'rules.yaml');
const directory = testDirectory();

async function findingsOf(options: Partial<Parameters<typeof check>[1]> = {}): Promise<Finding[]> {
  const findings: Finding[] = [];
  for await (const finding of check(capture, { rules, ...options })) findings.push(finding);
  return findings;
}

describe('check', () => {
  it('ends when its signal is aborted and throws the reason', async () => {
    const reason = new Error('enough');
    await expect(findingsOf({ signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    for (const name of ['falco.yaml', 'rules.sql']) {
      const controller = new AbortController();
      const file = directory.path(name);
      const sql = '-- title: Rows\n-- id: rows\n-- level: low\nSELECT * FROM process_event';
      writeFileSync(file, name.endsWith('.sql') ? sql : readFileSync(rules));
      const found: Finding[] = [];
      const checking = (async () => {
        for await (const finding of check(capture, {
          rules: file,
          all: true,
          signal: controller.signal,
        })) {
          found.push(finding);
          controller.abort(reason);
        }
      })();
      await expect(checking, name).rejects.toBe(reason);
      expect(found, name).toHaveLength(1);
    }
  });

  it('reports a repeated finding once, with its count', async () => {
    const [finding, ...others] = await findingsOf();
    expect(others).toEqual([]);
    expect(finding).toMatchObject({
      rule: 'Download program started',
      language: 'falco',
      level: 'warning',
      tags: ['demo', 'network'],
      location: { file: rules, line: 7 },
      capture,
      ts: '1772445600000105000',
      lastTs: '1772445644007965000',
      count: 12,
      pid: 3000,
      tid: 3000,
      eventType: 'execve',
      output:
        'Download program started (command=curl -s http://shop.test:8080/ parent=bash user=ana)',
      fields: {
        'proc.cmdline': 'curl -s http://shop.test:8080/',
        'proc.pname': 'bash',
        'user.name': 'ana',
      },
      process: {
        name: 'curl',
        exepath: '/usr/bin/curl',
        cwd: '/home/ana/',
        user: 'ana',
        loginuid: 1000,
      },
    });
    expect(finding?.process?.ancestors.map(({ name }) => name)).toEqual([
      'bash',
      'sshd',
      'systemd',
    ]);
  });

  it('reports every occurrence with `all`', async () => {
    const findings = await findingsOf({ all: true });
    expect(findings).toHaveLength(12);
    expect(new Set(findings.map(({ ts }) => ts)).size).toBe(12);
    expect(findings.every(({ count, lastTs }) => count === 1 && lastTs === undefined)).toBe(true);
  });

  it('reports the outcome of each rule', async () => {
    const run = check(capture, { rules: readRules(rules) });
    for await (const _ of run);
    expect(
      run
        .report()
        .rules.map(({ rule, state, reason, matches }) => [rule.name, state, reason, matches]),
    ).toEqual([
      ['Download program started', 'matched', undefined, 12],
      ['Name of a server looked up', 'unevaluated', 'captures do not contain fd.sip.name', 0],
    ]);
  });

  it('marks rules without matches in a damaged capture as unevaluated', async () => {
    const cut = directory.path('cut.scap');
    writeFileSync(cut, readFileSync(join(fixtures, 'incident.scap')).subarray(0, 24000));
    const run = check(cut, { rules: join(fixtures, 'rules/incident.yaml') });
    for await (const _ of run);
    const { rules: outcomes } = run.report();
    expect(outcomes.filter(({ state }) => state === 'matched')).toHaveLength(2);
    expect(outcomes.filter(({ state }) => state === 'unmatched')).toEqual([]);
    expect(outcomes.filter(({ reason }) => reason === damagedReason)).toHaveLength(11);
  });

  it('evaluates the selected rules', async () => {
    expect(await findingsOf({ tags: ['network'] })).toHaveLength(1);
    expect(await findingsOf({ minLevel: 'error' })).toEqual([]);
    expect(await findingsOf({ switches: [{ enabled: false, rules: 'Download *' }] })).toEqual([]);
    expect(() => check(capture, { rules, tags: ['nothing'] })).toThrow(
      "no rule has the tag 'nothing'",
    );
  });

  it('rejects invalid rules before it reads the capture', () => {
    expect(() => check(capture, { rules: join(fixtures, 'live.jsonl') })).toThrow(
      /live\.jsonl:\d+:1: /,
    );
    expect(() => check(capture, { rules: join(fixtures, 'none.yaml') })).toThrow(/none\.yaml/);
  });
});

describe.skipIf(!hasTruth)('captures with odd names (needs ../shared)', () => {
  const triggers = join(corpus, 'rules', 'captures', 'triggers.scap');
  const files = ['falco_rules', 'falco-incubating_rules', 'falco-sandbox_rules']
    .map((name) => `--rules ${join(corpus, 'rules', 'falco', 'rules', `${name}.yaml`)}`)
    .join(' ');
  const command = `sfkit check ${triggers} ${files} --enable '*' --rule-matching all --exit-zero`;

  it('give the same bytes in each run, without terminal control characters', {
    timeout: 300_000,
  }, async () => {
    const place = new Workplace();
    try {
      for (const format of ['json', 'jsonl', 'table']) {
        const first = await place.run(`${command} --format ${format}`);
        const second = await place.run(`${command} --format ${format}`);
        expect(first.exit, first.stderr).toBe(0);
        expect(first.stdout.length).toBeGreaterThan(10_000);
        expect(second.stdout === first.stdout).toBe(true);
        expect(first.stdout + first.stderr).not.toMatch(
          /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/,
        );
        if (format === 'table')
          expect(first.stdout).not.toMatch(/[\u200e\u200f\u202a-\u202e\u2066-\u2069]/);
      }
    } finally {
      place.remove();
    }
  });
});
