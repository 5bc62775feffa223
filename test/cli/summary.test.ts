import { describe, expect, it } from 'vitest';
import { damageText, noteText, summaryText } from '../../src/cli/summary.js';
import { type ReasonId, reasons } from '../../src/engine/reasons.gen.js';
import { reasonCount } from '../../src/engine/reasons.js';
import { counted } from '../../src/engine/summary-text.js';
import { emptySummary } from '../helpers/batches.js';

const conversion = { input: 'c.scap', outputs: [{ output: 'c.sf', format: 'avro' }] };
const skipped = (count: bigint, reason: string) =>
  summaryText({
    ...conversion,
    summary: { ...emptySummary, skipped: [{ ...reasonCount('more-damage', count), reason }] },
    seconds: 1,
  }).split('\n')[2];

describe('the summary', () => {
  it.each([
    ['calls on IPv6 connections', '1 call on IPv6 connections', '2 calls on IPv6 connections'],
    ['file flows that only read', '1 file flow that only read', '2 file flows that only read'],
    [
      'IPv6 flows (no room for their addresses)',
      '1 IPv6 flow (no room for its addresses)',
      undefined,
    ],
    ['further places of damage', '1 further place of damage', '2 further places of damage'],
  ])('counts %s', (reason, one, two) => {
    expect(skipped(1n, reason)).toBe(`  skipped: ${one}`);
    expect(skipped(2n, reason)).toBe(`  skipped: ${two ?? `2 ${reason}`}`);
  });

  it.each(Object.keys(reasons) as ReasonId[])('counts one of %s', (id) => {
    expect(counted(1n, reasons[id].text)).not.toBe(`1 ${reasons[id].text}`);
  });

  it('has notes, which other commands print as lines', () => {
    const summary = { ...emptySummary, notes: [reasonCount('impossible-times', 1n)] };
    const line = summary.notes[0]?.reason.replace('times', '1 time');
    expect(summaryText({ ...conversion, summary, seconds: 1 }).split('\n')[2]).toBe(
      `  note: ${line}`,
    );
    expect(noteText('c.sf', summary)).toBe(`sfkit: c.sf: note: ${line}\n`);
    expect(noteText('c.sf', emptySummary)).toBe('');
  });

  it.each([
    ['the file ends inside a block, 1160 bytes of it are there', 1160n, ''],
    ['a block claims 8 bytes', 1160n, ', 1,160 bytes lost'],
    ['a block claims 8 bytes', 1n, ', 1 byte lost'],
    ['a block claims 8 bytes', 0n, ''],
  ])('gives the lost bytes of "%s" once', (message, skippedBytes, lost) => {
    const damage = [{ kind: 'x', offset: 5n, skippedBytes, message }];
    expect(damageText('c.scap', { ...emptySummary, damage })).toBe(
      `sfkit: c.scap is damaged: at byte 5: ${message}${lost}\n`,
    );
  });
});
