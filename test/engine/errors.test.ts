import { expect, it } from 'vitest';
import { isSystemError, reasonOf, SfkitError, unwritable } from '../../src/engine/errors.js';

const full = new Error(
  'FATAL Error: Failed to create checkpoint because of error: Could not write file "/tmp/.x.part/sysflow.duckdb": No space left on device',
);

it('gives the reason of the system, also for errors of DuckDB', () => {
  expect(reasonOf(full)).toBe('no space left on the device');
  expect(
    reasonOf(
      Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' }),
    ),
  ).toBe('no space left on the device');
  expect(unwritable('x.duckdb', full).message).toBe(
    'cannot write x.duckdb: no space left on the device',
  );
});

it('gives the first line of an unknown error', () => {
  expect(reasonOf(new Error('IO Error: what is this\nSTACK 1\nSTACK 2'))).toBe(
    'IO Error: what is this',
  );
});

it('distinguishes errors of the system from others', () => {
  expect(isSystemError(full)).toBe(true);
  expect(
    isSystemError(
      Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' }),
    ),
  ).toBe(true);
  expect(isSystemError(Object.assign(new RangeError('size'), { code: 'ERR_OUT_OF_RANGE' }))).toBe(
    false,
  );
  expect(
    isSystemError(new Error('Conversion Error: Could not convert string: No space left on device')),
  ).toBe(false);
  expect(isSystemError(new SfkitError('INPUT_EMPTY', 'it is empty'))).toBe(false);
});
