import { describe, expect, it } from 'vitest';
import {
  dangersIn,
  finding,
  hostileFindings,
  manyFindings,
  report,
  rule,
  written,
} from '../../helpers/findings.js';

/** Parses a line like a runner: command, properties and text. */
function commandIn(line: string) {
  const [, name = '', list = '', data = ''] =
    /^::([a-z]+) ?(.*?)::(.*)$/s.exec(line.trimStart()) ?? [];
  const plain = (text: string) => text.replace(/%(25|0D|0A|3A|2C)/g, decodeURIComponent);
  const properties = Object.fromEntries(
    list.split(',').map((part) => part.split(/=(.*)/s).map(plain).slice(0, 2)),
  );
  return { name, properties, text: data.replace(/%(25|0D|0A)/g, decodeURIComponent) };
}

async function commandsOf(
  ...args: [Parameters<typeof written>[1], Parameters<typeof written>[2]?]
) {
  const text = await written('github', ...args);
  expect(text === '' || text.endsWith('\n')).toBe(true);
  return { text, commands: text.split('\n').slice(0, -1).map(commandIn) };
}

describe('annotations of GitHub', () => {
  it('have level, rule, location and text', async () => {
    const { commands } = await commandsOf([
      finding({ level: 'Critical'.toLowerCase(), output: '100% of a:b,c' }),
    ]);
    expect(commands).toEqual([
      {
        name: 'error',
        properties: { file: 'rules/own.yaml', line: '7', title: 'critical: Shell in container' },
        text: expect.stringMatching(
          /^100% of a:b,c; process sh 312 < nginx 7 \(ana\); command sh -c id; container web of shop\/web$/,
        ),
      },
    ]);
    expect((await commandsOf([finding({ level: 'notice' })])).commands[0]?.name).toBe('notice');
    expect((await commandsOf([finding({ level: 'medium' })])).commands[0]?.name).toBe('warning');
    expect((await commandsOf([])).text).toBe('');
  });

  it('name only files in the repository', async () => {
    const { commands } = await commandsOf([
      finding({ location: { file: '/etc/falco/rules.yaml', line: 1 } }),
    ]);
    expect(commands[0]?.properties).toEqual({ title: 'warning: Shell in container' });
  });

  it('are at most 10 errors and 10 others, and the last line counts the rest', async () => {
    const { commands } = await commandsOf(manyFindings(30_000));
    expect(commands.filter(({ name }) => name === 'error')).toHaveLength(10);
    expect(commands.filter(({ name }) => name !== 'error')).toHaveLength(10);
    expect(commands.at(-1)).toMatchObject({
      name: 'warning',
      text: '29981 more findings are not shown here, 15990 of them errors',
    });
    const ten = manyFindings(60).filter(({ level }) => level === 'error' || level === 'warning');
    const { commands: few } = await commandsOf(ten);
    expect(few).toHaveLength(ten.length);
    expect(few.at(-1)?.text).not.toContain('more findings');
  });

  it.each([9, 10, 11, 12])('count %d warnings exactly', async (count) => {
    const { commands } = await commandsOf(Array.from({ length: count }, () => finding()));
    expect(commands).toHaveLength(Math.min(count, 10));
    const left = /^(\d+) more/.exec(commands.at(-1)?.text ?? '');
    expect(commands.length - (left === null ? 0 : 1) + Number(left?.[1] ?? 0)).toBe(count);
  });

  it('include what the run could not see, within the same 10', async () => {
    const findings = manyFindings(200);
    const { commands } = await commandsOf(
      findings,
      report(findings, {
        rules: ['A', 'B'].map((name) => ({
          ...{
            rule: rule(finding({ rule: name })),
            state: 'unevaluated' as const,
            reason: 'no name server',
          },
          ...{ matches: 0, leftOut: 0 },
        })),
        summary: { damage: [{ kind: 'cut', offset: 1n, skippedBytes: 2n, message: 'cut' }] },
      }),
    );
    expect(commands.filter(({ name }) => name !== 'error')).toHaveLength(10);
    expect(commands.slice(-3).map(({ text }) => text)).toEqual([
      'not evaluated: A (rules/own.yaml:7): no name server (and 1 more)',
      'damaged: build.scap: at byte 1: cut, 2 bytes lost',
      expect.stringContaining('more findings are not shown here'),
    ]);
  });

  it('name the author of a rule even if texts are long', async () => {
    const { commands } = await commandsOf([finding({ author: 'Ana', output: 'o'.repeat(3000) })]);
    expect(commands[0]?.text).toMatch(/^o{599}…; rule by Ana; process sh 312/);
  });

  it('leave out suppressed findings', async () => {
    const suppression = { reason: 'known', location: { file: 's', line: 1 } };
    expect((await commandsOf([finding({ suppression })])).text).toBe('');
  });

  it('keep captured text from starting another command', async () => {
    for (const one of hostileFindings()) {
      const { text, commands } = await commandsOf([one]);
      expect(commands).toHaveLength(1);
      expect(commands[0]).toMatchObject({
        name: 'warning',
        properties: { title: 'warning: Shell in container' },
      });
      expect(Object.keys(commands[0]?.properties ?? {})).toEqual(['file', 'line', 'title']);
      expect(dangersIn(text)).toEqual([text.trimEnd()]);
    }
  });
});
