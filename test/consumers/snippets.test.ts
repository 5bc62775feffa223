import { spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Workplace } from '../helpers/cli.js';
import { fixtures, root } from '../helpers/corpus.js';

// Those that take long to start are run by `npm run try:consumers` only, which sets
// SFKIT_CONSUMERS_ALL.
const slow = ['Spark', 'ClickHouse'];

const section = readFileSync(join(root, 'docs', 'formats.md'), 'utf8')
  .split('\n## Reading the files\n')[1]
  ?.split('\n## ')[0] as string;
const commands = section.match(/```sh\n([\s\S]*?)```/)?.[1] as string;
const snippets = section.split('\n### ').flatMap((part) => {
  const title = part.slice(0, part.indexOf('\n'));
  return [...part.matchAll(/```(python|js)\n([\s\S]*?)```/g)].map(([, language, code], index) => ({
    title: index === 0 ? title : `${title}, ${index + 1}`,
    language: language as string,
    code: code as string,
  }));
});

const python = process.env.SFKIT_CONSUMERS_PYTHON ?? 'python3';
const everything = process.env.SFKIT_CONSUMERS_ALL === '1';

/** The packages that the snippet imports and this Python does not have. */
function missing(code: string): string[] {
  const modules = [...code.matchAll(/^(?:import|from) ([\w.]+)/gm)].map(
    (match) => match[1] as string,
  );
  // pandas reads Parquet with pyarrow.
  if (code.includes('read_parquet') && modules.includes('pandas')) modules.push('pyarrow');
  const find =
    'import importlib.util, sys; sys.exit(importlib.util.find_spec(sys.argv[1]) is None)';
  return modules
    .map((module) => module.split('.')[0] as string)
    .filter((module) => spawnSync(python, ['-c', find, module]).status !== 0);
}

function whyNot({ title, language, code }: (typeof snippets)[number]): string | undefined {
  if (language === 'js' || everything) return undefined;
  if (slow.includes(title)) return 'run by npm run try:consumers';
  const absent = missing(code);
  return absent.length > 0 ? `${python} has no ${absent.join(', ')}` : undefined;
}

describe('the examples under "Reading the files" of docs/formats.md', () => {
  const place = new Workplace();
  let last: string;

  beforeAll(async () => {
    copyFileSync(join(fixtures, 'webserver.scap'), join(place.directory, 'capture.scap'));
    const { exit, stderr } = await place.run(
      `set -e\n${commands}\nsfkit convert capture.scap -o events.jsonl`,
    );
    expect(exit, stderr).toBe(0);
    // Taken from the text: as a number the end would lose digits.
    const rows = readFileSync(join(place.directory, 'events.jsonl'), 'utf8');
    const ends = [...rows.matchAll(/"endts_uts":(\d+)/g)].map((match) =>
      BigInt(match[1] as string),
    );
    last = `${ends.toSorted((left, right) => Number(left - right)).at(-1)}`;
  });
  afterAll(() => place.remove());

  it('cover every consumer', () => {
    const titles = new Set(snippets.map(({ title }) => title.split(',')[0]));
    expect([...titles]).toEqual(
      ['pandas', 'polars', 'pyarrow', 'DuckDB'].concat(slow, ['nanoarrow', 'fastavro', 'Arrow JS']),
    );
  });

  for (const snippet of snippets) {
    const reason = whyNot(snippet);
    it.skipIf(reason !== undefined)(
      reason ? `${snippet.title} (skipped: ${reason})` : snippet.title,
      () => {
        const isPython = snippet.language === 'python';
        const program = join(place.directory, isPython ? 'snippet.py' : 'snippet.mjs');
        // A module outside the project does not find its packages by name.
        const library = JSON.stringify(import.meta.resolve('apache-arrow'));
        writeFileSync(
          program,
          isPython ? snippet.code : snippet.code.replace("'apache-arrow'", library),
        );
        const { status, stdout, stderr } = spawnSync(
          isPython ? python : process.execPath,
          [program],
          {
            cwd: place.directory,
            encoding: 'utf8',
          },
        );
        expect(status, stderr).toBe(0);
        expect(stdout.trim()).toBe(last);
      },
    );
  }
});
