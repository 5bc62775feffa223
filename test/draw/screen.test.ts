import { expect, it } from 'vitest';
import { screenOf } from '../../src/draw/screen.js';

it('exists only for a terminal', () => {
  expect(screenOf({ columns: 100, rows: 30 }, { FORCE_COLOR: '1', COLUMNS: '50' })).toBeUndefined();
  expect(screenOf({ isTTY: true, columns: 100, rows: 30 }, { COLUMNS: '50' })).toEqual({
    columns: 100,
    rows: 30,
    color: true,
  });
  expect(screenOf({ isTTY: true, columns: 0, rows: 0 }, {})).toEqual({
    columns: 80,
    rows: undefined,
    color: true,
  });
});

it.each([
  [{}, true],
  [{ NO_COLOR: '1' }, false],
  [{ NO_COLOR: '' }, true],
  [{ TERM: 'dumb' }, false],
  [{ TERM: 'dumb', FORCE_COLOR: '1' }, true],
  [{ FORCE_COLOR: '0' }, false],
  [{ NO_COLOR: '1', FORCE_COLOR: '1' }, true],
])('is colored with %j: %s', (environment, color) => {
  expect(screenOf({ isTTY: true, columns: 80 }, environment)?.color).toBe(color);
});
