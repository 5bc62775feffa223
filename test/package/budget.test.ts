import { describe, expect, it } from 'vitest';
// @ts-expect-error: a script without types
import { compareWithBudget } from '../../scripts/lib/budget.mjs';

const counts = (instructionsPerEvent: Record<string, number>, build = 'GCC 12.2.0 on x64') => ({
  build,
  instructionsPerEvent,
});
const budget = counts({ 'read webserver': 1000, 'avro webserver': 2000 });

describe('the budget of instructions per event', () => {
  it('permits a rise of up to 3 %, and every fall', () => {
    const measured = counts({ 'read webserver': 1029, 'avro webserver': 500 });
    expect(compareWithBudget(budget, measured)).toEqual({
      reason: undefined,
      lines: [
        'read webserver: 1029 instructions per event, budget 1000 (+2.9 %)',
        'avro webserver: 500 instructions per event, budget 2000 (-75.0 %)',
      ],
      failures: [],
    });
  });

  it('fails for one workload that rises more', () => {
    const measured = counts({ 'read webserver': 1000, 'avro webserver': 2062 });
    expect(compareWithBudget(budget, measured).failures).toEqual([
      'avro webserver: 2062 instructions per event, budget 2000 (+3.1 %)',
    ]);
  });

  it('fails when a count is not a number', () => {
    const measured = counts({ 'read webserver': Number.NaN, 'avro webserver': 2000 });
    expect(compareWithBudget(budget, measured).failures).toHaveLength(1);
  });

  it('fails when the workloads are not those of the budget', () => {
    const measured = counts({ 'read webserver': 1000, 'columns live': 1 });
    expect(compareWithBudget(budget, measured).failures).toEqual([
      'avro webserver: in the budget, but not measured',
      'columns live: not in the budget',
    ]);
  });

  it('compares nothing with the counts of another build', () => {
    const measured = counts({ 'read webserver': 9000 }, 'Clang 14.0.6 on x64');
    expect(compareWithBudget(budget, measured)).toEqual({
      reason: "the budget is for 'GCC 12.2.0 on x64', and this is 'Clang 14.0.6 on x64'",
      lines: [],
      failures: [],
    });
  });
});
