import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import vm from 'node:vm';

// Loads the bundle that scripts/bundle.mjs makes. Node takes longer to compile the command line
// than to run it, so the bundle comes with the compiled code of V8, which other versions of Node
// ignore.

type Exports = Record<string, unknown>;

interface Loaded {
  module: { exports: Exports };
  script: vm.Script;
}

const directory = join(dirname(dirname(fileURLToPath(import.meta.url))), 'bundle');
const requireOther = createRequire(join(directory, 'bundle.cjs'));
const loaded = new Map<string, Loaded>();

/** The exports of a file of the bundle. */
export function loadBundled(file: string): Exports {
  const known = loaded.get(file);
  if (known !== undefined) return known.module.exports;
  const filename = join(directory, file);
  const source = `(function (exports, require, module, __filename, __dirname, importModule) {${readFileSync(filename, 'utf8')}\n})`;
  const cachedData = readCode(filename);
  const script = new vm.Script(source, {
    filename,
    ...(cachedData && { cachedData }),
  });
  const module = { exports: {}, filename };
  loaded.set(file, { module, script });
  script.runInThisContext()(
    module.exports,
    requireBundled,
    module,
    filename,
    directory,
    (specifier: string) => import(specifier),
  );
  return module.exports;
}

function requireBundled(specifier: string): unknown {
  return specifier.startsWith('./') ? loadBundled(specifier.slice(2)) : requireOther(specifier);
}

/** The compiled code of a file; the file's name has a hash of its text, so both belong together. */
function readCode(filename: string): Buffer | undefined {
  try {
    return readFileSync(`${filename}.code`);
  } catch {
    return undefined;
  }
}

/** The compiled code of everything that was loaded, by file. */
export function compiledCode(): Map<string, Buffer> {
  return new Map([...loaded].map(([file, { script }]) => [file, script.createCachedData()]));
}
