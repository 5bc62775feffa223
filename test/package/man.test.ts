import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
// @ts-expect-error: a script without types
import { manPages } from '../../scripts/lib/man-pages.mjs';
import { root } from '../helpers/corpus.js';

interface Flag {
  name: string;
  description: string;
}

const readJson = (name: string) => JSON.parse(readFileSync(join(root, name), 'utf8'));
const manifest = readJson('oclif.manifest.json');
const packageJson = readJson('package.json');
const commands = Object.keys(manifest.commands);
const hasGroff = spawnSync('groff', ['--version']).status === 0;

/** A page without roff markup, its lines joined. */
function textOf(page: string): string {
  return page
    .replace(/\\f[BIR]|\\&/g, '')
    .replaceAll('\\-', '-')
    .replaceAll('\\e', '\\')
    .replace(/\s+/g, ' ');
}

const page = (command: string) => readFileSync(join(root, 'man', `sfkit-${command}.1`), 'utf8');

describe('the manual pages', () => {
  it('are the ones in package.json: one for each command and one for sfkit', () => {
    const made = readdirSync(join(root, 'man')).map((name) => `man/${name}`);
    expect(made.sort()).toEqual([...packageJson.man].sort());
    expect(made.sort()).toEqual(
      ['man/sfkit.1', ...commands.map((id) => `man/sfkit-${id}.1`)].sort(),
    );
  });

  it.each(commands)('contain the help of %s', (id) => {
    const text = textOf(page(id));
    const { summary, description, flags, args } = manifest.commands[id];
    expect(text).toContain(summary.replace(/\.$/, ''));
    for (const paragraph of description
      .split('\n\n')
      .filter((part: string) => !part.startsWith('Exit code')))
      expect(text).toContain(paragraph.replace(/\s+/g, ' '));
    for (const { name, description: meaning } of Object.values<Flag>(flags)) {
      expect(text).toContain(`--${name}`);
      expect(text).toContain(meaning.replace(/\s+/g, ' '));
    }
    for (const { description: meaning } of Object.values<Flag>(args))
      expect(text).toContain(meaning);
  });

  it('list the exit codes one by one', () => {
    const section = page('check').split('.SH EXIT STATUS\n')[1]?.split('.SH')[0] as string;
    expect([...section.matchAll(/^\\fB(\d)\\fR$/gm)].map(([, code]) => code)).toEqual([
      '0',
      '1',
      '2',
      '3',
      '4',
    ]);
  });

  it('show backslashes, hyphens and lines that start with a dot as they are', () => {
    const command = {
      id: 'odd',
      pluginName: 'sfkit',
      summary: 'Say \\n.',
      description: ".TH is text\n'and so is this",
      args: {},
      flags: {},
      examples: [{ description: 'one', command: '<%= config.bin %> odd -p "\\t"' }],
      strict: true,
    };
    const pages = manPages({ commands: { odd: command } }, packageJson) as Map<string, string>;
    const made = pages.get('sfkit-odd.1') as string;
    expect(made).toContain("\\&.TH is text\n\\&'and so is this");
    expect(made).toContain('sfkit odd \\-p "\\et"');
  });

  it.skipIf(!hasGroff).each([...packageJson.man])(
    hasGroff ? 'are formatted without a warning: %s' : '%s (skipped: no groff here)',
    (name) => {
      const { status, stdout, stderr } = spawnSync(
        'groff',
        ['-man', '-Tascii', '-ww', join(root, name)],
        {
          encoding: 'utf8',
        },
      );
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toContain('https://');
    },
  );
});
