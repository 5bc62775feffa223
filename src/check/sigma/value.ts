import type { ScalarNode, YamlNode } from '../falco/yaml.js';
import { excerpt, SigmaError } from './errors.js';

// YAML scalars with their YAML 1.1 types, like in the reference implementation. `text` is the text
// in the file.

export type SigmaValue =
  | { type: 'text'; text: string }
  | { type: 'number'; text: string; number: string }
  | { type: 'boolean'; text: string; boolean: boolean }
  | { type: 'null' };

const booleans = new Map([
  ...['yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map(
    (word) => [word, true] as const,
  ),
  ...['no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map(
    (word) => [word, false] as const,
  ),
]);

/** The value of a scalar or null node. */
export function scalarValue(node: YamlNode): SigmaValue {
  if (node.kind === 'null') return { type: 'null' };
  if (node.kind !== 'scalar') {
    const found = node.kind === 'map' ? 'a map' : 'a list';
    throw new SigmaError(
      `expected a text, a number, true, false or null, found ${found}`,
      node.mark,
    );
  }
  const { text } = node;
  if (node.style !== 'plain') return { type: 'text', text };
  const boolean = booleans.get(text);
  if (boolean !== undefined) return { type: 'boolean', text, boolean };
  const number = numberOf(text);
  return number === undefined ? { type: 'text', text } : { type: 'number', text, number };
}

/** More digits than any field has; DuckDB's widest integer has 39. */
const maxDigits = 38;

/** The decimal form of a plain scalar that is a number in YAML 1.1. */
export function numberOf(text: string): string | undefined {
  if (text.length > 2 * maxDigits) return undefined;
  const match = /^([-+]?)(?:0b([01_]+)|0x([0-9a-fA-F_]+)|(0[0-7_]+)|(0|[1-9][0-9_]*))$/.exec(text);
  if (match !== null) {
    const [, sign, binary, hexadecimal, octal, decimal] = match;
    const digits = (binary ?? hexadecimal ?? octal ?? decimal ?? '').replaceAll('_', '');
    const prefix =
      binary !== undefined
        ? '0b'
        : hexadecimal !== undefined
          ? '0x'
          : octal !== undefined
            ? '0o'
            : '';
    if (digits === '') return undefined;
    const number = BigInt(prefix + digits);
    const decimalForm = String(sign === '-' ? -number : number);
    return decimalForm.length > maxDigits ? undefined : decimalForm;
  }
  if (!/^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?$/.test(text))
    return undefined;
  const number = Number(text.replaceAll('_', ''));
  // 1.0 becomes 1.
  return Number.isFinite(number) ? String(number) : undefined;
}

/** A text of the rule's metadata, of any YAML type; undefined if missing. */
export function textOf(node: YamlNode | undefined, what: string): string | undefined {
  if (node === undefined || node.kind === 'null') return undefined;
  if (node.kind === 'scalar') return node.text;
  throw new SigmaError(
    `${what} must be a text, found ${node.kind === 'map' ? 'a map' : 'a list'}`,
    node.mark,
  );
}

/** One of the allowed words. */
export function wordOf(
  node: YamlNode | undefined,
  what: string,
  words: readonly string[],
): string | undefined {
  const text = textOf(node, what);
  if (text === undefined || words.includes(text)) return text;
  throw new SigmaError(
    `${what} must be one of ${words.join(', ')}, found '${excerpt(text)}'`,
    (node as ScalarNode).mark,
  );
}

/** A list of texts; a single text counts as a list. */
export function textsOf(node: YamlNode | undefined, what: string): ScalarNode[] {
  if (node === undefined || node.kind === 'null') return [];
  const items = node.kind === 'sequence' ? node.items : [node];
  return items.map((item) => {
    if (item.kind === 'scalar') return item;
    throw new SigmaError(`${what} must be a list of texts`, item.mark);
  });
}
