import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { check, readRules, verifyRules } from '../../../src/check/check.js';
import type { Finding, Rule } from '../../../src/check/finding.js';
import { textListLiteral, textLiteral } from '../../../src/check/sql/literals.js';
import type { RowRule, SharedRows } from '../../../src/check/sql/row-rule.js';
import { RowRun } from '../../../src/check/sql/row-run.js';
import { looksLikeSqlRule, readSqlRule } from '../../../src/check/sql/rule-file.js';
import { SqlRun } from '../../../src/check/sql/sql-run.js';
import { CheckTables, rowTables } from '../../../src/check/sql/tables.js';
import { fixtures } from '../../helpers/corpus.js';

const capture = join(fixtures, 'webserver.scap');
const directory = mkdtempSync(join(tmpdir(), 'sfkit-sql-'));
afterAll(() => rmSync(directory, { recursive: true }));

const ruleOf = (name: string): Rule => ({
  ...{ name, language: 'test', level: 'low', tags: [], description: '', enabled: true, needs: [] },
  location: { file: 'f', line: 1 },
});

async function evaluate(
  conditions: readonly Partial<RowRule>[],
  {
    foldRepeats = true,
    input = capture,
    shared = {},
  }: { foldRepeats?: boolean; input?: string; shared?: SharedRows } = {},
) {
  const rules = conditions.map((_, index) => ruleOf(`r${index}`));
  const tables = new CheckTables(input);
  const compiled = (rule: Rule) => ({
    rule,
    condition: undefined,
    ...conditions[rules.indexOf(rule)],
  });
  const run = new RowRun(
    input,
    { rules, allMatching: true, foldRepeats, tables },
    compiled,
    shared,
  );
  const findings: Finding[] = [];
  try {
    for await (const finding of run) findings.push(finding);
  } finally {
    tables.close();
  }
  return { findings, outcomes: run.outcomes(), summary: run.summary() };
}

