import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';

const directory = testDirectory();
const page = readFileSync(join(root, 'docs/api.md'), 'utf8');
const documented = [...page.matchAll(/^### (\w+)$/gm)].map(([, name]) => name as string);
const consumer = readFileSync(join(root, 'test/package/consumer/consumer.ts'), 'utf8');

/** Compiles a program against the types of the package; returns the compiler's messages. */
function compile(program: string): string {
  writeFileSync(directory.path('consumer.ts'), program);
  const options = {
    compilerOptions: {
      target: 'es2022',
      module: 'nodenext',
      strict: true,
      noEmit: true,
      noUnusedLocals: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      paths: { sfkit: [join(root, 'dist/index.d.ts')] },
    },
    files: [directory.path('consumer.ts')],
  };
  writeFileSync(directory.path('package.json'), '{"type":"module"}');
  writeFileSync(directory.path('tsconfig.json'), JSON.stringify(options));
  const tsc = join(root, 'node_modules/typescript/bin/tsc');
  return spawnSync(process.execPath, [tsc, '-p', directory.path()], { encoding: 'utf8' }).stdout;
}

describe('a program that uses the library', () => {
  it('compiles with documented names only', () => {
    const [, list] = /import \{([^}]*)\} from 'sfkit'/.exec(consumer) ?? [];
    const names = [...(list as string).matchAll(/(\w+),/g)].map(([, name]) => name as string);
    expect(names.filter((name) => !documented.includes(name))).toEqual([]);
    expect(compile(consumer)).toBe('');
  });

  it('does not compile with internal or wrong names', () => {
    const wrong = (line: string) => compile(`import * as sfkit from 'sfkit';\n${line}\n`);
    expect(wrong('export const { openColumns } = sfkit;')).toContain(
      "'openColumns' does not exist",
    );
    expect(wrong("export const { sets } = sfkit.readRules('a');")).toContain(
      "'sets' does not exist",
    );
    expect(wrong("export const run = sfkit.openCapture('a', { fileOnyl: true });")).toContain(
      'fileOnyl',
    );
  });
});

describe('docs/api.md', () => {
  it('shows every type that it names', () => {
    const external = new Set(
      [
        'AbortSignal',
        'Array',
        'AsyncIterable',
        'Error',
        'ErrorOptions',
        'EventEmitter',
        'NodeJS',
        'Omit',
        'Partial',
      ].concat(['Pick', 'ProcessEnv', 'Promise', 'Readonly', 'Record', 'RecordBatch', 'Required']),
    );
    // Types are in code: in a block, or in the second column of a table.
    const code = [...page.matchAll(/```ts\n([^`]*)```|^\| `[^`]*` \| `([^`]*)`/gm)].map(
      ([, block, cell]) => block ?? cell,
    );
    const named = code.flatMap((text) =>
      [...(text as string).replace(/'[^']*'|"[^"]*"/g, '').matchAll(/\b[A-Z]\w+/g)].map(
        ([name]) => name,
      ),
    );
    expect(named.length).toBeGreaterThan(100);
    expect(
      [...new Set(named)].filter((name) => !documented.includes(name) && !external.has(name)),
    ).toEqual([]);
  });

  it('names nothing from the addon', () => {
    expect(page).not.toMatch(/\bNative[A-Z]|startNative/);
    expect(readFileSync(join(root, 'dist/index.d.ts'), 'utf8')).not.toMatch(/Native/);
  });
});
