import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { root } from '../helpers/corpus.js';

// The interface that users' scripts depend on: commands, arguments, flags and their values. Change
// it only on purpose. To accept a change: SFKIT_UPDATE_SURFACE=1 npx vitest run test/surface

/** The visible properties of an argument or flag, except help texts. */
const facts = [
  'char',
  'aliases',
  'type',
  'options',
  'helpValue',
  'multiple',
  'required',
  'default',
  'allowNo',
  'exclusive',
  'dependsOn',
  'hidden',
];

type Entry = Record<string, unknown>;

interface Command {
  strict: boolean;
  aliases: string[];
  hidden?: boolean;
  args: Record<string, Entry>;
  flags: Record<string, Entry>;
}

/** Entries by name, without empty properties. */
function reduced(entries: Record<string, Entry>, sorted: boolean): Record<string, Entry> {
  const list = Object.entries(entries).map(([name, entry]) => {
    const kept = facts.filter((fact) => entry[fact] !== undefined && entry[fact] !== false);
    return [name, Object.fromEntries(kept.map((fact) => [fact, entry[fact]]))] as const;
  });
  return Object.fromEntries(
    sorted ? list.sort(([left], [right]) => (left < right ? -1 : 1)) : list,
  );
}

function surface(): Record<string, unknown> {
  const manifest = JSON.parse(readFileSync(join(root, 'oclif.manifest.json'), 'utf8'));
  const commands = Object.entries<Command>(manifest.commands).map(
    ([id, { strict, aliases, hidden, args, flags }]) => [
      id,
      {
        ...(strict ? {} : { takesMore: true }),
        ...(aliases.length > 0 ? { aliases } : {}),
        ...(hidden ? { hidden } : {}),
        args: reduced(args, false),
        flags: reduced(flags, true),
      },
    ],
  );
  return Object.fromEntries(commands.sort());
}

it('commands and flags match commands.json', () => {
  const path = join(root, 'test/surface/commands.json');
  const text = `${JSON.stringify(surface(), null, 2)}\n`;
  if (process.env.SFKIT_UPDATE_SURFACE) writeFileSync(path, text);
  expect(
    JSON.parse(text),
    'to accept it: SFKIT_UPDATE_SURFACE=1 npx vitest run test/surface',
  ).toEqual(existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : {});
});
