import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { isCurrent, newest, writeStamp } from './files.mjs';
import { isStrict, root, run, runNode, say } from './run.mjs';
import { ensureSystemPackages } from './system.mjs';

const buildDirectory = join(root, 'native', 'build');
export const builtAddon = join(buildDirectory, 'Release', 'sfkit.node');

/** Builds the addon (and the C++ tests) if anything changed since the last build. */
export function ensureNative({ tests }) {
  const sources = ['native', 'scripts/generate', 'scripts/generate.mjs'].map((path) =>
    join(root, path),
  );
  const sourceTime = newest(sources, ['build', 'generated']);
  const stamp = join(buildDirectory, tests ? '.sfkit-tests' : '.sfkit-addon');
  const isBuilt = existsSync(builtAddon) && (!isStrict || isConfigured('SFKIT_STRICT'));
  if (isBuilt && isCurrent(stamp, '', sourceTime)) return;
  ensureSystemPackages({ tests });
  const startedAt = Date.now();
  buildNative({ tests });
  writeStamp(stamp, '', startedAt);
  if (tests) writeStamp(join(buildDirectory, '.sfkit-addon'), '', startedAt);
}

/** Generates sources from native/tables, then builds with CMake. */
export function buildNative({ tests }) {
  say(tests ? 'building the engine and its tests' : 'building the engine');
  runNode(join(root, 'scripts', 'generate.mjs'), []);
  const cmakeJs = createRequire(join(root, 'package.json')).resolve('cmake-js/bin/cmake-js');
  const settings = [...(tests ? ['SFKIT_TESTS'] : []), ...(isStrict ? ['SFKIT_STRICT'] : [])];
  const options = ['-d', 'native', '-l', 'warn', ...settings.map((setting) => `--CD${setting}=ON`)];
  // A build directory keeps its settings until it is configured again.
  if (!settings.every(isConfigured)) runNode(cmakeJs, ['configure', ...options]);
  runNode(cmakeJs, ['build', ...options, ...(tests ? [] : ['--target', 'sfkit_addon'])]);
}

/**
 * Builds programs of native/tools and native/test-programs without Node; returns the directory that
 * holds them.
 */
export function buildTools(...targets) {
  const directory = join(root, 'native', 'build-tools');
  const settings = ['-DCMAKE_BUILD_TYPE=Release', '-DSFKIT_TOOLS=ON', '-DSFKIT_ADDON=OFF'];
  run('cmake', ['-S', join(root, 'native'), '-B', directory, '-G', 'Ninja', ...settings]);
  run('cmake', ['--build', directory, '--target', ...targets, '-j', '2']);
  return directory;
}

function isConfigured(setting) {
  const cache = join(buildDirectory, 'CMakeCache.txt');
  return (
    existsSync(cache) && new RegExp(`^${setting}:\\w+=ON$`, 'm').test(readFileSync(cache, 'utf8'))
  );
}
