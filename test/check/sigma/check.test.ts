import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { check, readRules } from '../../../src/check/check.js';
import type { Finding, RuleOutcome } from '../../../src/check/finding.js';
import { Workplace } from '../../helpers/cli.js';
import { fixtures } from '../../helpers/corpus.js';

const capture = join(fixtures, 'webserver.scap');
const place = new Workplace();
afterAll(() => place.remove());

let files = 0;

function rulesOf(logsource: string, detection: string, head = ''): string {
  const file = join(place.directory, `rule-${files++}.yml`);
  writeFileSync(
    file,
    `title: t\n${head}logsource: {${logsource}}\ndetection:\n  s: ${detection}\n  condition: s\n`,
  );
  return file;
}

async function run(
  input: string,
  rules: string,
): Promise<{ findings: Finding[]; outcome: RuleOutcome | undefined }> {
  const findings: Finding[] = [];
  const checked = check(input, { rules });
  for await (const finding of checked) findings.push(finding);
  return { findings, outcome: checked.report().rules[0] };
}

const found = async (logsource: string, detection: string) =>
  (await run(capture, rulesOf(logsource, detection))).findings.map(({ output }) => output);

describe('Sigma rules on a capture', () => {
  test('a finding shows the fields of the rule, and its author', async () => {
    const head =
      'id: 00000000-0000-4000-8000-000000000001\nauthor: Ann\nlevel: high\ntags: [attack.t1059]\n';
    const rules = rulesOf(
      'category: process_creation, product: linux',
      '{CommandLine: sh deploy.sh, CurrentDirectory|contains: /}',
      head,
    );
    const { findings, outcome } = await run(capture, rules);
    expect(findings).toMatchObject([
      {
        rule: 't',
        ruleId: '00000000-0000-4000-8000-000000000001',
        language: 'sigma',
        level: 'high',
        tags: ['attack.t1059'],
        author: 'Ann',
        count: 1,
        eventType: 'PE EXEC',
        fields: {
          Image: '/usr/bin/sh',
          CommandLine: '/usr/bin/sh deploy.sh',
          ParentImage: '/usr/bin/bash',
          User: 'ana',
        },
      },
    ]);
    expect(findings[0]?.output).toMatch(
      /^Image=\/usr\/bin\/sh, CommandLine=\/usr\/bin\/sh deploy\.sh, ParentImage=\/usr\/bin\/bash, User=ana, CurrentDirectory=/,
    );
    expect(outcome).toMatchObject({ state: 'matched', matches: 1 });
    expect(outcome?.reason).toBeUndefined();
  });

  test.for([
    ['the path and arguments', '/usr/bin/sh deploy.sh'],
    ['the name and arguments', 'sh deploy.sh'],
  ])('CommandLine is %s', async ([, commandLine]) => {
    expect(await found('category: process_creation', `{CommandLine: ${commandLine}}`)).toHaveLength(
      1,
    );
  });

  test('written files', async () => {
    const created = await found('category: file_event', '{TargetFilename|startswith: /srv/www/}');
    expect(created.map((output) => /TargetFilename=([^,]*)/.exec(output)?.[1]).sort()).toEqual([
      '/srv/www/current.html',
      '/srv/www/index.bak',
      '/srv/www/index.html',
      '/srv/www/new',
      '/srv/www/new/index.html',
    ]);
    expect(
      await found('category: file_event', '{TargetFilename: /srv/www/new/index.html}'),
    ).toEqual(['TargetFilename=/srv/www/new/index.html, Image=/usr/bin/sh, User=ana']);
  });

  test('connections by direction', async () => {
    const outputs = await found(
      'category: network_connection',
      "{DestinationPort: 8080, Initiated: 'true'}",
    );
    expect(outputs).toHaveLength(2);
    expect(outputs[0]).toMatch(
      /^Image=\/usr\/bin\/curl, Protocol=tcp, SourceIp=\S+, DestinationIp=\S+, DestinationPort=8080, User=ana, Initiated=true$/,
    );
    const accepted = await found(
      'category: network_connection',
      "{DestinationPort: 8080, Initiated: 'false'}",
    );
    expect(accepted.every((output) => output.startsWith('Image=/usr/sbin/nginx'))).toBe(true);
    expect(
      await found(
        'category: network_connection',
        "{DestinationIp|cidr: 'fd00::/8', Initiated: 'true'}",
      ),
    ).toHaveLength(1);
  });

  test.for([
    ['{type: EXECVE, a0: /usr/bin/sudo, a1: systemctl, a2: reload}', 1],
    ['{type: EXECVE, a0: /usr/bin/sudo, a1: reload}', 0],
    ['{type: EXECVE, a3: nginx, a4: null}', 1],
    ['{type: SYSCALL, SYSCALL: execve, comm: curl}', 1],
    ['{type: SYSCALL, SYSCALL: [execveat, openat], exe|endswith: /systemctl, euid: root}', 2],
    ['{type: PATH, name: /srv/www/new/index.html, nametype: CREATE}', 1],
    ['{type: PATH, name: /srv/www/new/index.html, nametype: DELETE}', 1],
    ['{type: PATH, name: /srv/www/new, nametype: DELETE}', 0],
  ] as const)('auditd: %s', async ([detection, count]) => {
    expect(await found('product: linux, service: auditd', detection)).toHaveLength(count);
  });

  test('keywords of auditd are searched in the command line', async () => {
    expect(
      await found(
        'product: linux, service: auditd',
        "[{type: EXECVE, '|all': [sudo, 'reload n']}]",
      ),
    ).toHaveLength(1);
  });
});

