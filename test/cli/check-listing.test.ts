import { describe, expect, it } from 'vitest';
import { listText, validationText } from '../../src/cli/check-listing.js';
import { checkSummary, FindingCount } from '../../src/cli/check-summary.js';
import { dangersIn, finding, hostileTexts, report, rule } from '../helpers/findings.js';

// Foreign rule files and captures: their names and contents must not become commands in the log of
// a CI service.

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
  rule(finding({ rule: text, tags: [text], location: { file: text, line: nth + 1 } }), {
    needs: [text],
  }),
);
const book = { diagnostics, notes: texts, rules, sets: [] };

describe('hostile text in the listing of rules', () => {
  it.each(['table', 'json', 'jsonl'])('is inert in the list (%s)', (format) => {
    expect(dangersIn(listText(rules, format, undefined))).toEqual([]);
  });

  it.each(['table', 'json', 'jsonl'])('is inert in the validation report (%s)', (format) => {
    expect(dangersIn(validationText(book, format))).toEqual([]);
  });

  it('stays unchanged for programs', () => {
    expect(JSON.parse(listText(rules, 'json', undefined))).toEqual(rules);
    expect(JSON.parse(validationText(book, 'json'))).toMatchObject({ diagnostics, notes: texts });
  });
});

it('the summary of a run is inert', () => {
  for (const capture of texts) {
    const run = report([finding()]);
    const captures = run.captures.map((one) => ({ ...one, capture }));
    const text = checkSummary({ ...run, captures, book }, new FindingCount());
    expect(dangersIn(text)).toEqual([]);
  }
  const [first] = checkSummary(
    {
      ...report([]),
      captures: report([]).captures.map((one) => ({ ...one, capture: '::error::x.scap' })),
    },
    new FindingCount(),
  ).split('\n');
  expect(first).toBe('\\x3a:error::x.scap');
});
