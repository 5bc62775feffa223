import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseSuppressions } from '../../src/check/suppressions.js';
import { Workplace } from '../helpers/cli.js';
import { root } from '../helpers/corpus.js';

const blocks = (page: string, language: string) =>
  [
    ...readFileSync(join(root, 'docs', page), 'utf8').matchAll(
      new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``, 'g'),
    ),
  ].map((match) => match[1] as string);

const examples = ['cli.md', 'cache.md', 'filters.md', 'check-formats.md'].flatMap((page) =>
  blocks(page, 'sh'),
);

it.each(blocks('library.md', 'js'))('the program of docs/library.md: %s', async (program) => {
  const place = new Workplace();
  try {
    const text = program.replace("'sfkit'", JSON.stringify(join(root, 'dist/index.js')));
    const script = `mkdir flows; cp fixtures/webserver.scap capture.scap; cat > program.mjs <<'EOF'\n${text}\nEOF\nnode program.mjs`;
    const result = await place.run(script);
    expect(result.exit, result.stderr).toBe(0);
  } finally {
    place.remove();
  }
});

describe.concurrent('the examples of docs/cli.md, cache.md, filters.md and check-formats.md', () => {
  it.each(examples)('%s', async (script) => {
    const place = new Workplace();
    try {
      const result = await place.run(`set -e\n${script}`);
      expect(result.exit, result.stderr).toBe(0);
    } finally {
      place.remove();
    }
  });
});

describe.concurrent('the examples of docs/tables.md', () => {
  const commands = blocks('tables.md', 'console').flatMap(
    (block) => block.match(/(?<=^\$ ).*$/gm) ?? [],
  );
  it.each(commands)('%s', async (command) => {
    const place = new Workplace();
    try {
      const result = await place.run(command);
      expect(result.exit, result.stderr).toBe(0);
    } finally {
      place.remove();
    }
  });
});

it('docs/check-formats.md shows a suppressions file', () => {
  const [shown] = blocks('check-formats.md', 'yaml');
  expect(parseSuppressions('shown', shown as string)).toHaveLength(2);
});

describe.concurrent('the examples of docs/check.md', () => {
  it.each(blocks('check.md', 'sh').flatMap((block) => block.trimEnd().split('\n')))(
    '%s',
    async (command) => {
      const place = new Workplace();
      try {
        const result = await place.run(command);
        const [, ends] = /# exit code (\d)/.exec(command) ?? [];
        expect(result.exit, result.stderr).toBe(Number(ends ?? 0));
      } finally {
        place.remove();
      }
    },
  );

  it('use the rules that the page shows', async () => {
    const [shown] = blocks('check.md', 'yaml');
    expect(shown).toBe(readFileSync(join(root, 'fixtures', 'rules.yaml'), 'utf8'));
    const [summary] = blocks('check.md', 'text');
    const place = new Workplace();
    try {
      expect(
        (await place.run('sfkit check fixtures/webserver.scap --rules fixtures/rules.yaml')).stderr,
      ).toBe(summary);
    } finally {
      place.remove();
    }
  });
});

it('README.md shows what the commands print', async () => {
  const page = readFileSync(join(root, 'README.md'), 'utf8');
  const session = [...page.matchAll(/```console\n([\s\S]*?)```/g)]
    .map(([, block]) => block)
    .join('');
  expect(session).toContain('$ sfkit check ');
  const place = new Workplace();
  try {
    let shown = '';
    for (const [, command] of session.matchAll(/^\$ (.*)$/gm)) {
      const { stdout } = await place.run(command as string);
      shown += `$ ${command}\n${stdout}`;
    }
    const steady = (text: string) => text.replace(/ in \S+ s \(.*? events\/s\)/g, '');
    expect(steady(shown)).toBe(steady(session));
  } finally {
    place.remove();
  }
});

it('the generated parts of docs/ are current: columns, fields, types of the library', () => {
  const { status, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts/docs.mjs'), '--check'],
    {
      encoding: 'utf8',
    },
  );
  expect(status, stderr).toBe(0);
});
