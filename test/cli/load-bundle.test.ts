import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { root } from '../helpers/corpus.js';
import { testDirectory } from '../helpers/directory.js';

const directory = testDirectory();
let bundles = 0;

/** A bundle with these files, and a way to load one in a new process. */
function bundleOf(files: Record<string, string | Buffer>) {
  const dist = directory.path(`bundle-${bundles++}`);
  for (const name of ['cli', 'bundle']) mkdirSync(join(dist, name), { recursive: true });
  writeFileSync(join(dist, 'package.json'), '{"type":"module"}');
  const loader = join(dist, 'cli/load-bundle.js');
  copyFileSync(join(root, 'dist/cli/load-bundle.js'), loader);
  for (const [name, content] of Object.entries(files))
    writeFileSync(join(dist, 'bundle', name), content);
  const imported = `const { loadBundled, compiledCode } = await import(${JSON.stringify(pathToFileURL(loader).href)});`;
  const run = (script: string) =>
    execFileSync(process.execPath, ['--input-type=module', '-e', `${imported}\n${script}`], {
      encoding: 'utf8',
    });
  return { dist, run };
}

const first = `const other = require('./other.cjs');
exports.answer = () => other.twice(21);
exports.where = [__filename, __dirname].map((path) => path.split(/[\\\\/]/).at(-1));
exports.imports = async () => (await importModule('node:path')).basename('/a/b');`;
const files = { 'first.cjs': first, 'other.cjs': 'exports.twice = (x) => 2 * x;' };
const answer = "console.log(loadBundled('first.cjs').answer());";

describe('loadBundled()', () => {
  it('loads files of the bundle, with what they require and import', () => {
    const { run } = bundleOf(files);
    const script = `const { where, imports } = loadBundled('first.cjs');
      console.log(where.join(), await imports());
      console.log(loadBundled('first.cjs') === loadBundled('first.cjs'));`;
    expect(run(answer + script)).toBe('42\nfirst.cjs,bundle b\ntrue\n');
  });

  it('uses the compiled code, and ignores code that is not for this file and this Node', () => {
    const { run, dist } = bundleOf(files);
    const write = `import { writeFileSync } from 'node:fs';
      loadBundled('first.cjs').answer();
      for (const [file, code] of compiledCode())
        writeFileSync(${JSON.stringify(join(dist, 'bundle/'))} + file + '.code', code);`;
    run(write);
    expect(run(answer)).toBe('42\n');
    for (const wrong of ['', 'no code', Buffer.alloc(4096, 0xff)]) {
      writeFileSync(join(dist, 'bundle/first.cjs.code'), wrong);
      expect(run(answer)).toBe('42\n');
    }
  });
});
