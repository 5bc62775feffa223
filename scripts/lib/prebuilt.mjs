import { join } from 'node:path';
import { root } from './run.mjs';

/** Possible paths of a prebuilt engine for this machine: on Linux, one per C library. */
export function prebuiltCandidates() {
  const libcs = process.platform === 'linux' ? ['-glibc', '-musl'] : [''];
  return libcs.map((libc) => prebuiltPath(libc));
}

/** Path for an engine built on this machine. */
export function prebuiltHere() {
  if (process.platform !== 'linux') return prebuiltPath('');
  const usesGlibc = process.report.getReport().header.glibcVersionRuntime !== undefined;
  return prebuiltPath(usesGlibc ? '-glibc' : '-musl');
}

function prebuiltPath(libc) {
  return join(root, 'prebuilds', `${process.platform}-${process.arch}${libc}`, 'sfkit.node');
}
