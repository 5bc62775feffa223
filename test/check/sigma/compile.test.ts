import { describe, expect, test } from 'vitest';
import { compileRule } from '../../../src/check/sigma/compile.js';
import { builtInMapping, parseForm } from '../../../src/check/sigma/mapping.js';
import { parseSigmaMapping } from '../../../src/check/sigma/mapping-file.js';
import { loadSigmaFile } from '../../../src/check/sigma/rule.js';
import { SfkitError } from '../../../src/engine/errors.js';
import { ruleOf } from './rows.js';

const rule = (logsource: string, detection: string) =>
  ruleOf(`title: t\nlogsource: {${logsource}}\ndetection:\n${detection}`);
const compile = (logsource: string, detection: string) =>
  compileRule(rule(logsource, detection), builtInMapping);

describe('why a rule cannot be evaluated', () => {
  test.for([
    [
      'product: windows, category: process_creation',
      's: {Image: a}',
      's',
      'its product is windows',
    ],
    ['category: webserver', 's: {Image: a}', 's', 'sfkit has no events of the category webserver'],
    ['product: linux, service: sshd', 's: [a]', 's', 'sfkit does not read the log of sshd'],
    ['product: linux', 's: [a]', 's', 'it searches the text of any log, and sfkit reads no logs'],
    [
      'category: process_creation',
      's: [a]',
      's',
      'it searches whole log records, and rows have only fields',
    ],
    [
      'category: process_creation',
      's: {Colour: red}',
      's',
      "sfkit has no field 'Colour' for this log",
    ],
    [
      'category: network_connection',
      's: {DestinationHostname|endswith: .example.org}',
      's',
      'it uses DestinationHostname: addresses have names only after DNS answers in the capture; a mapping file can use net_dname',
    ],
    [
      'service: auditd',
      's: {type: SYSCALL, SYSCALL: sysinfo}',
      's',
      'it uses SYSCALL sysinfo: SysFlow records contain only calls about processes, files and connections',
    ],
    [
      'service: auditd',
      's: {key: k}',
      's',
      'it uses key: keys belong to audit rules, and captures do not come from these',
    ],
  ] as const)('%s %s', ([logsource, selection, condition, reason]) => {
    const compiled = compile(logsource, `  ${selection}\n  condition: ${condition}\n`);
    expect(compiled).toMatchObject({ condition: undefined, reason });
  });

  test('a missing field in one alternative does not affect the others', () => {
    const { condition, reason } = compile(
      'service: auditd',
      '  a: {type: SYSCALL, exe|endswith: /useradd}\n  b: {type: ADD_USER}\n  condition: 1 of *\n',
    );
    expect(Object.keys(condition ?? {})).toEqual(['PE']);
    expect(reason).toBe(
      'it uses type ADD_USER: sfkit has only records of programs, calls and paths',
    );
  });

  test.for(['contains', 'startswith', 'endswith', 'cased'])(
    'many values of a missing field with %s',
    (modifier) => {
      const detection = `  a: {DestinationHostname|${modifier}: [a, b, c, d, e, f]}\n  b: {Image: a}\n  condition: 1 of *\n`;
      const { condition } = compile('category: network_connection', detection);
      expect(condition?.NF).toMatch(/ AND lower\("proc_exe"\) = 'a'\)$/);
    },
  );

  test('only a rule that names a call sees calls other than program starts', () => {
    const types = (selection: string) =>
      Object.keys(
        compile('service: auditd', `  s: {${selection}}\n  condition: s\n`).condition ?? {},
      );
    expect(types('type: SYSCALL, exe: /a')).toEqual(['PE']);
    expect(types('type: SYSCALL, SYSCALL: [openat, connect], exe: /a')).toEqual(['FF', 'NF']);
  });

  test('a missing field that only excludes events is listed, and the rule can be evaluated', () => {
    const { condition, reason, ignored } = compile(
      'category: process_creation',
      '  s: {Image: a}\n  f: {IntegrityLevel: High}\n  condition: s and not f\n',
    );
    expect(condition).toEqual({
      PE: `(((opflags_bitmap & 2) <> 0 AND "ret" = 0) AND lower("proc_exe") = 'a')`,
    });
    expect(reason).toBeUndefined();
    expect(ignored).toEqual(['it uses IntegrityLevel: Linux has none']);
  });

  test('a rule with too much SQL', () => {
    const values = Array.from({ length: 6000 }, (_, index) => `'*x${index}?y'`).join(', ');
    expect(
      compile('category: process_creation', `  s: {Image: [${values}]}\n  condition: s\n`),
    ).toMatchObject({
      condition: undefined,
      reason: 'its SQL has more than 5000 tests or 4000000 characters',
    });
  });
});