describe('conditions on rows', () => {
  it('a rule that fails does not stop the others', async () => {
    const { outcomes } = await evaluate([
      { condition: "type = 'PE'" },
      { condition: 'nosuch = 1' },
      { condition: 'CAST(proc_exe AS INTEGER) = 1', types: ['PE'] },
      { condition: 'false' },
      { condition: undefined, reason: 'not supported' },
      { condition: 'proc_exe =' },
    ]);
    expect(outcomes.map(({ state }) => state)).toEqual([
      ...['matched', 'unevaluated', 'unevaluated', 'unmatched', 'unevaluated', 'unevaluated'],
    ]);
    expect(outcomes[1]?.reason).toContain('nosuch');
    expect(outcomes[2]?.reason).toContain('Could not convert');
    expect(outcomes[4]?.reason).toBe('not supported');
    for (const { reason = '' } of outcomes) expect(reason).not.toContain('\n');
  });

  it('counts repeated findings with foldRepeats, and lists each of them without it', async () => {
    const folded = await evaluate([{ condition: 'true' }]);
    const all = await evaluate([{ condition: 'true' }], { foldRepeats: false });
    expect(folded.findings.length).toBeLessThan(all.findings.length);
    expect(folded.findings.reduce((sum, { count }) => sum + count, 0)).toBe(all.findings.length);
    expect(folded.outcomes[0]?.matches).toBe(all.findings.length);
    const times = all.findings.map(({ ts }) => BigInt(ts));
    expect(times).toEqual([...times].sort((one, other) => Number(one - other)));
  });

  it('finds every row, equal or not, together with any other rule', async () => {
    const values = {
      lowered: { sql: 'lower(proc_exe)' },
      named: { sql: "lowered || ' ' || isUser", from: ['lowered', 'isUser'] },
      isUser: { sql: 'proc_pid > 1 AND proc_uid > 0', ofRow: true },
    };
    const conditions: Partial<RowRule>[] = [
      { condition: "proc_exe = '/usr/bin/sh'" },
      { condition: 'proc_pid % 2 = 0' },
      { condition: "lowered = '/usr/bin/sh' AND isUser", values: ['lowered', 'isUser'] },
      { condition: "ends_with(named, ' true')", values: ['named'] },
      { condition: { PE: 'idx % 3 = 0', FF: 'file_path IS NULL OR file_fd > 3' } },
      { condition: 'len(proc_aname) > 0 AND proc_apid[1] = proc_pid', needs: ['ancestors'] },
      { condition: 'len(proc_argv) > 1', needs: ['calls'], types: ['PE'] },
    ];
    const plain = [
      ...[
        "proc_exe = '/usr/bin/sh'",
        'proc_pid % 2 = 0',
        "proc_exe = '/usr/bin/sh' AND proc_pid > 1 AND proc_uid > 0",
      ],
      ...['proc_pid > 1 AND proc_uid > 0'],
      "(type = 'PE' AND idx % 3 = 0) OR (type = 'FF' AND (file_path IS NULL OR file_fd > 3))",
      ...['proc_pid IS NOT NULL', "type = 'PE' AND proc_args <> ''"],
    ];
    const { findings } = await evaluate(conditions, { foldRepeats: false, shared: { values } });
    const tables = new CheckTables(capture);
    tables.want(rowTables);
    const connection = await tables.open();
    for (const [index, condition] of plain.entries()) {
      const rows = await connection.runAndReadAll(
        `SELECT idx FROM sysflow WHERE ${condition} ORDER BY idx`,
      );
      const own = findings
        .filter(({ rule }) => rule === `r${index}`)
        .map(({ eventNumber }) => eventNumber);
      expect([condition, own.sort((one, other) => one - other)]).toEqual([
        condition,
        rows.getRows().map(([idx]) => Number(idx)),
      ]);
      expect(own.length).toBeGreaterThan(0);
    }
    tables.close();
  });

  it('skips rows that are dropped, or may be', async () => {
    const conditionFor = (condition: string) => ({
      PE: condition,
      FE: condition,
      NF: condition,
      FF: condition,
    });
    const kept = async (condition: string) => {
      const drop = { condition: conditionFor(condition) };
      const { outcomes } = await evaluate([{ condition: "type IN ('PE', 'FF')" }], {
        shared: { drop },
      });
      return outcomes[0]?.matches ?? 0;
    };
    const all = await kept('false');
    const [some, others] = [await kept("type = 'PE'"), await kept("type = 'FF'")];
    expect(some).toBeGreaterThan(0);
    expect(some + others).toBe(all);
    expect(await kept("CASE WHEN type = 'PE' THEN CAST(NULL AS BOOLEAN) ELSE false END")).toBe(
      some,
    );
    expect(await kept('true')).toBe(0);
  });

  it('gives the same findings in every run', async () => {
    const conditions = [{ condition: 'proc_pid > 0' }, { condition: 'file_path IS NOT NULL' }];
    expect((await evaluate(conditions)).findings).toEqual((await evaluate(conditions)).findings);
  });

  it('a finding has its process with ancestors, file and connection', async () => {
    const { findings } = await evaluate([
      { condition: "list_contains(opflags, 'EXEC')", needs: ['ancestors'] },
    ]);
    const [first] = findings;
    expect(first).toMatchObject({
      eventType: 'PE EXEC',
      tid: expect.any(Number),
      process: { exepath: expect.any(String) },
    });
    expect(first?.process?.ancestors.length).toBeGreaterThan(0);
    const files = await evaluate([{ condition: 'file_path IS NOT NULL' }]);
    expect(files.findings[0]?.file?.path).toMatch(/\//);
  });

  it('texts of rules are inert', async () => {
    const texts = ["'", "''; DROP TABLE x; --", 'a\0b', '\\', '%', '"', '\n'];
    const { outcomes } = await evaluate(
      texts.map((text) => ({
        condition: `${textLiteral(text)} = ANY(${textListLiteral(texts)})`,
        types: ['PE'] as const,
      })),
    );
    for (const { state } of outcomes) expect(state).toBe('matched');
  });
});

const write = (name: string, content: string) => {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
};

async function askSql(content: string, seconds?: number, foldRepeats = true) {
  const { rule, remarks } = readSqlRule({ name: 'r.sql', content });
  if (rule === undefined) throw new Error(remarks[0]?.message);
  const tables = new CheckTables(capture);
  const options = { rules: [ruleOf('r')], allMatching: true, foldRepeats, tables };
  const run = new SqlRun(
    capture,
    options,
    () => rule.sql,
    seconds === undefined ? {} : { seconds },
  );
  const findings: Finding[] = [];
  try {
    for await (const finding of run) findings.push(finding);
  } finally {
    tables.close();
  }
  return { findings, outcome: run.outcomes()[0] };
}

describe('rules in SQL', () => {
  it('start with metadata', () => {
    const content =
      '-- id: x1\n-- title: A title\n-- level: High\n-- tags: [a, T1]\n-- description: |\n--   two\n--   lines\nSELECT 1';
    expect(looksLikeSqlRule(content)).toBe(true);
    expect(readSqlRule({ name: 'r.sql', content }).rule).toMatchObject({
      ...{
        id: 'x1',
        title: 'A title',
        level: 'high',
        tags: ['a', 'T1'],
        description: 'two\nlines',
        sql: 'SELECT 1',
        sqlLine: 8,
      },
    });
  });

  it.each([
    ['SELECT 1', 'must start with comment lines'],
    ['-- title: a\n-- level: huge\nSELECT 1', "'huge' is not a level"],
    ['-- title: a\n-- tags: b\nSELECT 1', 'tags must be a list'],
    ['-- title: a\n;', 'there is no SQL'],
    ['-- title: [a\nSELECT 1', 'is not YAML'],
  ])('%j is an error', (content, message) => {
    const { rule, remarks } = readSqlRule({ name: 'r.sql', content });
    expect(rule).toBeUndefined();
    expect(remarks.some((remark) => remark.message.includes(message))).toBe(true);
  });

  it('rows are findings', async () => {
    const { findings, outcome } = await askSql(
      "-- title: a\nSELECT * FROM process_event WHERE list_contains(opflags, 'EXEC')",
    );
    expect(outcome).toMatchObject({
      state: 'matched',
      matches: findings.reduce((sum, { count }) => sum + count, 0),
    });
    expect(findings[0]).toMatchObject({
      eventType: 'PE EXEC',
      process: { pid: expect.any(Number) },
    });
    expect(findings[0]?.ts).toMatch(/^\d{19}$/);
    const grouped = await askSql(
      "-- title: a\nSELECT 'x' || 1 AS output, count(*) AS n FROM sysflow;",
    );
    expect(grouped.findings).toMatchObject([
      { output: 'x1', ts: '0', eventType: 'row', eventNumber: 1 },
    ]);
  });

  it.each([
    ["SELECT * FROM read_text('/etc/hostname')", 'disabled by configuration'],
    ["SELECT * FROM '/etc/passwd'", ''],
    ["ATTACH '/tmp/x.db'", 'a rule must be a SELECT'],
    ['INSTALL httpfs', 'a rule must be a SELECT'],
    ["COPY (SELECT 1) TO '/tmp/x'", 'disabled by configuration'],
    ['SET memory_limit = 1', 'a rule must be a SELECT'],
    ['SELECT 1; SELECT 2', '2 statements'],
    ['SELECT nosuch FROM process', 'nosuch'],
    ['SELEKT', 'syntax error'],
  ])('%s cannot be evaluated', async (sql, reason) => {
    const { outcome } = await askSql(`-- title: a\n${sql}`);
    expect(outcome).toMatchObject({ state: 'unevaluated' });
    expect(outcome?.reason).toContain(reason);
  });

  it('stop at their time limit', { timeout: 60_000 }, async () => {
    const { outcome } = await askSql(
      '-- title: a\nSELECT sum(a.range * b.range) FROM range(10000000) a, range(10000000) b',
      1,
    );
    expect(outcome).toMatchObject({ state: 'unevaluated', reason: 'it took more than 1 s' });
  });

  it('work with other languages on one input, and are verified', async () => {
    const good = write(
      'good.sql',
      '-- id: good-1\n-- title: good\n-- level: low\nSELECT * FROM process_event',
    );
    const bad = write('bad.sql', '-- title: bad\nSELECT nosuch FROM process');
    const policy = write('p.yaml', '- rule: policy\n  desc: d\n  condition: sf.type = PE\n');
    const run = check(capture, { rules: [good, bad, policy] });
    const rules = new Set<string>();
    for await (const { rule, ruleId, language } of run) rules.add(`${language} ${rule} ${ruleId}`);
    expect([...rules].sort()).toEqual(['sql good good-1', 'sysflow policy undefined']);
    expect(
      run
        .report()
        .rules.map(({ rule, state }) => `${rule.name} ${state}`)
        .sort(),
    ).toEqual([...['bad unevaluated', 'good matched', 'policy matched']]);
    const { diagnostics } = await verifyRules(readRules([directory]));
    expect(diagnostics).toMatchObject([{ code: 'SQL_ERROR', file: bad, line: 2 }]);
  });
});
