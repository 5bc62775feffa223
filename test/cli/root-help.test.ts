import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Config, Help } from '@oclif/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type HelpFacts, rootHelp } from '../../src/cli/root-help.js';
import { Workplace } from '../helpers/cli.js';
import { root } from '../helpers/corpus.js';

const workplace = new Workplace();
afterAll(() => workplace.remove());

let config: Config;
let facts: HelpFacts;

beforeAll(async () => {
  config = await Config.load({ root, userPlugins: false });
  facts = JSON.parse(readFileSync(join(root, 'dist/commands.json'), 'utf8'));
});

/** What oclif prints at this width. */
async function oclifHelp(maxWidth: number): Promise<string> {
  let text = '';
  class Recorded extends Help {
    protected override log(...args: string[]): void {
      text += `${args.join(' ')}\n`;
    }
  }
  await new Recorded(config, { maxWidth }).showHelp([]);
  return text;
}

describe('the list of commands', () => {
  it("equals oclif's at every width", async () => {
    const plain = (text: string) => text;
    for (let width = 40; width <= 200; width++) {
      const text = rootHelp(facts, { width, bold: plain });
      if (text !== undefined) expect(text).toBe(await oclifHelp(width));
      else expect(width).toBeLessThan(44);
    }
  });

  it('has bold headers only', () => {
    const text = rootHelp(facts, { width: 80, bold: (header) => `<${header}>` });
    expect(text?.match(/<.*>/g)).toEqual(['<VERSION>', '<USAGE>', '<COMMANDS>']);
  });

  it('is left to oclif if it needs more lines, or a longer line', () => {
    const style = { width: 40, bold: (text: string) => text };
    const long = (summary: string) => ({ ...facts, commands: [{ id: 'command', summary }] });
    expect(rootHelp(long('word '.repeat(30).trim()), style)).toContain('command  word');
    expect(rootHelp(long('word '.repeat(31).trim()), style)).toBeUndefined();
    expect(rootHelp(long('x'.repeat(29)), style)).toContain('x');
    expect(rootHelp(long('x'.repeat(30)), style)).toBeUndefined();
  });
});

describe('sfkit --help', () => {
  it('prints the list', async () => {
    const list = { stdout: await oclifHelp(80), stderr: '', exit: 0 };
    for (const command of ['sfkit', 'sfkit --help', 'sfkit -h'])
      expect(await workplace.run(command)).toEqual(list);
  });

  it("follows oclif's settings", async () => {
    const wide = await workplace.run('OCLIF_COLUMNS=120 sfkit --help');
    expect(wide.stdout).toBe(await oclifHelp(120));
    const colored = await workplace.run('FORCE_COLOR=1 sfkit --help');
    expect(colored.stdout).toContain('\x1b[1mCOMMANDS\x1b[22m\n');
    const theme = `mkdir -p config/sfkit; echo '{"dollarSign":"red"}' > config/sfkit/theme.json`;
    const themed = await workplace.run(
      `${theme}; FORCE_COLOR=1 XDG_CONFIG_HOME=$PWD/config sfkit --help`,
    );
    expect(themed.stdout).toContain('\x1b[31m$');
  });

  it.skipIf(!existsSync('/dev/full'))(
    'reports a full disk (skipped: no /dev/full here)',
    async () => {
      expect(await workplace.run('sfkit --help > /dev/full')).toEqual({
        stdout: '',
        stderr: 'sfkit: standard output: no space left on the device\n',
        exit: 1,
      });
    },
  );
});
