// The comparison of measured instructions per event with a budget.

/** By how much a count may rise, in percent. */
export const maxRise = 3;

/**
 * Compares counts with the budget; both have `build` and `instructionsPerEvent` by workload.
 * Returns a line per workload, the failures among them, and why nothing was compared, if so.
 */
export function compareWithBudget(budget, measured) {
  if (budget.build !== measured.build) {
    const reason = `the budget is for '${budget.build}', and this is '${measured.build}'`;
    return { reason, lines: [], failures: [] };
  }
  const names = new Set([
    ...Object.keys(budget.instructionsPerEvent),
    ...Object.keys(measured.instructionsPerEvent),
  ]);
  const rows = [...names].map((name) =>
    row(name, budget.instructionsPerEvent[name], measured.instructionsPerEvent[name]),
  );
  return {
    reason: undefined,
    lines: rows.map(({ line }) => line),
    failures: rows.filter(({ failed }) => failed).map(({ line }) => line),
  };
}

function row(name, before, now) {
  if (before === undefined) return { line: `${name}: not in the budget`, failed: true };
  if (now === undefined) return { line: `${name}: in the budget, but not measured`, failed: true };
  const percent = (now / before - 1) * 100;
  const change = `${percent < 0 ? '' : '+'}${percent.toFixed(1)} %`;
  return {
    line: `${name}: ${now} instructions per event, budget ${before} (${change})`,
    // So that NaN fails too.
    failed: !(percent <= maxRise),
  };
}
