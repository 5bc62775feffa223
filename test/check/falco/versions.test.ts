import { describe, expect, it } from 'vitest';
import {
  isCompatible,
  isCompatibleEngine,
  parseVersion,
} from '../../../src/check/falco/versions.js';

describe('versions', () => {
  it.each([
    ['0.62.0', [0, 62, 0]],
    ['1.2.3-rc1', [1, 2, 3]],
    ['1.2', undefined],
    ['v1.2.3', undefined],
    ['', undefined],
  ])('%j is %j', (text, version) => {
    expect(parseVersion(text)).toEqual(version);
  });

  it.each([
    [[0, 62, 0], true],
    [[0, 17, 0], true],
    [[0, 62, 1], false],
    [[0, 63, 0], false],
    [[1, 0, 0], false],
  ])('rules for engine %j: %s', (asked, isTaken) => {
    expect(isCompatibleEngine(asked)).toBe(isTaken);
  });

  it('a plugin satisfies requirements for older versions with the same major version', () => {
    expect(isCompatible([0, 7, 1], [0, 4, 0])).toBe(true);
    expect(isCompatible([0, 7, 1], [0, 7, 2])).toBe(false);
    expect(isCompatible([1, 0, 0], [0, 7, 1])).toBe(false);
  });
});
