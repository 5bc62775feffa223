import type { DrawOptions, Screen } from '../../draw/types.js';
import { type TextFormat, textFormats } from '../formats.js';

/** How the shell shows answers. line: a table with one line per value. */
export const modes = [
  'table',
  'line',
  ...textFormats.filter((format) => format !== 'table'),
] as const;
export type Mode = (typeof modes)[number] | TextFormat;

export interface ShellSettings {
  mode: Mode;
  /** Maximum rows to draw; undefined: all. */
  limit: number | undefined;
  showsTime: boolean;
}

export function formatOf(mode: Mode): TextFormat {
  return mode === 'line' ? 'table' : mode;
}

/** How to draw on a screen, or everything for a file. */
export function drawOf({ mode, limit }: ShellSettings, screen: Screen | undefined): DrawOptions {
  return {
    screen,
    limit: screen === undefined ? undefined : limit,
    isRecords: mode === 'line',
    moreRows: '.rows N draws N of them, .rows all draws all',
  };
}
