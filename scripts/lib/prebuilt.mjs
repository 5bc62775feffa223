import { join } from 'node:path';
import { root } from './run.mjs';

/** Where a prebuilt engine for this machine could be: on Linux one for each C library. */
export function prebuiltCandidates() {
  const libcs = process.platform === 'linux' ? ['-glibc', '-musl'] : [''];
  return libcs.map((libc) => prebuiltPath(libc));
}

/** Where the engine built on this machine belongs. */
export function prebuiltHere() {
  if (process.platform !== 'linux') return prebuiltPath('');
  const usesGlibc = process.report.getReport().header.glibcVersionRuntime !== undefined;
  return prebuiltPath(usesGlibc ? '-glibc' : '-musl');
}

function prebuiltPath(libc) {
  return join(root, 'prebuilds', `${process.platform}-${process.arch}${libc}`, 'sfkit.node');
}
