import { setTimeout as sleep } from 'node:timers/promises';

/** ms between two checks. */
const pause = 20;
/** Maximum ms to wait for a condition; long, because machines may be busy. */
const patience = 120_000;

/** Polls until the condition holds. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const started = Date.now(); !(await isSo()); await sleep(pause)) {
    if (Date.now() - started > patience) throw new Error(`this did not happen: ${isSo}`);
  }
}

/** Waits until a value no longer changes because its writer is blocked. */
export async function settled<Value>(look: () => Value): Promise<Value> {
  let last = look();
  let looks = 0;
  await until(() => {
    const value = look();
    looks = value === last ? looks + 1 : 0;
    last = value;
    return looks > 15;
  });
  return last;
}
