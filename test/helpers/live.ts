import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loadAddon } from '../../src/engine/addon.js';
import { liveConfig } from '../../src/engine/config.js';
import { root } from './corpus.js';

/** Why live capture does not work here; undefined if it does. */
export const noLive = reason();

function reason(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return 'live capture is for x86-64 Linux';
  if (process.getuid?.() !== 0) return 'live capture needs root';
  try {
    const { allSyscalls, snaplen, samplingRatio, ringBytes, cpusPerRing, rawTracepoints } =
      liveConfig({});
    loadAddon().tryProbe({
      allSyscalls,
      snaplen,
      samplingRatio,
      ringBytes,
      cpusPerRing,
      rawTracepoints,
    });
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/** A title that includes the reason for skipping the tests. */
export function liveTitle(title: string): string {
  return noLive === undefined ? title : `${title} (skipped: ${noLive})`;
}

/** A program of native/test-programs. */
export function testProgram(name: string): string {
  const path = ['.', 'Release']
    .map((folder) => join(root, 'native', 'build', folder, name))
    .find(existsSync);
  if (path === undefined)
    throw new Error(`${name} is not built; run node scripts/setup.mjs --tests`);
  return path;
}