describe('inputs with less data', () => {
  test('a SysFlow file has no separate arguments', async () => {
    const { exit } = await place.run('sfkit convert fixtures/webserver.scap -o flows.sf');
    expect(exit).toBe(0);
    const flows = join(place.directory, 'flows.sf');
    const logsource = 'product: linux, service: auditd';
    const matched = await run(flows, rulesOf(logsource, '{type: EXECVE, a0: sudo, a1: systemctl}'));
    expect(matched.findings).toHaveLength(1);
    expect(matched.outcome).toMatchObject({
      state: 'matched',
      reason: expect.stringContaining('only a capture file has'),
    });
    const other = await run(flows, rulesOf(logsource, '{type: EXECVE, a0: nothing}'));
    expect(other.outcome).toMatchObject({
      state: 'unevaluated',
      reason: expect.stringContaining('only a capture file has'),
    });
    const joined = await run(
      flows,
      rulesOf('category: process_creation', '{CommandLine: sh nothing}'),
    );
    expect(joined.outcome).toMatchObject({ state: 'unmatched' });
  });

  test('few addresses have names', async () => {
    const { findings, outcome } = await run(
      capture,
      rulesOf('category: network_connection', '{DestinationHostname: a}'),
    );
    expect(findings).toEqual([]);
    expect(outcome).toMatchObject({
      state: 'unevaluated',
      reason:
        'it uses DestinationHostname: addresses have names only after DNS answers in the capture; a mapping file can use net_dname',
    });
  });
});

test('subdirectories are read only for Sigma', async () => {
  const script = `mkdir -p deep/er/still && mv ${rulesOf('category: process_creation', '{Image: a}')} deep/er/still/rule.yml
    printf -- '- list: l\\n  items: []\\n' > deep/er/falco.yaml; printf 'other: yaml\\n' > deep/er/other.yml; ln -s ../.. deep/er/loop`;
  expect((await place.run(script)).exit).toBe(0);
  const { rules, diagnostics } = readRules([join(place.directory, 'deep')]);
  expect(diagnostics).toEqual([]);
  expect(rules.map(({ location }) => location.file)).toEqual([
    join(place.directory, 'deep', 'er', 'still', 'rule.yml'),
  ]);
});
