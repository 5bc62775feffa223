import { SfkitError } from '../engine/errors.js';

const units: Readonly<Record<string, number>> = {
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** Parses a size such as 512MB, 1.5GiB or 0. Error messages name `where`, the flag or variable. */
export function parseSize(where: string, text: string): number {
  const parts = /^(\d{1,15}(?:\.\d{1,9})?) ?([kmgt]?i?b)?$/i.exec(text.trim());
  const unit = units[(parts?.[2] ?? 'b').toLowerCase()];
  const bytes = Math.floor(Number(parts?.[1]) * (unit ?? Number.NaN));
  if (!Number.isSafeInteger(bytes))
    throw new SfkitError(
      'INVALID_ARGUMENT',
      `${where}: '${text}' is not a size: expected a number and a unit, such as 512MB or 2GiB`,
    );
  return bytes;
}
