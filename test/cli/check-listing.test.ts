import { describe, expect, it } from 'vitest';
import { listText, validationText } from '../../src/cli/check-listing.js';
import { checkSummary, FindingCount } from '../../src/cli/check-summary.js';
import { dangersIn, finding, hostileTexts, report, rule } from '../helpers/findings.js';

// Rules files and captures of others: their names and what stands in them are no commands in the log of a CI service.

const texts = [...hostileTexts, '::error::x', '  ::add-mask::x', '::', ':::'];

const diagnostics = texts.map((text) => ({
  severity: 'error' as const,
  code: 'E',
  message: text,
  file: text,
  line: 1,
  column: 1,
  snippet: `${text}\n^`,
}));
const rules = texts.map((text, nth) =>
  rule(finding({ rule: text, tags: [text], location: { file: text, line: nth + 1 } }), { needs: [text] }),
);
const book = { diagnostics, notes: texts, rules, sets: [] };

describe('what is said of rules', () => {
  it.each(['table', 'json', 'jsonl'])('does nothing as a list (%s)', (format) => {
    expect(dangersIn(listText(rules, format, undefined))).toEqual([]);
  });

  it.each(['table', 'json', 'jsonl'])('does nothing where it is validated (%s)', (format) => {
    expect(dangersIn(validationText(book, format))).toEqual([]);
  });

  it('is the same for programs', () => {
    expect(JSON.parse(listText(rules, 'json', undefined))).toEqual(rules);
    expect(JSON.parse(validationText(book, 'json'))).toMatchObject({ diagnostics, notes: texts });
  });
});

it('the summary of a run does nothing', () => {
  for (const capture of texts) {
    const run = report([finding()]);
    const captures = run.captures.map((one) => ({ ...one, capture }));
    const text = checkSummary({ ...run, captures, book }, new FindingCount());
    expect(dangersIn(text)).toEqual([]);
  }
  const [first] = checkSummary(
    { ...report([]), captures: report([]).captures.map((one) => ({ ...one, capture: '::error::x.scap' })) },
    new FindingCount(),
  ).split('\n');
  expect(first).toBe('\\x3a:error::x.scap');
});
