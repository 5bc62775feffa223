import { chmodSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { isCurrent, newest, writeStamp } from './files.mjs';
import { root, runNode, say } from './run.mjs';

/**
 * Compiles src/ to dist/, writes the command manifest, the manual pages and the completion scripts,
 * and bundles the command line, if anything changed.
 */
export function ensureTypeScript() {
  const sources = [
    'src',
    'native/tables',
    'scripts/generate',
    'scripts/bundle.mjs',
    'scripts/lib/compile-bundle.mjs',
    'scripts/man.mjs',
    'scripts/lib/man-pages.mjs',
    'scripts/completion.mjs',
    'scripts/lib/completion.mjs',
    'queries',
    'tsconfig.json',
    'package.json',
    'node_modules/.sfkit-lock',
  ];
  const sourceTime = newest(sources.map((path) => join(root, path)));
  const stamp = join(root, 'dist', '.sfkit-stamp');
  if (isCurrent(stamp, '', sourceTime) && isBundled()) return;
  say('compiling TypeScript');
  const startedAt = Date.now();
  runNode(join(root, 'scripts', 'generate.mjs'), []);
  rmSync(join(root, 'dist'), { recursive: true, force: true });
  const require = createRequire(join(root, 'package.json'));
  runNode(require.resolve('typescript/bin/tsc'), ['-p', 'tsconfig.json']);
  runNode(join(root, 'scripts', 'manifest.mjs'), []);
  runNode(join(root, 'scripts', 'man.mjs'), []);
  runNode(join(root, 'scripts', 'completion.mjs'), []);
  // Last, because the scripts above load the single files.
  runNode(join(root, 'scripts', 'bundle.mjs'), []);
  chmodSync(join(root, 'bin', 'run.js'), 0o755);
  writeStamp(stamp, '', startedAt);
}

/** Whether the compiler has not run by itself since the bundle was made: it restores the entries. */
function isBundled() {
  const [entry, bundle] = ['cli/main.js', 'bundle/LICENSES.txt'].map((path) =>
    newest([join(root, 'dist', path)]),
  );
  return entry <= bundle;
}
