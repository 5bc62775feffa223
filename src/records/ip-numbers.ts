import { isIPv4, isIPv6 } from 'node:net';

// Addresses of pods and services as SysFlow files have them: an IPv4 address is one number, an IPv6
// address two. Their bytes in network order are the bytes of the numbers, lowest first.

const maxIpv4 = 0xffff_ffffn;

/**
 * The addresses of some numbers, as texts. The numbers do not say which family they have: from the
 * end, two numbers are an IPv6 address if one of them needs more than 32 bits.
 */
export function addressTexts(numbers: readonly bigint[]): string[] {
  const isSmall = (number: bigint) => number >= 0n && number <= maxIpv4;
  let ipv4 = numbers.length;
  while (
    ipv4 >= 2 &&
    !(isSmall(numbers[ipv4 - 2] as bigint) && isSmall(numbers[ipv4 - 1] as bigint))
  )
    ipv4 -= 2;
  const texts = numbers.slice(0, ipv4).map((number) => bytesOf([number]).subarray(0, 4).join('.'));
  for (let place = ipv4; place < numbers.length; place += 2)
    texts.push(ipv6Text(bytesOf(numbers.slice(place, place + 2))));
  return texts;
}

/** The numbers of some addresses, IPv4 first; undefined if a text is not an address. */
export function addressNumbers(texts: readonly string[]): bigint[] | undefined {
  const ipv4 = texts.filter(isIPv4).map((text) => {
    return BigInt(Buffer.from(text.split('.').map(Number)).readUInt32LE());
  });
  const ipv6 = texts.filter((text) => isIPv6(text) && !text.includes('%')).flatMap(ipv6Numbers);
  return ipv4.length + ipv6.length / 2 === texts.length ? [...ipv4, ...ipv6] : undefined;
}

/** Formats 16 bytes as RFC 5952 requires: lower case, the first longest run of zero groups as :: */
export function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, index) =>
    bytes.readUInt16BE(index * 2).toString(16),
  );
  let best = { start: 0, size: 1 };
  for (let start = 0; start < groups.length; start++) {
    let size = 0;
    while (groups[start + size] === '0') size += 1;
    if (size > best.size) best = { start, size };
  }
  if (best.size < 2) return groups.join(':');
  return `${groups.slice(0, best.start).join(':')}::${groups.slice(best.start + best.size).join(':')}`;
}

function bytesOf(numbers: readonly bigint[]): Buffer {
  const bytes = Buffer.alloc(numbers.length * 8);
  numbers.forEach((number, place) => {
    bytes.writeBigInt64LE(number, place * 8);
  });
  return bytes;
}

function ipv6Numbers(text: string): bigint[] {
  // A URL has the groups in hexadecimal, also those of an IPv4 address at the end.
  const [before = '', after] = new URL(`http://[${text}]`).hostname.slice(1, -1).split('::');
  const groups = (part: string) => (part === '' ? [] : part.split(':'));
  const [start, end] = [groups(before), groups(after ?? '')];
  const all = [...start, ...Array(8 - start.length - end.length).fill('0'), ...end];
  const bytes = Buffer.alloc(16);
  all.forEach((group, place) => {
    bytes.writeUInt16BE(Number.parseInt(group, 16), place * 2);
  });
  return [bytes.readBigInt64LE(0), bytes.readBigInt64LE(8)];
}
