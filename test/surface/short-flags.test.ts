import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../helpers/corpus.js';

/** What a short flag means: the long flags that it can stand for, in every command. */
const meanings: Readonly<Record<string, readonly string[]>> = {
  // As in sysprint.
  A: ['all-columns'],
  K: ['k8s-events'],
  c: ['columns'],
  f: ['format'],
  h: ['help'],
  k: ['pods'],
  l: ['attributes'],
  // At most so many of what the command lists or records.
  n: ['rows', 'max-events'],
  o: ['output'],
  p: ['print'],
  q: ['query'],
  w: ['write'],
};

interface Flag {
  name: string;
  char?: string;
}

const commands: [string, Flag[]][] = Object.entries<{ flags: Record<string, Flag> }>(
  JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8')).commands,
).map(([id, { flags }]) => [id, Object.values(flags)]);

it.each(commands)('short flags of %s mean the same as in other commands', (_, flags) => {
  for (const { name, char } of flags) {
    if (char !== undefined)
      expect(meanings[char] ?? [], `-${char} is --${name} here`).toContain(name);
  }
});

it.each(commands)('%s has -f, -o and -n for its format, output and limit', (_, flags) => {
  for (const [char, names] of Object.entries(meanings)) {
    for (const flag of flags.filter(({ name }) => names.includes(name)))
      expect(flag.char, flag.name).toBe(char);
  }
});
