import type { RuleBook } from '../check/check.js';
import type { Diagnostic, Rule } from '../check/finding.js';
import { plural } from '../check/remarks.js';
import { inertJson, jsonOf, logLine, oneLine, placeText } from '../check/text.js';
import { drawn } from '../draw/drawing.js';
import type { Cell, DrawnColumn, Screen } from '../draw/types.js';
import { SfkitError } from '../engine/errors.js';
import { jsonDocument } from '../export/values.js';

// Output of --list and --validate.

const columns: readonly DrawnColumn[] = [
  { name: 'level' },
  { name: 'rule', long: 'wrap', least: 20 },
  { name: 'tags', long: 'wrap', least: 16, rank: 2 },
  { name: 'needs', long: 'wrap', least: 16, rank: 3 },
  { name: 'location', rank: 1 },
];

/** Lists rules in evaluation order. */
export function listText(
  rules: readonly Rule[],
  format: string,
  screen: Screen | undefined,
): string {
  if (format === 'json') return inertJson(jsonDocument(rules));
  if (format === 'jsonl') return objectLines(rules);
  refuseOther('--list', format);
  return drawn(columns, rules.map(listRow), screen);
}

/** Errors, warnings and a summary of rule files. */
export function validationText(book: RuleBook, format: string): string {
  const { diagnostics, notes, rules } = book;
  if (format === 'json')
    return inertJson(jsonDocument({ diagnostics, notes, rules: rules.length }));
  if (format === 'jsonl') return objectLines(diagnostics);
  refuseOther('--validate', format);
  return (
    diagnosticsText(diagnostics) +
    notes.map((note) => `${logLine(note)}\n`).join('') +
    bookText(book)
  );
}

/** Diagnostics in the style of compilers. */
export function diagnosticsText(diagnostics: readonly Diagnostic[]): string {
  return diagnostics
    .flatMap(({ severity, code, message, file, line, column, snippet }) => [
      `${file}:${line}:${column}: ${severity}: ${message} [${code}]`,
      ...(snippet?.split('\n').map((part) => `  ${part}`) ?? []),
    ])
    .map((text) => `${logLine(text)}\n`)
    .join('');
}

function bookText({ rules, diagnostics }: RuleBook): string {
  const off = rules.filter(({ enabled }) => !enabled).length;
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const held = `${plural(rules.length, 'rule')}${off > 0 ? ` (${off} switched off)` : ''}`;
  return `${held}, ${plural(errors, 'error')}, ${plural(diagnostics.length - errors, 'warning')}\n`;
}

function listRow({ level, name, tags, needs, location }: Rule): Cell[] {
  return [level, name, tags.join(', '), needs.join(', '), placeText(location)].map(oneLine);
}

function objectLines(items: readonly unknown[]): string {
  return items.map((item) => `${jsonOf(item)}\n`).join('');
}

function refuseOther(flag: string, format: string): void {
  if (format !== 'table')
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `--format: ${flag} prints table, json or jsonl, not ${format}`,
    );
}
