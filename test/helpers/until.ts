import { setTimeout as sleep } from 'node:timers/promises';

/** ms between two looks. */
const pause = 20;
/** A last resort for what never happens; long, because machines may be busy. */
const patience = 120_000;

/** Waits until it is so, looking again and again. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (const started = Date.now(); !(await isSo()); await sleep(pause)) {
    if (Date.now() - started > patience) throw new Error(`this did not happen: ${isSo}`);
  }
}

/** Waits until a value does not change any more: whatever changes it waits for something else. */
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
