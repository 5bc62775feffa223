import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { directory } from '../helpers/completion-place.js';
import { root } from '../helpers/corpus.js';

// Each shell loads the script of `sfkit completion` and completes; sfkit itself is not in the path,
// so nothing runs it.

const has = (shell: string) => spawnSync(shell, ['--version']).status === 0;
const script = (shell: string) => join(root, 'dist', `completion.${shell}`);
const place = directory();

beforeAll(() => {
  writeFileSync(join(place.path, 'a capture.scap'), '');
  writeFileSync(join(place.path, 'b.scap'), '');
  mkdirSync(join(place.path, 'queries'));
  writeFileSync(join(place.path, 'queries', 'mine.sql'), '');
});
afterAll(() => place.remove());

const run = (shell: string, args: string[]) =>
  spawnSync(shell, args, {
    cwd: place.path,
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      HOME: place.path,
      SFKIT_QUERIES: join(place.path, 'queries'),
      TERM: 'dumb',
    },
  });

/** What bash offers for the last of the words. */
function bash(...words: string[]): string[] {
  const { stdout, stderr } = run('bash', [
    '--norc',
    '-c',
    `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sfkit; printf '%s\\n' "\${COMPREPLY[@]}"`,
    script('bash'),
    'sfkit',
    ...words,
  ]);
  expect(stderr).toBe('');
  return stdout.trimEnd().split('\n');
}

describe('bash', () => {
  it('completes commands', () => {
    expect(bash('')).toContain('convert');
    expect(bash('con')).toEqual(['convert']);
    expect(bash('--v')).toEqual(['--version']);
    expect(bash('help', 'reco')).toEqual(['record', 'recover']);
  });

  it('completes flags', () => {
    expect(bash('convert', '--ti')).toEqual(['--timestamps']);
    expect(bash('convert', '--no-fi')).toEqual(['--no-file-only']);
    expect(bash('convert', 'b.scap', '-')).toContain('-f');
    expect(bash('convert', '--sockets')).toEqual(['']);
  });

  it('completes values of flags', () => {
    expect(bash('convert', '-f', 'a')).toEqual(['avro', 'arrow']);
    expect(bash('convert', '--format', 'js')).toEqual(['jsonl']);
    // bash splits at =.
    expect(bash('convert', '--format', '=', 'js')).toEqual(['jsonl']);
    expect(bash('convert', '--format', '=')).toContain('parquet');
    expect(bash('check', 'b.scap', '--format', 'sar')).toEqual(['sarif']);
    expect(bash('completion', 'f')).toEqual(['fish']);
  });

  it('completes files, also after flags', () => {
    expect(bash('convert', '')).toEqual(expect.arrayContaining(['a capture.scap', 'b.scap']));
    expect(bash('convert', 'b.scap', '-o', 'b')).toEqual(['b.scap']);
    expect(bash('check', '--rules', 'b')).toEqual(['b.scap']);
    expect(bash('query', 'b')).toEqual(['b.scap']);
    expect(bash('info', '"a c')).toEqual(['a capture.scap']);
  });

  it('completes fields and operators inside of filters', () => {
    expect(bash('events', '--filter', 'proc.nam')).toEqual(['proc.name']);
    expect(bash('events', 'b.scap', '--filter', '"fd.port = 80 and (proc.nam')).toEqual([
      'fd.port = 80 and (proc.name',
    ]);
    expect(bash('events', '--filter', "'proc.name start")).toEqual(['proc.name startswith']);
    expect(bash('live', '--filter', 'proc.anam')).toEqual(expect.arrayContaining(['proc.aname']));
  });

  it('completes saved queries, those of the user too', () => {
    expect(bash('query', '@chil')).toEqual(['@children']);
    expect(bash('query', 'b.scap', '@min')).toEqual(['@mine']);
    // bash splits at @ too.
    expect(bash('query', '@', 'min')).toEqual(['mine']);
  });
});

it('every command and flag of the help is in the scripts', () => {
  const { commands } = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8'));
  const texts = ['bash', 'zsh', 'fish'].map((shell) => readFileSync(script(shell), 'utf8'));
  for (const [id, { flags }] of Object.entries<{ flags: object }>(commands)) {
    for (const name of Object.keys(flags)) {
      const spelled = [`--${name}`, `--${name}`, `-l ${name}`];
      for (const [index, text] of texts.entries())
        expect(text, `${id} ${name}`).toContain(spelled[index]);
    }
  }
});

describe.runIf(has('fish'))('fish (needs fish)', () => {
  const fish = (line: string) => {
    const { stdout, stderr } = run('fish', [
      '--no-config',
      '-c',
      `source ${script('fish')}; complete -C ${JSON.stringify(line)}`,
    ]);
    expect(stderr).toBe('');
    return stdout
      .trimEnd()
      .split('\n')
      .map((entry) => entry.split('\t')[0]);
  };

  it('completes commands, flags, values, files, fields and queries', () => {
    expect(fish('sfkit conv')).toEqual(['convert']);
    expect(fish('sfkit convert --time')).toEqual(['--timestamps']);
    expect(fish('sfkit convert -f js')).toEqual(['jsonl']);
    expect(fish('sfkit convert b')).toContain('b.scap');
    expect(fish('sfkit convert -o b')).toContain('b.scap');
    expect(fish('sfkit events --filter proc.nam')).toContain('proc.name');
    expect(fish('sfkit query @chil')).toEqual(['@children']);
    expect(fish('sfkit query @min')).toEqual(['@mine']);
  });
});

describe.runIf(has('zsh'))('zsh (needs zsh)', () => {
  it('loads the script after compinit', () => {
    const { stdout, stderr } = run('zsh', [
      '-f',
      '-c',
      `autoload -Uz compinit; compinit -u -d ${join(place.path, 'dump')}; source ${script('zsh')}; print $_comps[sfkit]`,
    ]);
    expect(stderr).toBe('');
    expect(stdout).toBe('_sfkit\n');
  });
});
