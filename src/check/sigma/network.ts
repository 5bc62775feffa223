import { isIPv4, isIPv6 } from 'node:net';

/** An address range with a common prefix. */
export interface Network {
  version: 4 | 6;
  /** First and last address as numbers. */
  first: bigint;
  last: bigint;
}

/** Parses ADDRESS/LENGTH; returns an error message for invalid input. */
export function parseNetwork(text: string): Network | string {
  const [address = '', length, ...more] = text.split('/');
  const version = isIPv4(address) ? 4 : isIPv6(address) && !address.includes('%') ? 6 : undefined;
  if (version === undefined || more.length > 0)
    return 'not a network; expected one like 10.0.0.0/8 or fe80::/10';
  const bits = version === 4 ? 32 : 128;
  const fixed = length === undefined ? bits : /^\d{1,3}$/.test(length) ? Number(length) : bits + 1;
  if (fixed > bits) return `the prefix length must be a number from 0 to ${bits}`;
  const first = version === 4 ? addressV4(address) : addressV6(address);
  const size = 1n << BigInt(bits - fixed);
  if (first % size !== 0n) return `the bits after the first ${fixed} must be 0`;
  return { version, first, last: first + size - 1n };
}

function addressV4(text: string): bigint {
  return text.split('.').reduce((number, byte) => number * 256n + BigInt(byte), 0n);
}

function addressV6(text: string): bigint {
  const hexadecimal = text.replace(/[^:]+\.[^:]+$/, (tail) => {
    const number = addressV4(tail);
    return `${(number >> 16n).toString(16)}:${(number & 0xffffn).toString(16)}`;
  });
  const [before = '', after] = hexadecimal.split('::');
  const left = groups(before);
  const right = after === undefined ? [] : groups(after);
  const zeros = new Array<string>(8 - left.length - right.length).fill('0');
  return [...left, ...zeros, ...right].reduce(
    (number, group) => number * 65536n + BigInt(`0x${group}`),
    0n,
  );
}

function groups(text: string): string[] {
  return text === '' ? [] : text.split(':');
}
