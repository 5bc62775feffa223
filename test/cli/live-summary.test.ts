import { describe, expect, it } from 'vitest';
import { hasLoss, liveText } from '../../src/cli/live-summary.js';
import { reasonCount } from '../../src/engine/reasons.js';
import { emptySummary } from '../helpers/batches.js';

describe('the summary of a live capture', () => {
  const textOf = (summary: typeof emptySummary) => liveText({ summary, seconds: 1, outputs: [] });

  it('says so if nothing is lost', () => {
    expect(hasLoss(emptySummary)).toBe(false);
    expect(textOf(emptySummary)).toContain('lost: nothing');
  });

  it.each(['forgotten-threads', 'forgotten-descriptors', 'forgotten-names'] as const)(
    'counts %s as lost',
    (id) => {
      const summary = { ...emptySummary, skipped: [reasonCount(id, 2n)] };
      expect(hasLoss(summary)).toBe(true);
      expect(textOf(summary)).toMatch(/skipped: 2 \w+ .*forgotten/);
      expect(textOf(summary)).not.toContain('lost: nothing');
    },
  );

  it('does not count flows that it only divides', () => {
    const summary = { ...emptySummary, notes: [reasonCount('flows-ended-early', 2n)] };
    expect(hasLoss(summary)).toBe(false);
    expect(textOf(summary)).toMatch(/note: 2 flows divided into two or more records/);
  });
});