describe('SQL of a rule', () => {
  const image = (selection: string) =>
    compile(
      'category: process_creation',
      `  s: {${selection}}\n  condition: s\n`,
    ).condition?.PE?.replace(/^\(\(\(opflags_bitmap & 2\) <> 0 AND "ret" = 0\) AND (.*)\)$/, '$1');

  test.for([
    ['Image: /Bin/SH', `lower("proc_exe") = '/bin/sh'`],
    ['Image|cased: /Bin/SH', `"proc_exe" = '/Bin/SH'`],
    ['Image: [/a, /b]', `lower("proc_exe") IN ('/a', '/b')`],
    ['Image: "it\'s"', `lower("proc_exe") = 'it''s'`],
    ['Image: "a\\0b"', `lower("proc_exe") = ('a' || chr(0) || 'b')`],
    ['Image: Ä', `lower("proc_exe") = lower('Ä')`],
    ['Image|contains: x', `contains(lower("proc_exe"), 'x')`],
    ['Image|startswith: x', `prefix(lower("proc_exe"), 'x')`],
    ['Image|endswith: x', `suffix(lower("proc_exe"), 'x')`],
    [
      'Image|endswith: [a, b, c, d, /e]',
      `regexp_matches(lower("proc_exe"), '(?:a|b|c|d|\\/e)\\z')`,
    ],
    ['Image: a*b?', `regexp_full_match(lower("proc_exe"), '(?s)a.*b.')`],
    ['Image|contains: ""', `"proc_exe" IS NOT NULL`],
    ['Image: null', `"proc_exe" IS NULL`],
    ['Image|neq: a', `(lower("proc_exe") = 'a') IS NOT TRUE`],
    ['ProcessId: 1', `"proc_pid" = 1`],
    ['ProcessId|gte: 0x10', `"proc_pid" >= 16`],
    ['ProcessId|startswith: 1', `prefix(CAST("proc_pid" AS VARCHAR), '1')`],
    ['UtcTime|hour|lt: 6', `date_part('hour', CAST("ts" AS TIMESTAMP)) < 6`],
    ['Image|re|i: a.c', `regexp_matches("proc_exe", '(?i-ms)a.c')`],
    ['Image|fieldref: ParentImage', `lower("proc_exe") = lower("pproc_exe")`],
    [
      'ParentCommandLine|startswith: sh ',
      `(prefix(lower("pproc_cmdline"), 'sh') OR prefix(lower((CAST("pproc_name" AS VARCHAR) || CASE WHEN CAST("pproc_args" AS VARCHAR) <> '' THEN ' ' || CAST("pproc_args" AS VARCHAR) ELSE '' END)), 'sh'))`,
    ],
  ] as const)('%s', ([selection, sql]) => {
    expect(image(selection)).toBe(sql);
  });

  test('is the same each time', () => {
    const detection = '  s: {CommandLine|contains|all: [a, b]}\n  condition: s\n';
    expect(compile('category: process_creation', detection)).toEqual(
      compile('category: process_creation', detection),
    );
  });

  test('lists its needs', () => {
    const needs = (selection: string) =>
      compile('service: auditd', `  s: {${selection}}\n  condition: s\n`).needs;
    expect(needs('type: EXECVE, a0: sh')).toEqual(['exact calls']);
    expect(needs('auid: 1000')).toEqual(['exact calls']);
    expect(needs('type: EXECVE, proctitle|contains: sh')).toEqual(['calls']);
    expect(needs('type: PATH, name: /etc/passwd')).toEqual([]);
  });
});

