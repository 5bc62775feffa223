import type { FindingFormat } from './format.js';
import { json } from './json.js';
import { jsonl } from './jsonl.js';
import { table } from './table.js';

/** The first is the usual one. */
export const findingFormats = [table, json, jsonl] as const satisfies readonly FindingFormat[];

export const findingFormatNames: readonly string[] = findingFormats.map(({ name }) => name);

export function formatNamed(name: string): FindingFormat | undefined {
  return findingFormats.find((format) => format.name === name);
}
