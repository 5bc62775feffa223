import type { FindingFormat } from './format.js';
import { github } from './github.js';
import { gitlab } from './gitlab.js';
import { json } from './json.js';
import { jsonl } from './jsonl.js';
import { junit } from './junit.js';
import { markdown } from './markdown.js';
import { sarif } from './sarif.js';
import { table } from './table.js';

/** The first is the default. */
export const findingFormats = [
  table,
  json,
  jsonl,
  sarif,
  junit,
  markdown,
  github,
  gitlab,
] as const satisfies readonly FindingFormat[];

export const findingFormatNames: readonly string[] = findingFormats.map(({ name }) => name);

export function formatNamed(name: string): FindingFormat | undefined {
  return findingFormats.find((format) => format.name === name);
}