describe('a mapping file', () => {
  const compileWith = (mapping: string, logsource: string, detection: string) =>
    compileRule(rule(logsource, detection), parseSigmaMapping(mapping, 'm.yml').mapping);

  test('adds fields to a known log, and overrides fields', () => {
    const mapping = `logsources:
  - category: file_event
    fields: {TargetFilename: '{file_name}', Zone: dmz}
`;
    const { condition } = compileWith(
      mapping,
      'category: file_event',
      '  s: {TargetFilename: a, Zone: DMZ}\n  condition: s\n',
    );
    expect(condition?.FF).toContain(`lower("file_name") = 'a'`);
    expect(condition?.FE).toContain(`lower("file_name") = 'a'`);
    expect(condition?.FE).not.toContain('file_newpath');
  });

  test('adds logs with included and excluded rows', () => {
    const mapping = JSON.stringify({
      logsources: [
        {
          category: 'file_delete',
          fields: { Image: '{proc_exe}' },
          records: [
            {
              types: ['FE'],
              where: { opflags: ['UNLINK', 'RMDIR'], ret: 0 },
              except: { file_type: 'd' },
              fields: { TargetFilename: '{file_path}' },
            },
          ],
          missing: { Hashes: 'nobody knows' },
        },
      ],
    });
    const { condition } = compileWith(
      mapping,
      'category: file_delete',
      '  s: {TargetFilename: /a}\n  condition: s\n',
    );
    expect(condition).toEqual({
      FE: `((((opflags_bitmap & 327680) <> 0 AND "ret" = 0) AND ("file_type" = 'd') IS NOT TRUE) AND lower("file_path") = '/a')`,
    });
    expect(
      compileWith(mapping, 'category: file_delete', '  s: {Hashes: a}\n  condition: s\n').reason,
    ).toBe('it uses Hashes: nobody knows');
  });

  test('defines placeholders', () => {
    const { placeholders, mapping } = parseSigmaMapping(
      "placeholders: {admins: [root, 'a*'], one: x}\n",
      'm.yml',
    );
    const content =
      "title: t\nlogsource: {category: process_creation}\ndetection: {s: {'User|expand': '%admins%-%one%'}, condition: s}\n";
    const [loaded] = loadSigmaFile({ name: 'r.yml', content }, placeholders).rules;
    expect(compileRule(loaded as never, mapping).condition?.PE).toContain(
      `(regexp_full_match(lower("proc_user"), '(?s)a.*-x') OR lower("proc_user") = 'root-x')`,
    );
  });

  test.for([
    ['a: [', /^m\.yml:1:\d+: /],
    ['logs: []', "m.yml:1:1: a mapping: unknown key 'logs'; expected logsources, placeholders"],
    ['logsources: {}', "m.yml:1:13: 'logsources' must be a list"],
    [
      'logsources: [{fields: {a: b}}]',
      "m.yml:1:14: a log source must have a 'category' or a 'service'",
    ],
    [
      "logsources: [{category: a, fields: {F: '{proc_exx}'}}]",
      "m.yml:1:40: 'proc_exx' is not a column; did you mean 'proc_exe'?",
    ],
    [
      "logsources: [{category: a, fields: {F: '{proc_exe:up}'}}]",
      "m.yml:1:40: '{proc_exe:up}': expected one of noslash, protocol, or a number, after ':'",
    ],
    [
      'logsources: [{category: a, records: [{fields: {}}]}]',
      "m.yml:1:38: a record must have 'types': PE, FE, NE, NF, FF, PF, KE",
    ],
    [
      'logsources: [{category: a, records: [{types: XX}]}]',
      "m.yml:1:46: a type must be one of PE, FE, NE, NF, FF, PF, KE, found 'XX'",
    ],
    [
      'logsources: [{category: a, records: [{types: PE, where: {opflags: exec}}]}]',
      /^m\.yml:1:67: opflags: expected one of CLONE, EXEC, /,
    ],
    [
      'logsources: [{category: a, records: [{types: PE, where: {ret: x}}]}]',
      'm.yml:1:63: ret: expected a number',
    ],
    [
      'logsources: [{category: a, records: [{types: PE, where: {none: x}}]}]',
      "m.yml:1:64: 'none' is not a column",
    ],
    ['a: 1\n---\nb: 2\n', 'm.yml:3:1: a mapping must be a single document'],
  ] as const)('%j is rejected', ([content, expected]) => {
    if (typeof expected === 'string')
      expect(() => parseSigmaMapping(content, 'm.yml')).toThrow(
        new SfkitError('INVALID_ARGUMENT', expected),
      );
    else expect(() => parseSigmaMapping(content, 'm.yml')).toThrow(expected);
  });
});

test('every built-in form can be parsed', () => {
  for (const { fields, records } of builtInMapping) {
    for (const forms of [fields, ...records.map((record) => record.fields)])
      for (const form of Object.values(forms ?? {}).flat())
        expect(parseForm(form).length).toBeGreaterThan(0);
  }
});
