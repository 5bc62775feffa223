import { describe, expect, it } from 'vitest';
import { addressNumbers, addressTexts } from '../../src/records/ip-numbers.js';

describe('numbers of addresses', () => {
  it.each([
    [[], []],
    [['1.2.3.4'], [0x04030201n]],
    [['255.255.255.255'], [0xffffffffn]],
    [['fd00::1'], [0xfdn, 0x0100000000000000n]],
    [
      ['10.0.0.7', '10.0.0.8', 'fd00::7', '2001:db8::9'],
      [0x0700000an, 0x0800000an, 0xfdn, 0x0700000000000000n, 0xb80d0120n, 0x0900000000000000n],
    ],
    [['ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'], [-1n, -1n]],
  ])('of %s', (texts, numbers) => {
    expect(addressNumbers(texts)).toEqual(numbers);
    expect(addressTexts(numbers)).toEqual(texts);
  });

  it('have IPv4 first, so that readers can separate them', () => {
    const numbers = addressNumbers(['::1', '10.0.0.1', '::ffff:1.2.3.4']) as bigint[];
    expect(addressTexts(numbers)).toEqual(['10.0.0.1', '::1', '::ffff:102:304']);
  });

  it('are undefined for other texts', () => {
    for (const text of ['', 'x', '1.2.3', '1.2.3.4/8', 'fe80::1%eth0', '[::1]'])
      expect(addressNumbers(['1.2.3.4', text]), text).toBeUndefined();
  });

  it('are addresses, whatever they are', () => {
    expect(addressTexts([-1n])).toEqual(['255.255.255.255']);
    expect(addressTexts([1n, 2n, -(2n ** 63n)])).toHaveLength(2);
  });
});
